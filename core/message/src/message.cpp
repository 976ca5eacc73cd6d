#include <mbus/message.hpp>

#include <algorithm>
#include <charconv>
#include <limits>

#include "message/text.hpp"

namespace mbus {
namespace {

using text::has;

constexpr std::string_view protocol_id = "mbus/1.0";
constexpr std::size_t sequence_digits_max = 10;
constexpr std::size_t timestamp_digits_max = 13;

// Reads one header line; the first failure stays.
class header_reader {
public:
    header_reader(std::string_view text, dialect reading) noexcept : text_(text), reading_(reading) {}

    result<header_view> read() {
        header_view out;
        if (!text_.starts_with(protocol_id) || (text_.size() > 8 && !has(text_[8], text::is_blank))) {
            if (text_.starts_with("mbus/")) return {errc::bad_version, "expected mbus/1.0"};
            return failure("'mbus/1.0'", 0);
        }
        at_ = protocol_id.size();
        std::uint64_t sequence_number = 0;
        const bool good = blanks() && number(sequence_digits_max, sequence_number) && sequence(sequence_number) &&
                          blanks() && number(timestamp_digits_max, out.timestamp) && blanks() && type(out.type) &&
                          blanks() && parenthesised(out.source) && blanks() && parenthesised(out.destination) &&
                          blanks() && parenthesised(out.acknowledgements) && line_end();
        if (!good) return failure(expected_, at_);
        out.sequence_number = static_cast<std::uint32_t>(sequence_number);
        out.payload_offset = at_;
        return out;
    }

private:
    static error failure(const char* expected, std::size_t at) {
        return {errc::syntax, std::string{"expected "} + expected, at};
    }
    bool fail(const char* expected) noexcept {
        expected_ = expected;
        return false;
    }
    bool skip_blanks() noexcept {
        const auto from = at_;
        while (at_ < text_.size() && has(text_[at_], text::is_blank)) ++at_;
        return at_ != from;
    }
    bool blanks() noexcept {
        if (at_ + 1 < text_.size() && text_[at_] == ' ' && !has(text_[at_ + 1], text::is_blank)) {
            ++at_;  // one blank: what nearly everybody sends
            return true;
        }
        return skip_blanks() || fail("a blank between header fields");
    }

    bool number(std::size_t digits_max, std::uint64_t& out) noexcept {
        const char* const from = text_.data() + at_;
        const char* const end = from + std::min(text_.size() - at_, digits_max + 1);
        const char* at = from;
        std::uint64_t number = 0;
        for (; at != end; ++at) {
            const auto digit = static_cast<unsigned char>(*at - '0');
            if (digit > 9) break;
            number = number * 10 + digit;
        }
        const auto digits = static_cast<std::size_t>(at - from);
        if (digits == 0) return fail("a number");
        if (digits > digits_max) return fail("fewer digits");
        out = number;
        at_ += digits;
        return true;
    }
    bool sequence(std::uint64_t number) noexcept {
        return number <= std::numeric_limits<std::uint32_t>::max() || fail("a number up to 4294967295");
    }
    bool type(message_type& out) noexcept {
        const char octet = at_ < text_.size() ? text_[at_] : '\0';
        const bool lower = reading_ == dialect::legacy;
        if (octet == 'R' || (lower && octet == 'r')) out = message_type::reliable;
        else if (octet == 'U' || (lower && octet == 'u')) out = message_type::unreliable;
        else return fail("R or U");
        ++at_;
        return true;
    }
    bool parenthesised(std::string_view& out) noexcept {
        if (at_ >= text_.size() || text_[at_] != '(') return fail("'('");
        const auto close = text_.find(')', at_);
        if (close == std::string_view::npos) return fail("'(' and a ')' behind it");
        out = text_.substr(at_, close + 1 - at_);
        at_ = close + 1;
        return true;
    }
    bool line_end() noexcept {
        skip_blanks();
        if (at_ == text_.size()) return true;
        if (text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n') ++at_;
        if (text_[at_] != '\n') return fail("a line end after the header");
        ++at_;
        return true;
    }

    std::string_view text_;
    dialect reading_;
    std::size_t at_ = 0;
    const char* expected_ = "";
};

std::size_t offset_in(std::string_view whole, std::string_view part) noexcept {
    return static_cast<std::size_t>(part.data() - whole.data());
}

}  // namespace

result<header_view> scan_header(std::string_view text, dialect reading) {
    return header_reader{text, reading}.read();
}

result<void> parse_acknowledgements(std::string_view list, std::vector<std::uint32_t>& out) {
    if (list == "()") return {};  // most messages acknowledge nothing
    std::size_t at = 1;
    const auto failure = [&at](const char* expected) {
        return error{errc::syntax, std::string{"expected "} + expected, at};
    };
    for (;;) {
        const auto blanks_from = at;
        while (has(list[at], text::is_blank)) ++at;
        if (list[at] == ')') return {};
        if (at == blanks_from && at != 1) return failure("a blank between acknowledged numbers");
        std::uint64_t number = 0;
        std::size_t digits = 0;
        for (; has(list[at], text::is_digit) && digits <= sequence_digits_max; ++at, ++digits)
            number = number * 10 + static_cast<std::uint64_t>(list[at] - '0');
        if (digits == 0) return failure("an acknowledged number");
        if (digits > sequence_digits_max || number > std::numeric_limits<std::uint32_t>::max())
            return failure("a number up to 4294967295");
        if (out.size() == acknowledgements_max) return failure("at most 1024 acknowledged numbers");
        out.push_back(static_cast<std::uint32_t>(number));
    }
}

namespace {

// Fills `out`; the offset of the payload, or what is wrong.
result<std::size_t> read_header(std::string_view text, dialect reading, header& out) {
    auto scanned = scan_header(text, reading);
    if (!scanned) return std::move(scanned).error();
    const auto located = [text](error failure, std::string_view part) {
        failure.offset += offset_in(text, part);
        return failure;
    };
    out.sequence_number = scanned->sequence_number;
    out.timestamp = scanned->timestamp;
    out.type = scanned->type;
    auto source = address::parse(scanned->source);
    if (!source) return located(std::move(source).error(), scanned->source);
    out.source = std::move(*source);
    auto destination = address::parse(scanned->destination);
    if (!destination) return located(std::move(destination).error(), scanned->destination);
    out.destination = std::move(*destination);
    if (auto acks = parse_acknowledgements(scanned->acknowledgements, out.acknowledgements); !acks)
        return located(std::move(acks).error(), scanned->acknowledgements);
    return scanned->payload_offset;
}

}  // namespace

result<parsed_header> parse_header(std::string_view text, dialect reading) {
    parsed_header out;
    auto payload = read_header(text, reading, out.header);
    if (!payload) return std::move(payload).error();
    out.payload_offset = *payload;
    return out;
}

result<message> parse_message(std::string_view text, dialect reading) {
    message out;
    const auto payload = read_header(text, reading, out.header);
    if (!payload) return payload.error();
    auto commands = parse_commands(text.substr(*payload), reading);
    if (!commands) {
        commands.error().offset += *payload;
        return std::move(commands).error();
    }
    out.commands = std::move(*commands);
    return out;
}

void append_header(std::string& out, const header& what, dialect writing) {
    constexpr std::size_t number_octets_max = 21;  // 20 digits and a blank
    constexpr std::size_t fixed_octets = protocol_id.size() + 16;
    const auto source = what.source.text();
    const auto destination = what.destination.text();
    const auto before = out.size();
    // Written in place: one growth instead of a dozen appends.
    out.resize(before + fixed_octets + source.size() + destination.size() +
               number_octets_max * (2 + what.acknowledgements.size()));
    char* at = out.data() + before;
    const auto put = [&at](std::string_view text) { at += text.copy(at, text.size()); };
    const auto put_number = [&at](std::uint64_t number) { at = std::to_chars(at, at + number_octets_max, number).ptr; };
    put(protocol_id);
    *at++ = ' ';
    put_number(what.sequence_number);
    *at++ = ' ';
    put_number(what.timestamp);
    *at++ = ' ';
    *at++ = static_cast<char>(what.type);
    *at++ = ' ';
    put(source);
    *at++ = ' ';
    put(destination);
    *at++ = ' ';
    *at++ = '(';
    bool first = true;
    for (const auto number : what.acknowledgements) {
        if (!first) *at++ = ' ';
        first = false;
        put_number(number);
    }
    if (writing == dialect::legacy && !first) *at++ = ' ';  // libgmbus drops "(7)"
    put(writing == dialect::legacy ? ")\n" : ")\r\n");
    out.resize(static_cast<std::size_t>(at - out.data()));
}

result<std::string> format_message(const message& what, dialect writing) {
    std::string out;
    out.reserve(256);
    append_header(out, what.header, writing);
    for (const auto& each : what.commands) {
        if (auto written = append_command(out, each, writing); !written) return std::move(written).error();
        out.append(writing == dialect::legacy ? "\n" : "\r\n");
    }
    if (out.size() > datagram_octets_max)
        return {errc::too_large, "the message has " + std::to_string(out.size()) + " octets, the limit is " +
                                     std::to_string(datagram_octets_max)};
    return out;
}

}  // namespace mbus
