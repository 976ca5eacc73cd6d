// A JSON text taken apart, with every number kept as it was written: whether `1.0` is a float and
// `9007199254740993` an integer must not depend on a conversion to double on the way.
//
// Thread-safety: plain values and pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <mbus/result.hpp>
#include <mbus/value.hpp>

namespace mbus::json {

// A list in an argument stands inside object, array "cmds", object, array "args"; its innermost
// element may be one object more.
inline constexpr std::size_t document_depth_max = list_depth_max + 8;

struct node;
struct member;

struct node {
    struct null {};
    struct number {
        std::string digits;
    };
    using array = std::vector<node>;
    using object = std::vector<member>;

    std::variant<null, bool, number, std::string, array, object> held;

    template <class T>
    [[nodiscard]] const T* get_if() const noexcept { return std::get_if<T>(&held); }

    // "a string", "an object": for error texts.
    [[nodiscard]] std::string_view kind() const noexcept;
};

struct member {
    std::string name;
    node value;
};

// Reads exactly one JSON text (RFC 8259). A member name that occurs twice is an error.
// Errors: too_large; syntax with the offset.
result<node> parse_document(std::string_view text);

}  // namespace mbus::json
