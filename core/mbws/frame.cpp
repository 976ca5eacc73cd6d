#include "mbws/frame.hpp"

#include <algorithm>
#include <cassert>

#include "message/text.hpp"

namespace mbus::mbws {
namespace {

constexpr std::array<std::string_view, 18> verb_names{
    "",        "connect", "connected", "attach", "detach", "ok",   "nak",  "message", "ack",
    "receipt", "watch",   "entity",    "grant",  "revoke", "ping", "pong", "close",   "error"};

struct key_entry {
    std::string_view name;
    value_kind kind;
};

// By number (docs/mbws.md, section 2.4).
constexpr std::array<key_entry, keys_end> key_table{{
    {"", value_kind::none},          {"to", value_kind::text},        {"from", value_kind::text},
    {"entity", value_kind::text},    {"session", value_kind::text},   {"received", value_kind::u64},
    {"window", value_kind::u32},     {"expiry", value_kind::u32},     {"request", value_kind::u32},
    {"code", value_kind::text},      {"text", value_kind::text},      {"type", value_kind::text},
    {"time", value_kind::u64},       {"ttl", value_kind::u32},        {"matched", value_kind::u32},
    {"missed", value_kind::u64},     {"auth", value_kind::text},      {"version", value_kind::u16},
    {"name", value_kind::text},      {"mode", value_kind::text},      {"queue", value_kind::text},
    {"state", value_kind::text},     {"resumed", value_kind::yes_no}, {"command", value_kind::text},
    {"url", value_kind::text},       {"uses", value_kind::u32},       {"policy", value_kind::text},
    {"tried", value_kind::u8},       {"took", value_kind::u32},       {"via", value_kind::text},
    {"broker", value_kind::text},    {"about", value_kind::u64},      {"size", value_kind::u32},
    {"durable", value_kind::yes_no}, {"origin", value_kind::text},    {"sequence", value_kind::u32},
    {"interface", value_kind::text}, {"addresses", value_kind::u16},  {"to-number", value_kind::u16},
    {"from-number", value_kind::u16},
}};

// `count` is 1, 2, 4 or 8.
std::uint64_t read_integer(const char* octets, std::size_t count) noexcept {
    switch (count) {
    case 1: return read_big_endian<std::uint8_t>(octets);
    case 2: return read_big_endian<std::uint16_t>(octets);
    case 4: return read_big_endian<std::uint32_t>(octets);
    default: return read_big_endian<std::uint64_t>(octets);
    }
}

void write_integer(char* octets, std::size_t count, std::uint64_t value) noexcept {
    switch (count) {
    case 1: write_big_endian(octets, static_cast<std::uint8_t>(value)); break;
    case 2: write_big_endian(octets, static_cast<std::uint16_t>(value)); break;
    case 4: write_big_endian(octets, static_cast<std::uint32_t>(value)); break;
    default: write_big_endian(octets, value); break;
    }
}

}  // namespace

std::string_view to_string(verb which) noexcept {
    const auto code = static_cast<std::size_t>(which);
    return code < verb_names.size() ? verb_names[code] : std::string_view{};
}

verb verb_from_string(std::string_view name) noexcept {
    for (std::size_t code = 1; code < verb_names.size(); ++code) {
        if (verb_names[code] == name) return static_cast<verb>(code);
    }
    return verb::unknown;
}

value_kind kind_of(key which) noexcept {
    const auto code = static_cast<std::size_t>(which);
    return code < key_table.size() ? key_table[code].kind : value_kind::none;
}

std::size_t octets_of(value_kind kind) noexcept {
    switch (kind) {
    case value_kind::yes_no:
    case value_kind::u8: return 1;
    case value_kind::u16: return 2;
    case value_kind::u32: return 4;
    case value_kind::u64: return 8;
    case value_kind::none:
    case value_kind::text: break;
    }
    return 0;
}

std::string_view to_string(key which) noexcept {
    const auto code = static_cast<std::size_t>(which);
    return code < key_table.size() ? key_table[code].name : std::string_view{};
}

std::optional<key> key_from_string(std::string_view name) noexcept {
    for (std::size_t code = 1; code < key_table.size(); ++code) {
        if (key_table[code].name == name) return static_cast<key>(code);
    }
    return std::nullopt;
}

bool is_field_text(std::string_view octets) noexcept { return text::is_utf8_without_controls(octets); }

std::string make_field_text(std::string_view octets, std::size_t octets_max) {
    std::string text;
    text.reserve(std::min(octets.size(), octets_max));
    for (std::size_t i = 0; i < octets.size();) {
        std::size_t count = text::utf8_sequence(octets, i);
        const bool bad = count == 0 || static_cast<unsigned char>(octets[i]) < 0x20 || octets[i] == 0x7F;
        if (bad) count = 1;
        if (text.size() + count > octets_max) break;
        if (bad) {
            text += '?';
        } else {
            text.append(octets.substr(i, count));
        }
        i += count;
    }
    return text;
}

void frame_view::clear() noexcept {
    verb = mbws::verb::unknown;
    flags = 0;
    number = 0;
    body = {};
    repeats = false;
    stamp_ = 0;
    present_ = 0;
}

bool frame_view::operator==(const frame_view& other) const noexcept {
    if (verb != other.verb || (flags & flag::known) != (other.flags & flag::known) ||
        number != other.number || body != other.body || present_ != other.present_) {
        return false;
    }
    for (std::size_t code = 1; code < keys_end; ++code) {
        const auto which = static_cast<key>(code);
        if (!has(which)) continue;
        const bool same = kind_of(which) == value_kind::text ? text(which) == other.text(which)
                                                             : integer(which) == other.integer(which);
        if (!same) return false;
    }
    return true;
}

const char* decode_fields(std::string_view octets, frame_view& out) noexcept {
    std::size_t at = 0;
    while (at < octets.size()) {
        if (octets.size() - at < 3) return "the fields do not end where the header ends";
        const auto code = static_cast<unsigned char>(octets[at]);
        const auto length = static_cast<std::size_t>(read_integer(octets.data() + at + 1, 2));
        at += 3;
        if (length > octets.size() - at) return "a field reaches beyond the header";
        const std::string_view value = octets.substr(at, length);
        at += length;
        if (code == 0 || code >= keys_end) continue;  // of a later version: skipped
        const auto which = static_cast<key>(code);
        if (out.has(which)) return "a field occurs twice";
        const value_kind kind = key_table[code].kind;
        if (kind == value_kind::text) {
            if (!is_field_text(value)) return "a text field is not UTF-8 or has a control character";
            out.set(which, value);
            continue;
        }
        if (length != octets_of(kind)) return "an integer field has the wrong size";
        const std::uint64_t number = read_integer(value.data(), length);
        if (kind == value_kind::yes_no && number > 1) return "a yes/no field is neither 1 nor 0";
        out.set(which, number);
    }
    return nullptr;
}

const char* decode_frame(std::string_view octets, frame_view& out) noexcept {
    if (octets.size() < frame_header_octets) return "shorter than the 16 octets of a header";
    const frame_head head = read_frame_head(octets.data());
    if (head.header_octets < frame_header_octets) return "the header's length is below 16";
    if (std::uint64_t{head.header_octets} + head.body_octets != octets.size()) {
        return "the lengths of header and body do not add up to the length of the frame";
    }
    out.clear();
    out.verb = head.verb;
    out.flags = head.flags & flag::known;
    out.number = head.number;
    out.body = octets.substr(head.header_octets);
    return decode_fields(octets.substr(frame_header_octets, head.header_octets - frame_header_octets), out);
}

void append_field(std::string& out, key which, std::string_view value) {
    assert(kind_of(which) == value_kind::text && value.size() <= header_octets_max);
    char start[3];
    start[0] = static_cast<char>(which);
    write_integer(start + 1, 2, value.size());
    out.append(start, 3).append(value);
}

void append_field(std::string& out, key which, std::uint64_t value) {
    const std::size_t size = octets_of(kind_of(which));
    assert(size != 0);
    char octets[3 + 8];
    octets[0] = static_cast<char>(which);
    write_integer(octets + 1, 2, size);
    write_integer(octets + 3, size, value);
    out.append(octets, 3 + size);
}

bool append_frame(std::string& out, const frame_view& what) {
    frame_writer writer{out, what.verb, static_cast<std::uint8_t>(what.flags & flag::known), what.number};
    for (std::size_t code = 1; code < keys_end; ++code) {
        const auto which = static_cast<key>(code);
        if (!what.has(which)) continue;
        if (kind_of(which) == value_kind::text) {
            writer.set(which, what.text(which));
        } else {
            writer.set(which, what.integer(which));
        }
    }
    return writer.finish(what.body);
}

frame_writer::frame_writer(std::string& out, verb which, std::uint8_t flags, std::uint64_t number)
    : out_(out), start_(out.size()), head_{which, flags, 0, 0, number} {
    out_.append(frame_header_octets, '\0');
}

frame_writer& frame_writer::set(key which, std::string_view value) {
    if (value.size() > header_octets_max) {
        too_long_ = true;
        return *this;
    }
    append_field(out_, which, value);
    return *this;
}

frame_writer& frame_writer::set(key which, std::uint64_t value) {
    append_field(out_, which, value);
    return *this;
}

frame_writer& frame_writer::raw_fields(std::string_view fields) {
    out_.append(fields);
    return *this;
}

bool frame_writer::finish(std::string_view body) {
    const std::size_t header = out_.size() - start_;
    if (too_long_ || header > header_octets_max || body.size() > frame_octets_limit) {
        out_.resize(start_);
        return false;
    }
    head_.header_octets = static_cast<std::uint16_t>(header);
    head_.body_octets = static_cast<std::uint32_t>(body.size());
    write_frame_head(out_.data() + start_, head_);
    out_.append(body);
    return true;
}

}  // namespace mbus::mbws
