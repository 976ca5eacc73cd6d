// The six types of an Mbus command's parameters (RFC 3259, section 5.3).
//
//     mbus::value v = mbus::value::list{1, 2.5, "text", mbus::symbol{"on"}};
//     if (const auto* n = v.get_if<std::int64_t>()) ...
//
// Thread-safety: plain values.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <mbus/export.hpp>
#include <mbus/result.hpp>

namespace mbus {

// Lists inside lists; the RFC sets no limit. Deeper text is refused, so reading never overflows
// the stack (digest of RFC 3259, trap S14).
inline constexpr std::size_t list_depth_max = 64;

// A bare word such as `on`: a letter, then letters, digits, '_', '-', '.'.
struct symbol {
    std::string name;
    auto operator<=>(const symbol&) const = default;
};

// True when `name` is a symbol of the grammar.
[[nodiscard]] MBUS_API bool is_symbol(std::string_view name) noexcept;

// Opaque octets, Base64 on the wire.
struct MBUS_API data {
    std::vector<std::byte> octets;

    data() = default;
    explicit data(std::vector<std::byte> bytes) : octets(std::move(bytes)) {}
    explicit data(std::string_view bytes);
    [[nodiscard]] std::string_view view() const noexcept {
        return {reinterpret_cast<const char*>(octets.data()), octets.size()};
    }
    auto operator<=>(const data&) const = default;
};

// A number that fits neither 64-bit integer nor double: its digits are kept as they were written
// (trap S9: a message is not lost for a large number). Contains a '.' when it was a float.
struct wide_number {
    std::string digits;
    auto operator<=>(const wide_number&) const = default;
};

class MBUS_API value {
public:
    using list = std::vector<value>;
    using variant = std::variant<std::int64_t, double, std::string, symbol, data, list, wide_number>;

    value() : held_(std::int64_t{0}) {}
    template <std::integral Integer>
        requires(!std::same_as<Integer, bool> && !std::same_as<Integer, char> &&
                 (sizeof(Integer) < 8 || std::signed_integral<Integer>))
    value(Integer number) : held_(static_cast<std::int64_t>(number)) {}
    value(bool truth) : held_(std::int64_t{truth ? 1 : 0}) {}  // RFC 3259: a boolean is an integer
    value(double number) : held_(number) {}
    value(std::string text) : held_(std::move(text)) {}
    value(std::string_view text) : held_(std::string{text}) {}
    value(const char* text) : held_(std::string{text}) {}
    value(symbol word) : held_(std::move(word)) {}
    value(data octets) : held_(std::move(octets)) {}
    value(list values) : held_(std::move(values)) {}
    value(wide_number number) : held_(std::move(number)) {}

    template <class T>
    [[nodiscard]] const T* get_if() const noexcept { return std::get_if<T>(&held_); }
    template <class T>
    [[nodiscard]] T* get_if() noexcept { return std::get_if<T>(&held_); }
    template <class T>
    [[nodiscard]] bool is() const noexcept { return std::holds_alternative<T>(held_); }

    // Replaces what is held by a new T and returns it, to be filled in place.
    template <class T>
    T& emplace() { return held_.emplace<T>(); }

    // RFC 3259, section 5.3: an integer, 0 = false, anything else = true. Not an integer: bad_value.
    [[nodiscard]] result<bool> as_boolean() const;

    // An integer or a float as double; bad_value for anything else.
    [[nodiscard]] result<double> as_number() const;

    [[nodiscard]] const variant& held() const noexcept { return held_; }

    bool operator==(const value&) const = default;

private:
    variant held_;
};

}  // namespace mbus
