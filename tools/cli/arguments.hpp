// A command line, read by the table of its tool.
//
//     auto read = parse_arguments(spec, words);
//     if (read->has("reliable")) ...
//
// Thread-safety: plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <mbus/address.hpp>
#include <mbus/result.hpp>

#include "cli/option_table.hpp"

namespace mbus::tools {

class arguments {
public:
    [[nodiscard]] bool has(std::string_view option) const noexcept;
    [[nodiscard]] std::optional<std::string> text(std::string_view option) const;
    [[nodiscard]] const std::vector<std::string>& all(std::string_view option) const;
    [[nodiscard]] std::optional<std::uint64_t> count(std::string_view option) const;
    [[nodiscard]] std::optional<double> rate(std::string_view option) const;
    [[nodiscard]] std::optional<std::chrono::milliseconds> duration(std::string_view option) const;

    // What is no option, in order.
    [[nodiscard]] const std::vector<std::string>& words() const noexcept { return words_; }

    // For the parser and for tests.
    void add(std::string_view option, std::string given) { given_[std::string{option}].push_back(std::move(given)); }
    void add_word(std::string word) { words_.push_back(std::move(word)); }

private:
    std::map<std::string, std::vector<std::string>, std::less<>> given_;
    std::vector<std::string> words_;
};

// Errors: errc::bad_argument; the text names the option and the nearest right one. With --help or
// --version nothing else is checked.
result<arguments> parse_arguments(const tool_spec& spec, std::span<const std::string> line);

}  // namespace mbus::tools
