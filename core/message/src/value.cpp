#include <mbus/value.hpp>

#include <algorithm>

#include "message/text.hpp"

namespace mbus {

bool is_symbol(std::string_view name) noexcept {
    return !name.empty() && text::has(name.front(), text::is_letter) &&
           std::ranges::all_of(name, [](char octet) { return text::has(octet, text::is_symbol_octet); });
}

data::data(std::string_view bytes)
    : octets(reinterpret_cast<const std::byte*>(bytes.data()),
             reinterpret_cast<const std::byte*>(bytes.data()) + bytes.size()) {}

result<bool> value::as_boolean() const {
    if (const auto* const number = get_if<std::int64_t>()) return *number != 0;
    if (is<wide_number>() && get_if<wide_number>()->digits.find('.') == std::string::npos) return true;
    return error{errc::bad_value, "expected an integer as boolean (0 is false)"};
}

result<double> value::as_number() const {
    if (const auto* const number = get_if<std::int64_t>()) return static_cast<double>(*number);
    if (const auto* const number = get_if<double>()) return *number;
    return error{errc::bad_value, "expected a number"};
}

}  // namespace mbus
