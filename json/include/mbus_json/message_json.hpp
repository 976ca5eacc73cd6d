// Messages as JSON, one object a line (docs/json.md):
//
//     {"v":1,"ts":"2026-11-20T21:14:24.123Z","if":"eth0","seq":7,"type":"R",
//      "src":{"app":"rat","id":"7-1@10.0.0.1"},"dst":{"media":"audio"},
//      "cmds":[{"name":"audio.gain","args":[80,2.5,"text",{"sym":"on"},{"data":"AAEC"},[1,2]]}]}
//
// Strings are strings, integers and floats are numbers, symbols {"sym":"on"}, data {"data":BASE64},
// lists arrays. A number with a point or an exponent is a float; floats are written digits.digits,
// never with an exponent. Integers beyond 2^53, which JavaScript would round, are {"int":"DIGITS"};
// numbers beyond 64 bits {"int":"DIGITS"} or {"float":"DIGITS"}. Every message round-trips exactly.
//
// Errors: errc::syntax with the offset where the text is no JSON; otherwise the text starts with
// the JSON pointer of the culprit, for instance "/cmds/0/args/2: expected ...".
//
// Thread-safety: plain values and pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <mbus/command.hpp>
#include <mbus/message.hpp>
#include <mbus/result.hpp>
#include <mbus/value.hpp>

namespace mbus::json {

inline constexpr int format_version = 1;  // the member "v"

// The text that is read at once. A datagram of 65507 octets needs at most six times as much (a
// control character becomes \u0001, the symbol `a` becomes {"sym":"a"}).
inline constexpr std::size_t text_octets_max = 1024 * 1024;

// What one line says. Every line has all members; what is not known is null.
struct message_record {
    std::optional<std::uint64_t> timestamp;  // "ts": ms since 1970, at most 13 digits
    std::string interface;                   // "if": where it was heard; empty: not known
    std::optional<std::uint32_t> sequence_number;
    message_type type = message_type::unreliable;
    std::optional<address> source;
    address destination;
    std::vector<command> commands;

    bool operator==(const message_record&) const = default;
};

// One line, without a line end and without any inside.
// Errors: bad_value as for append_value(), or a time stamp beyond 13 digits.
result<std::string> format_message(const message_record& what);

// Reads one object. Required: "dst" and "cmds"; "v", where present, must be 1. A member that nobody
// defined is an error, so that a typing mistake is never silently ignored.
result<message_record> parse_message(std::string_view text);

// One value or command. Appends nothing when it fails: bad_value for NaN and infinity, for text
// that is not UTF-8 or holds NUL or DEL, for a malformed symbol or wide number, for depth.
result<void> append_value(std::string& out, const value& what);
result<void> append_command(std::string& out, const command& what);
result<value> parse_value(std::string_view text);
result<command> parse_command(std::string_view text);

// {"app":"rat","id":"7-1@10.0.0.1"}
void append_address(std::string& out, const address& what);
result<address> parse_address(std::string_view text);

// A string with its quotes. Octets that are not UTF-8 become U+FFFD: for names and error texts.
void append_string(std::string& out, std::string_view text);

// digits.digits, shortest text that reads back exactly; "null" for NaN and infinity.
void append_number(std::string& out, double number);

// "2026-11-20T21:14:24.123Z" and back; a fraction is optional and cut after milliseconds.
inline constexpr std::uint64_t timestamp_max = 9'999'999'999'999;  // RFC 3259, section 3: 13 digits
std::string format_timestamp(std::uint64_t milliseconds_since_1970);
result<std::uint64_t> parse_timestamp(std::string_view text);

}  // namespace mbus::json
