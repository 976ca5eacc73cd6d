// Writing commands and values: strict in what we send (RFC 3259, section 5.3).
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include <mbus/command.hpp>

#include "message/text.hpp"

namespace mbus {
namespace {

// The writers below return null, or what was expected instead of the value that can't be written.
const char* append(std::string& out, const value& what, dialect writing, std::size_t depth);

void append_integer(std::string& out, std::int64_t number) {
    std::array<char, 24> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.append(digits.data(), end);
}

// Most floats that people send have few decimals; those are written without the search for the
// shortest form. True when `number` is exactly what k/1000 reads back as (then the digits of k,
// at most 15, are the shortest).
bool append_short_float(std::string& out, double number) {
    constexpr double thousand = 1000.0;
    const double scaled = number * thousand;
    if (!(std::fabs(scaled) < 1e14) || std::trunc(scaled) != scaled || scaled / thousand != number) return false;
    if (number == 0) return false;  // minus zero keeps its sign
    auto thousandths = static_cast<std::int64_t>(scaled);
    if (thousandths < 0) {
        out.push_back('-');
        thousandths = -thousandths;
    }
    append_integer(out, thousandths / 1000);
    const auto rest = static_cast<int>(thousandths % 1000);
    const char decimals[] = {'.', static_cast<char>('0' + rest / 100), static_cast<char>('0' + rest / 10 % 10),
                             static_cast<char>('0' + rest % 10)};
    const std::size_t digits = rest % 10 != 0 ? 3 : rest % 100 != 0 ? 2 : 1;
    out.append(decimals, 1 + digits);
    return true;
}

// digits.digits in any locale, never an exponent (item 36); reads back as the same double.
const char* append_float(std::string& out, double number) {
    if (!std::isfinite(number)) return "expected a finite number: Mbus has no NaN and no infinity";
    if (append_short_float(out, number)) return nullptr;
    // The longest: a sign, 309 digits before or 1074 behind the point.
    std::array<char, 1100> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, std::chars_format::fixed).ptr;
    const std::string_view written{digits.data(), end};
    out.append(written);
    if (written.find('.') == std::string_view::npos) out.append(".0");
    return nullptr;
}

const char* append_string(std::string& out, std::string_view content) {
    out.push_back('"');
    const char* at = content.data();
    const char* const end = at + content.size();
    while (at != end) {
        const char* const run = at;
        while (at != end && text::has(*at, text::is_plain)) ++at;
        out.append(run, at);
        if (at == end) break;
        if (*at == '\n') {
            out.append("\\n");
            ++at;
        } else if (*at == '"' || *at == '\\') {
            out.push_back('\\');
            out.push_back(*at++);
        } else {
            const auto length = text::utf8_sequence(at, end);
            if (length < 2)
                return "expected UTF-8 without NUL and DEL in a string: send other octets as data";
            out.append(at, length);
            at += length;
        }
    }
    out.push_back('"');
    return nullptr;
}

const char* append_list(std::string& out, const value::list& values, dialect writing, std::size_t depth) {
    if (depth > list_depth_max) return "expected at most 64 lists inside each other";
    out.push_back('(');
    bool first = true;
    for (const auto& item : values) {
        if (!first) out.push_back(' ');
        first = false;
        if (const char* const wrong = append(out, item, writing, depth); wrong != nullptr) return wrong;
    }
    if (writing == dialect::legacy && !first) out.push_back(' ');  // libgmbus needs it after a number
    out.push_back(')');
    return nullptr;
}

bool is_wide_number(std::string_view digits) noexcept {
    if (!digits.empty() && digits.front() == '-') digits.remove_prefix(1);
    const auto point = digits.find('.');
    const auto all_digits = [](std::string_view part) {
        if (part.empty()) return false;
        for (const char octet : part)
            if (!text::has(octet, text::is_digit)) return false;
        return true;
    };
    if (point == std::string_view::npos) return all_digits(digits);
    return all_digits(digits.substr(0, point)) && all_digits(digits.substr(point + 1));
}

const char* append(std::string& out, const value& what, dialect writing, std::size_t depth) {
    if (const auto* const number = what.get_if<std::int64_t>()) {
        append_integer(out, *number);
    } else if (const auto* const text = what.get_if<std::string>()) {
        return append_string(out, *text);
    } else if (const auto* const word = what.get_if<symbol>()) {
        if (!is_symbol(word->name))
            return "expected a symbol: a letter, then letters, digits, '_', '-', '.'";
        out.append(word->name);
    } else if (const auto* const real = what.get_if<double>()) {
        return append_float(out, *real);
    } else if (const auto* const octets = what.get_if<data>()) {
        out.push_back('<');
        text::append_base64(out, octets->octets);
        out.push_back('>');
    } else if (const auto* const list = what.get_if<value::list>()) {
        return append_list(out, *list, writing, depth + 1);
    } else if (const auto* const wide = what.get_if<wide_number>()) {
        if (!is_wide_number(wide->digits)) return "expected digits of a number";
        out.append(wide->digits);
    }
    return nullptr;
}

std::string_view line_end(dialect writing) noexcept { return writing == dialect::legacy ? "\n" : "\r\n"; }

// Undoes what was appended before the failure.
result<void> finish(std::string& out, std::size_t before, const char* wrong) {
    if (wrong == nullptr) return {};
    out.resize(before);
    return {errc::bad_value, wrong};
}

}  // namespace

result<void> append_value(std::string& out, const value& what, dialect writing) {
    const auto before = out.size();
    return finish(out, before, append(out, what, writing, 0));
}

result<void> append_command(std::string& out, const command& what, dialect writing) {
    if (!is_symbol(what.name))
        return {errc::bad_command,
                "expected a command name: a letter, then letters, digits, '_', '-', '.'; found '" + what.name + "'"};
    const auto before = out.size();
    out.append(what.name);
    if (writing == dialect::legacy) out.push_back(' ');  // UCL reads a name up to the blank
    return finish(out, before, append_list(out, what.arguments, writing, 1));
}

result<std::string> format_commands(std::span<const command> commands, dialect writing) {
    std::string out;
    for (const auto& each : commands) {
        if (auto written = append_command(out, each, writing); !written) return std::move(written).error();
        out.append(line_end(writing));
    }
    return out;
}

result<std::string> format_value(const value& what, dialect writing) {
    std::string out;
    if (auto written = append_value(out, what, writing); !written) return std::move(written).error();
    return out;
}

}  // namespace mbus
