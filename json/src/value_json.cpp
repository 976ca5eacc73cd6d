#include "value_json.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include <mbus/address.hpp>
#include <mbus_json/message_json.hpp>

#include "message/text.hpp"
#include "text.hpp"

namespace mbus::json {
namespace {

// JavaScript holds integers exactly up to here.
constexpr std::int64_t exact_integer_max = std::int64_t{1} << 53U;

bool all_digits(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::string_view without_sign(std::string_view text) {
    return !text.empty() && text.front() == '-' ? text.substr(1) : text;
}

bool is_integer_text(std::string_view text) { return all_digits(without_sign(text)); }

bool is_float_text(std::string_view text) {
    text = without_sign(text);
    const auto point = text.find('.');
    return point != std::string_view::npos && all_digits(text.substr(0, point)) && all_digits(text.substr(point + 1));
}

// {"KEY":"TEXT"}
void append_tagged(std::string& out, std::string_view key, std::string_view text) {
    out += "{\"";
    out += key;
    out += "\":";
    append_string(out, text);
    out += '}';
}

result<void> append_at(std::string& out, const value& what, std::size_t depth);

result<void> append_list(std::string& out, const value::list& items, std::size_t depth) {
    if (depth >= list_depth_max) {
        return {errc::bad_value, "lists are nested deeper than " + std::to_string(list_depth_max) + " levels"};
    }
    out += '[';
    bool first = true;
    for (const auto& item : items) {
        if (!std::exchange(first, false)) out += ',';
        if (auto done = append_at(out, item, depth + 1); !done) return done;
    }
    out += ']';
    return {};
}

result<void> append_wide(std::string& out, const wide_number& number) {
    if (is_integer_text(number.digits)) {
        append_tagged(out, "int", number.digits);
    } else if (is_float_text(number.digits)) {
        append_tagged(out, "float", number.digits);
    } else {
        return {errc::bad_value, "a wide number has digits, and a point between digits if it is a float"};
    }
    return {};
}

result<void> append_base64(std::string& out, const data& octets) {
    auto text = format_value(octets);  // <AAEC>
    if (!text) return std::move(text).error();
    append_tagged(out, "data", std::string_view{*text}.substr(1, text->size() - 2));
    return {};
}

struct value_writer {
    std::string& out;
    std::size_t depth;

    result<void> operator()(std::int64_t number) const {
        if (number > exact_integer_max || number < -exact_integer_max) {
            append_tagged(out, "int", std::to_string(number));
        } else {
            out += std::to_string(number);
        }
        return {};
    }
    result<void> operator()(double number) const {
        if (!std::isfinite(number)) return {errc::bad_value, "NaN and infinity can't be sent; use a symbol"};
        append_number(out, number);
        return {};
    }
    result<void> operator()(const std::string& text) const {
        if (const auto at = unfit_octet(text)) {
            return error{errc::bad_value, "a string holds NUL, DEL or octets that are not UTF-8; send it as data", *at};
        }
        append_string(out, text);
        return {};
    }
    result<void> operator()(const symbol& word) const {
        if (!is_symbol(word.name)) return {errc::bad_value, "a symbol is a letter, then letters, digits, '_', '-', '.'"};
        append_tagged(out, "sym", word.name);
        return {};
    }
    result<void> operator()(const data& octets) const { return append_base64(out, octets); }
    result<void> operator()(const value::list& items) const { return append_list(out, items, depth); }
    result<void> operator()(const wide_number& number) const { return append_wide(out, number); }
};

result<void> append_at(std::string& out, const value& what, std::size_t depth) {
    return std::visit(value_writer{out, depth}, what.held());
}

// A number as it stands in the JSON text.
result<value> number_from(const std::string& digits, const std::string& path) {
    if (is_integer_text(digits) || is_float_text(digits)) {
        auto number = mbus::parse_value(digits);
        if (!number) return at_path(errc::bad_value, path, describe(number.error()));
        return number;
    }
    double number = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (read.ec != std::errc{} || read.ptr != digits.data() + digits.size()) {
        return at_path(errc::bad_value, path, "expected a number that a double can hold, not " + digits.substr(0, 40));
    }
    return value{number};
}

// {"int":"..."} and {"float":"..."}
result<value> digits_from(const std::string& digits, bool integer, const std::string& path) {
    if (!(integer ? is_integer_text(digits) : is_float_text(digits))) {
        return at_path(errc::bad_value, path, integer ? "expected decimal digits" : "expected digits.digits");
    }
    return number_from(digits, path);
}

result<value> data_from(const std::string& base64, const std::string& path) {
    const bool fits = std::ranges::all_of(base64, [](char octet) { return text::has(octet, text::is_base64); });
    auto octets = fits ? mbus::parse_value("<" + base64 + ">") : result<value>{errc::bad_value, {}};
    if (!octets) return at_path(errc::bad_value, path, "expected Base64 with padding (RFC 4648, section 4)");
    return octets;
}

// {"sym":..}, {"data":..}, {"int":..}, {"float":..}
result<value> tagged_from(const node::object& members, const node& what, std::string& path) {
    static constexpr const char* expectation = "one of {\"sym\":..}, {\"data\":..}, {\"int\":..}, {\"float\":..}";
    if (members.size() != 1) return misplaced(errc::bad_value, path, expectation, what);
    const auto& [key, held] = members.front();
    const bool known = key == "sym" || key == "data" || key == "int" || key == "float";
    if (!known) return misplaced(errc::bad_value, path, expectation, what);
    const auto inner = path + "/" + key;
    const auto* text = held.get_if<std::string>();
    if (text == nullptr) return misplaced(errc::bad_value, inner, "a string", held);
    if (key == "data") return data_from(*text, inner);
    if (key != "sym") return digits_from(*text, key == "int", inner);
    if (!is_symbol(*text)) return at_path(errc::bad_value, inner, "expected a letter, then letters, digits, '_', '-', '.'");
    return value{symbol{*text}};
}

result<value> list_from(const node::array& items, std::string& path, std::size_t depth) {
    if (depth >= list_depth_max) {
        return at_path(errc::bad_value, path, "expected at most " + std::to_string(list_depth_max) + " levels of lists");
    }
    value::list list;
    list.reserve(items.size());
    const auto length = path.size();
    for (std::size_t i = 0; i < items.size(); ++i) {
        path += '/';
        path += std::to_string(i);
        auto item = value_from(items[i], path, depth + 1);
        if (!item) return item;
        list.push_back(std::move(*item));
        path.resize(length);
    }
    return value{std::move(list)};
}

// The name of a member in a JSON pointer (RFC 6901, section 3).
std::string pointer_token(std::string_view name) {
    std::string token;
    for (const char octet : name.substr(0, 64)) {
        if (octet == '~') token += "~0";
        else if (octet == '/') token += "~1";
        else token += octet;
    }
    return token;
}

}  // namespace

error at_path(errc code, const std::string& path, const std::string& text) {
    return {code, (path.empty() ? std::string{"the JSON text"} : path) + ": " + text};
}

error misplaced(errc code, const std::string& path, const std::string& expected, const node& found) {
    return at_path(code, path, "expected " + expected + ", not " + std::string{found.kind()});
}

result<value> value_from(const node& what, std::string& path, std::size_t depth) {
    if (const auto* number = what.get_if<node::number>()) return number_from(number->digits, path);
    if (const auto* truth = what.get_if<bool>()) return value{*truth};  // RFC 3259, section 5.3: 1 or 0
    if (const auto* items = what.get_if<node::array>()) return list_from(*items, path, depth);
    if (const auto* members = what.get_if<node::object>()) return tagged_from(*members, what, path);
    if (const auto* text = what.get_if<std::string>()) {
        if (unfit_octet(*text)) {
            return at_path(errc::bad_value, path, "expected a string without NUL and DEL; send octets as {\"data\":BASE64}");
        }
        return value{*text};
    }
    return misplaced(errc::bad_value, path, "a value (Mbus has no null)", what);
}

result<command> command_from(const node& what, std::string& path) {
    const auto* members = what.get_if<node::object>();
    if (members == nullptr) return misplaced(errc::bad_command, path, "{\"name\":..,\"args\":[..]}", what);
    command read;
    const auto length = path.size();
    for (const auto& [key, held] : *members) {
        path += '/' + pointer_token(key);
        if (key == "name") {
            const auto* name = held.get_if<std::string>();
            if (name == nullptr) return misplaced(errc::bad_command, path, "a string", held);
            if (!is_symbol(*name)) return at_path(errc::bad_command, path, "expected a command name such as \"audio.gain\"");
            read.name = *name;
        } else if (key == "args") {
            const auto* items = held.get_if<node::array>();
            if (items == nullptr) return misplaced(errc::bad_command, path, "an array", held);
            for (std::size_t i = 0; i < items->size(); ++i) {
                const auto inner = path.size();
                path += '/' + std::to_string(i);
                auto argument = value_from((*items)[i], path);
                if (!argument) return std::move(argument).error();
                read.arguments.push_back(std::move(*argument));
                path.resize(inner);
            }
        } else {
            return at_path(errc::bad_command, path, "no such member; a command has \"name\" and \"args\"");
        }
        path.resize(length);
    }
    if (read.name.empty()) return at_path(errc::bad_command, path, "the member \"name\" is missing");
    return read;
}

result<address> address_from(const node& what, const std::string& path) {
    const auto* members = what.get_if<node::object>();
    if (members == nullptr) return misplaced(errc::bad_address, path, "an object such as {\"app\":\"rat\"}", what);
    std::vector<address_element> elements;
    for (const auto& [key, held] : *members) {
        const auto* text = held.get_if<std::string>();
        if (text == nullptr) return misplaced(errc::bad_address, path + '/' + pointer_token(key), "a string", held);
        elements.push_back({key, *text});
    }
    auto read = address::from_elements(elements);
    if (!read) return at_path(errc::bad_address, path, read.error().text);
    return read;
}

result<void> append_value(std::string& out, const value& what) {
    const auto before = out.size();
    auto done = append_at(out, what, 0);
    if (!done) out.resize(before);
    return done;
}

result<void> append_command(std::string& out, const command& what) {
    if (!is_symbol(what.name)) return {errc::bad_value, "a command name is a letter, then letters, digits, '_', '-', '.'"};
    const auto before = out.size();
    out += "{\"name\":";
    append_string(out, what.name);
    out += ",\"args\":[";
    for (std::size_t i = 0; i < what.arguments.size(); ++i) {
        if (i > 0) out += ',';
        if (auto done = append_at(out, what.arguments[i], 0); !done) {
            out.resize(before);
            return done;
        }
    }
    out += "]}";
    return {};
}

result<value> parse_value(std::string_view text) {
    auto document = parse_document(text);
    if (!document) return std::move(document).error();
    std::string path;
    return value_from(*document, path);
}

result<command> parse_command(std::string_view text) {
    auto document = parse_document(text);
    if (!document) return std::move(document).error();
    std::string path;
    return command_from(*document, path);
}

void append_address(std::string& out, const address& what) {
    out += '{';
    bool first = true;
    for (const auto element : what) {
        if (!std::exchange(first, false)) out += ',';
        append_string(out, element.tag);
        out += ':';
        append_string(out, element.value);
    }
    out += '}';
}

result<address> parse_address(std::string_view text) {
    auto document = parse_document(text);
    if (!document) return std::move(document).error();
    return address_from(*document, {});
}

}  // namespace mbus::json
