#include "mbws/text_frame.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>

#include "message/text.hpp"

namespace mbus::mbws {
namespace {

struct flag_name {
    std::string_view name;
    std::uint8_t bit;
};
constexpr std::array<flag_name, 3> flag_names{
    {{"reliable", flag::reliable}, {"receipt", flag::receipt}, {"redelivered", flag::redelivered}}};

std::optional<std::uint64_t> read_decimal(std::string_view digits, std::uint64_t largest) noexcept {
    std::uint64_t value = 0;
    const char* const end = digits.data() + digits.size();
    if (digits.empty() || digits.front() == '-') return std::nullopt;
    const auto [stop, failed] = std::from_chars(digits.data(), end, value);
    if (failed != std::errc{} || stop != end || value > largest) return std::nullopt;
    return value;
}

std::uint64_t largest_of(value_kind kind) noexcept {
    switch (octets_of(kind)) {
    case 1: return std::numeric_limits<std::uint8_t>::max();
    case 2: return std::numeric_limits<std::uint16_t>::max();
    case 4: return std::numeric_limits<std::uint32_t>::max();
    default: return std::numeric_limits<std::uint64_t>::max();
    }
}

// Walks over the header lines and fills a frame.
class text_reader {
public:
    text_reader(std::string_view text, frame_view& out) noexcept : text_(text), out_(out) {}

    result<void> read() {
        out_.clear();
        const std::string_view first = line();
        const std::size_t blank = first.find(' ');
        out_.verb = verb_from_string(first.substr(0, blank));
        if (blank != std::string_view::npos) {
            const auto number =
                read_decimal(first.substr(blank + 1), std::numeric_limits<std::uint64_t>::max());
            if (!number) return wrong("a decimal number after the verb and one space");
            out_.number = *number;
        }
        if (!is_field_text(first)) return wrong("a verb in the first line");
        while (at_ < text_.size()) {
            const std::string_view field = line();
            if (field.empty()) break;  // the body follows
            if (auto done = read_field(field); !done) return done;
        }
        out_.body = text_.substr(at_);
        if (!text::is_utf8(out_.body)) return wrong("a body in UTF-8; other octets need the binary form");
        return {};
    }

private:
    // The next header line without its LF or CR LF.
    std::string_view line() noexcept {
        line_at_ = at_;
        const std::size_t end = text_.find('\n', at_);
        std::string_view found = text_.substr(at_, end == std::string_view::npos ? end : end - at_);
        at_ = end == std::string_view::npos ? text_.size() : end + 1;
        if (end != std::string_view::npos && found.ends_with('\r')) found.remove_suffix(1);
        return found;
    }

    result<void> read_field(std::string_view field) {
        if (!is_field_text(field)) return wrong("a header line in UTF-8 without control characters");
        const std::size_t colon = field.find(':');
        if (colon == std::string_view::npos) return wrong("'name: value' or an empty line before the body");
        const std::string_view name = field.substr(0, colon);
        std::string_view value = field.substr(colon + 1);
        if (value.starts_with(' ')) value.remove_prefix(1);
        for (std::size_t i = 0; i < flag_names.size(); ++i) {
            if (flag_names[i].name == name) return read_flag(i, value);
        }
        const auto which = key_from_string(name);
        if (!which) return {};  // of a later version: skipped
        if (out_.has(*which)) return wrong("each field once at most");
        return read_value(*which, value);
    }

    result<void> read_flag(std::size_t index, std::string_view value) {
        const auto bit = flag_names[index].bit;
        if ((flags_seen_ & bit) != 0) return wrong("each field once at most");
        flags_seen_ |= bit;
        if (value != "yes" && value != "no") return wrong("'yes' or 'no'");
        if (value == "yes") out_.flags |= bit;
        return {};
    }

    result<void> read_value(key which, std::string_view value) {
        const value_kind kind = kind_of(which);
        if (kind == value_kind::text) {
            out_.set(which, value);
        } else if (kind == value_kind::yes_no) {
            if (value != "yes" && value != "no") return wrong("'yes' or 'no'");
            out_.set(which, std::uint64_t{value == "yes" ? 1U : 0U});
        } else {
            const auto number = read_decimal(value, largest_of(kind));
            if (!number) return wrong("a decimal number that fits the field");
            out_.set(which, *number);
        }
        return {};
    }

    result<void> wrong(std::string_view expected) const {
        return error{errc::bad_frame, "expected " + std::string{expected}, line_at_};
    }

    std::string_view text_;
    frame_view& out_;
    std::size_t at_ = 0;
    std::size_t line_at_ = 0;
    unsigned flags_seen_ = 0;
};

void append_line(std::string& out, std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(value).append("\n");
}

// The field that has no text form; nothing when all were appended.
std::optional<key> append_fields(std::string& out, const frame_view& what) {
    const std::size_t start = out.size();
    for (std::size_t code = 1; code < keys_end; ++code) {
        const auto which = static_cast<key>(code);
        if (!what.has(which)) continue;
        switch (kind_of(which)) {
        case value_kind::text:
            if (!is_field_text(what.text(which))) {
                out.resize(start);
                return which;
            }
            append_line(out, to_string(which), what.text(which));
            break;
        case value_kind::yes_no:
            append_line(out, to_string(which), what.integer(which) != 0 ? "yes" : "no");
            break;
        default: append_line(out, to_string(which), std::to_string(what.integer(which))); break;
        }
    }
    return std::nullopt;
}

}  // namespace

result<void> parse_text_frame(std::string_view text, frame_view& out) {
    return text_reader{text, out}.read();
}

bool append_text_fields(std::string& out, std::string_view binary_fields) {
    frame_view fields;
    return decode_fields(binary_fields, fields) == nullptr && !append_fields(out, fields);
}

void append_text_flags(std::string& out, std::uint8_t flags) {
    for (const auto& [name, bit] : flag_names) {
        if ((flags & bit) != 0) append_line(out, name, "yes");
    }
}

bool has_text_body(std::string_view body) noexcept { return text::is_utf8(body); }

result<void> append_text_frame(std::string& out, const frame_view& what) {
    const std::string_view verb_name = to_string(what.verb);
    if (verb_name.empty()) return {errc::bad_frame, "the verb has no name in the text form"};
    if (!has_text_body(what.body)) return {errc::bad_frame, "the body is not UTF-8; send the binary form"};
    const std::size_t start = out.size();
    out.append(verb_name);
    if (what.number != 0) out.append(" ").append(std::to_string(what.number));
    out.append("\n");
    if (const auto wrong = append_fields(out, what)) {
        out.resize(start);
        return {errc::bad_frame, "field '" + std::string{to_string(*wrong)} + "' has a control character"};
    }
    append_text_flags(out, what.flags);
    if (!what.body.empty()) out.append("\n").append(what.body);
    return {};
}

}  // namespace mbus::mbws
