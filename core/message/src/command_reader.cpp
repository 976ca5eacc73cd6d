// Reading commands and values: one recursive descent over the octets, used twice, with and
// without building values (RFC 3259, section 5.3).
#include <bit>
#include <charconv>
#include <cmath>
#include <system_error>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <mbus/command.hpp>

#include "message/text.hpp"

namespace mbus {
namespace {

using text::has;

// Where reading stands. On failure `expected` says what should have stood at `at`.
struct cursor {
    const char* at;
    const char* end;
    dialect reading;
    bool needs_rewrite = false;
    const char* expected = nullptr;

    [[nodiscard]] bool ended() const noexcept { return at == end; }
    [[nodiscard]] bool sees(char octet) const noexcept { return at != end && *at == octet; }
    bool fail(const char* what) noexcept {
        expected = what;
        return false;
    }
    void skip_blanks() noexcept {
        while (at != end && has(*at, text::is_blank)) ++at;
    }
    bool skip_digits() noexcept {
        const char* const from = at;
        while (at != end && has(*at, text::is_digit)) ++at;
        return at != from;
    }
};

constexpr std::size_t usual_list_values = 6;

template <bool Build>
bool read_value(cursor& in, value* out, std::size_t depth);

// An exponent, which only the legacy dialect knows: Java writes 1.0E20.
bool skip_exponent(cursor& in) {
    if (in.reading != dialect::legacy || !(in.sees('e') || in.sees('E'))) return true;
    ++in.at;
    if (in.sees('+') || in.sees('-')) ++in.at;
    if (!in.skip_digits()) return in.fail("digits of an exponent");
    in.needs_rewrite = true;
    return true;
}

void build_number(value& out, std::string_view digits, bool is_float) {
    const char* const end = digits.data() + digits.size();
    if (is_float) {
        double number = 0;
        if (std::from_chars(digits.data(), end, number).ec == std::errc{} && std::isfinite(number)) {
            out.emplace<double>() = number;
            return;
        }
    } else {
        std::int64_t number = 0;
        if (std::from_chars(digits.data(), end, number).ec == std::errc{}) {
            out.emplace<std::int64_t>() = number;
            return;
        }
    }
    out.emplace<wide_number>().digits.assign(digits);
}

template <bool Build>
bool read_number(cursor& in, value* out) {
    const char* const from = in.at;
    if (*in.at == '-') ++in.at;
    if (!in.skip_digits()) return in.fail("a digit");
    bool is_float = false;
    if (in.sees('.')) {
        is_float = true;
        ++in.at;
        if (!in.skip_digits()) return in.fail("a digit after the point");
    }
    const char* const mantissa_end = in.at;
    if (!skip_exponent(in)) return false;
    const bool has_exponent = in.at != mantissa_end;
    // Without a number that fits there would be no way to write it again: digits.digits only.
    if (has_exponent) {
        double number = 0;
        if (std::from_chars(from, in.at, number).ec != std::errc{}) return in.fail("a float within range");
        if constexpr (Build) out->emplace<double>() = number;
        return true;
    }
    if constexpr (Build) build_number(*out, {from, in.at}, is_float);
    return true;
}

// The octet that an escape stands for (traps S7, S8): any other `\x` is x.
char unescaped(char escape) noexcept { return escape == 'n' ? '\n' : escape; }

#ifdef __SSE2__
// Of sixteen octets, those that do not stand for themselves in a string: ones where they are.
__m128i not_plain(const char* at) noexcept {
    const auto octets = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    // One more than the octet, as a signed number, is at most a blank for controls, DEL and all but ASCII.
    const auto unprintable = _mm_cmpgt_epi8(_mm_set1_epi8(' ' + 1), _mm_add_epi8(octets, _mm_set1_epi8(1)));
    return _mm_or_si128(unprintable, _mm_or_si128(_mm_cmpeq_epi8(octets, _mm_set1_epi8('"')), _mm_cmpeq_epi8(octets, _mm_set1_epi8('\\'))));
}
#endif

// Skips octets that stand for themselves in a string, many at a time as long as that is easy.
void skip_plain(cursor& in) noexcept {
    const char* at = in.at;  // stays in a register, which in.at would not
#ifdef __SSE2__
    while (in.end - at >= 64) {
        const auto first = _mm_or_si128(not_plain(at), not_plain(at + 16));
        const auto second = _mm_or_si128(not_plain(at + 32), not_plain(at + 48));
        if (_mm_movemask_epi8(_mm_or_si128(first, second)) != 0) break;
        at += 64;
    }
    while (in.end - at >= 16) {
        const auto found = static_cast<unsigned>(_mm_movemask_epi8(not_plain(at)));
        if (found != 0) {
            at += std::countr_zero(found);
            break;
        }
        at += 16;
    }
#endif
    while (in.end - at >= 8) {
        const auto octets = text::load_eight(at);
        const auto special = text::equal(octets, '"') | text::equal(octets, '\\') | text::unprintable(octets);
        if ((special & text::octet_tops) != 0) break;
        at += 8;
    }
    while (at != in.end && has(*at, text::is_plain)) ++at;
    in.at = at;
}

template <bool Build>
bool read_string(cursor& in, value* out) {
    std::string* built = nullptr;
    if constexpr (Build) built = &out->emplace<std::string>();
    ++in.at;  // the opening quote
    const char* run = in.at;
    const auto flush = [&] {
        if constexpr (Build) built->append(run, in.at);
    };
    for (;;) {
        skip_plain(in);
        if (in.ended()) return in.fail("'\"' at the end of the string");
        if (*in.at == '"') break;
        if (*in.at == '\n') {
            in.needs_rewrite = true;
            ++in.at;
        } else if (*in.at == '\\') {
            flush();
            ++in.at;
            if (in.ended()) return in.fail("an octet after '\\'");
            if (*in.at != '\\' && *in.at != '"' && *in.at != 'n') in.needs_rewrite = true;
            const auto length = text::utf8_sequence(in.at, in.end);
            if (length == 0 || *in.at == '\0' || *in.at == '\x7f') return in.fail("an escape: \\\\, \\\" or \\n");
            if constexpr (Build) built->push_back(unescaped(*in.at));
            run = ++in.at;
            in.at += length - 1;
        } else {
            const auto length = text::utf8_sequence(in.at, in.end);
            if (length < 2) return in.fail("UTF-8 without NUL and DEL in a string");
            in.at += length;
        }
    }
    flush();
    ++in.at;  // the closing quote
    return true;
}

template <bool Build>
bool read_data(cursor& in, value* out) {
    const char* const from = ++in.at;  // after '<'
    while (in.at != in.end && *in.at != '>' && has(*in.at, text::is_address_octet)) ++in.at;
    if (!in.sees('>')) return in.fail("Base64 and '>' at the end of data");
    const std::string_view encoded{from, in.at};
    std::size_t good = 0;
    if constexpr (Build) {
        good = text::decode_base64(encoded, &out->emplace<data>().octets);
    } else {
        good = text::decode_base64(encoded, nullptr);
    }
    if (good != encoded.size()) {
        in.at = from + good;
        return in.fail("complete Base64 units of four characters");
    }
    ++in.at;
    return true;
}

// A list from its '(' to its ')'.
template <bool Build>
bool read_list(cursor& in, value::list* out, std::size_t depth) {
    if (depth > list_depth_max) return in.fail("at most 64 lists inside each other");
    ++in.at;
    in.skip_blanks();
    while (!in.sees(')')) {
        value* slot = nullptr;
        if constexpr (Build) {
            // One allocation for the usual list instead of one for each doubling.
            if (out->capacity() == 0) out->reserve(usual_list_values);
            slot = &out->emplace_back();
        }
        if (!read_value<Build>(in, slot, depth)) return false;
        const char* const after = in.at;
        in.skip_blanks();
        if (in.at == after && !in.sees(')')) return in.fail("a blank or ')' after a value");
    }
    ++in.at;
    return true;
}

template <bool Build>
bool read_value(cursor& in, value* out, std::size_t depth) {
    if (in.ended()) return in.fail("a value or ')'");
    const char first = *in.at;
    if (first == '"') return read_string<Build>(in, out);
    if (first == '-' || has(first, text::is_digit)) return read_number<Build>(in, out);
    if (has(first, text::is_letter)) {
        const char* const from = in.at;
        while (in.at != in.end && has(*in.at, text::is_symbol_octet)) ++in.at;
        if constexpr (Build) out->emplace<symbol>().name.assign(from, in.at);
        return true;
    }
    if (first == '<') return read_data<Build>(in, out);
    if (first == '(') {
        value::list* list = nullptr;
        if constexpr (Build) list = &out->emplace<value::list>();
        return read_list<Build>(in, list, depth + 1);
    }
    return in.fail("a value: number, \"string\", symbol, <data> or (list)");
}

// One command with its line end, if there is one; `name` and `arguments` delimit it.
template <bool Build>
bool read_command(cursor& in, command_view& seen, command* out) {
    if (in.reading == dialect::legacy)  // an empty line: UCL and Java read over it
        while (in.sees('\n') || in.sees('\r')) ++in.at;
    if (in.ended()) return in.fail(nullptr);
    const char* const name = in.at;
    if (!has(*name, text::is_letter)) return in.fail("a command name");
    while (in.at != in.end && has(*in.at, text::is_symbol_octet)) ++in.at;
    seen.name = {name, in.at};
    in.skip_blanks();
    if (!in.sees('(')) return in.fail("'(' after the command name");
    const char* const arguments = in.at;
    value::list* list = nullptr;
    if constexpr (Build) {
        out->name.assign(seen.name);
        list = &out->arguments;
    }
    if (!read_list<Build>(in, list, 1)) return false;
    seen.arguments = {arguments, in.at};
    if (!in.ended() && has(*in.at, text::is_blank)) {
        in.needs_rewrite = true;
        in.skip_blanks();
    }
    if (in.ended()) return true;
    if (*in.at == '\r' && in.end - in.at >= 2 && in.at[1] == '\n') {
        in.at += 2;
        return true;
    }
    if (*in.at != '\n') return in.fail("a line end after the command");
    ++in.at;
    return true;
}

cursor cursor_at(std::string_view text, std::size_t at, dialect reading) noexcept {
    return {text.data() + at, text.data() + text.size(), reading};
}

error failure_at(errc code, const char* expected, std::size_t offset) {
    return {code, std::string{"expected "} + expected, offset};
}

constexpr const char* too_many_commands = "at most 32768 commands";

}  // namespace

const command_view* command_scanner::next() noexcept {
    if (expected_ != nullptr || at_ == text_.size()) return nullptr;
    if (count_ == commands_max) {
        expected_ = too_many_commands;
        return nullptr;
    }
    auto in = cursor_at(text_, at_, reading_);
    const bool good = read_command<false>(in, current_, nullptr);
    at_ = static_cast<std::size_t>(in.at - text_.data());
    needs_rewrite_ = needs_rewrite_ || in.needs_rewrite;
    if (!good) {
        expected_ = in.expected;
        return nullptr;
    }
    ++count_;
    return &current_;
}

error command_scanner::failure() const { return failure_at(errc::bad_command, expected_, at_); }

result<std::vector<command>> parse_commands(std::string_view payload, dialect reading) {
    std::vector<command> commands;
    auto in = cursor_at(payload, 0, reading);
    const auto offset = [&] { return static_cast<std::size_t>(in.at - payload.data()); };
    while (!in.ended()) {
        if (commands.size() == commands_max) return failure_at(errc::bad_command, too_many_commands, offset());
        command_view seen;
        auto& built = commands.emplace_back();
        if (read_command<true>(in, seen, &built)) continue;
        if (in.expected != nullptr) return failure_at(errc::bad_command, in.expected, offset());
        commands.pop_back();  // nothing but empty lines was left
    }
    return commands;
}

result<value> parse_value(std::string_view text, dialect reading) {
    auto in = cursor_at(text, 0, reading);
    value built;
    const bool good = read_value<true>(in, &built, 0);
    const auto offset = static_cast<std::size_t>(in.at - text.data());
    if (!good) return failure_at(errc::bad_value, in.expected, offset);
    if (!in.ended()) return failure_at(errc::bad_value, "the end of the value", offset);
    return built;
}

bool glob_matches(std::string_view globs, std::string_view name) noexcept {
    const auto one = [name](std::string_view glob) {
        std::size_t at = 0;
        std::size_t star = std::string_view::npos;
        std::size_t resume = 0;
        std::size_t index = 0;
        while (at < name.size()) {
            if (index < glob.size() && (glob[index] == '?' || glob[index] == name[at]) && glob[index] != '*') {
                ++index;
                ++at;
            } else if (index < glob.size() && glob[index] == '*') {
                star = index++;
                resume = at;
            } else if (star != std::string_view::npos) {
                index = star + 1;
                at = ++resume;
            } else {
                return false;
            }
        }
        while (index < glob.size() && glob[index] == '*') ++index;
        return index == glob.size();
    };
    for (;;) {
        const auto comma = globs.find(',');
        if (one(globs.substr(0, comma))) return true;
        if (comma == std::string_view::npos) return false;
        globs.remove_prefix(comma + 1);
    }
}

}  // namespace mbus
