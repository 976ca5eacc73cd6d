// Vectors that the C++ and the JavaScript codec share: tests/vectors/mbws/*.json, one entry a line. Each
// side writes some files and reads all of them (tests/vectors/mbws/README.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json.hpp>
#include <mbus/value.hpp>

#include "mbws/frame.hpp"

namespace mbus::vectors {

namespace json = boost::json;

// All entries of a file.
json::array read_file(std::string_view name);

// With MBUS_WRITE_VECTORS=1 in the environment: writes it. True when the file holds these entries.
bool holds(std::string_view name, const json::array& entries);

std::string hex(std::string_view octets);
std::string unhex(std::string_view digits);

// Integers as {"int":"7"}, floats as {"float":"2.5"}, symbols {"sym":"on"}, data {"data":"AAEC"}, else as docs/json.md.
json::value to_json(const value& what);
value from_json(const json::value& what);

// verb, number, flags, fields by name, body in hexadecimal; integers as decimal text.
json::object to_json(const mbws::frame_view& what);

// Raw numbers of mt19937_64 are the same everywhere; distributions are not, so there are none.
class dice {
public:
    explicit dice(std::uint64_t seed) noexcept : state_(seed) {}
    std::uint64_t next() noexcept;
    std::size_t below(std::size_t end) noexcept { return static_cast<std::size_t>(next() % end); }
    bool one_in(std::size_t sides) noexcept { return below(sides) == 0; }

private:
    std::uint64_t state_;
};

std::string random_symbol(dice& from);
std::string random_text(dice& from, bool controls);
value random_value(dice& from, int depth);

}  // namespace mbus::vectors
