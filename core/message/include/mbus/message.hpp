// An Mbus message: one header line and a payload of commands (RFC 3259, sections 3 and 5).
//
// Thread-safety: plain values and pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <mbus/address.hpp>
#include <mbus/command.hpp>
#include <mbus/export.hpp>
#include <mbus/result.hpp>

namespace mbus {

// The most that UDP over IPv4 carries: 65535 - 20 - 8 (trap T1). Header, payload and MAC together.
inline constexpr std::size_t datagram_octets_max = 65507;
// Acknowledged numbers in one header; more than a sender can have outstanding within T_c.
inline constexpr std::size_t acknowledgements_max = 1024;

enum class message_type : char { reliable = 'R', unreliable = 'U' };

// RFC 3259, section 3.
struct header {
    std::uint32_t sequence_number = 0;
    std::uint64_t timestamp = 0;  // milliseconds since 1970-01-01 00:00:00 UTC, at most 13 digits
    message_type type = message_type::unreliable;
    address source;       // complete; has an `id` element
    address destination;  // any subset; "()" is everyone
    std::vector<std::uint32_t> acknowledgements;

    bool operator==(const header&) const = default;
};

struct message {
    mbus::header header;
    std::vector<command> commands;

    bool operator==(const message&) const = default;
};

// A header that was taken apart but not copied: views into the text that was read.
struct header_view {
    std::uint32_t sequence_number = 0;
    std::uint64_t timestamp = 0;
    message_type type = message_type::unreliable;
    std::string_view source;            // with parentheses; not yet checked inside
    std::string_view destination;       // likewise
    std::string_view acknowledgements;  // likewise
    std::size_t payload_offset = 0;     // after the header's line end, or the end of the text
};

// Takes a header line apart without allocating. Errors: errc::syntax, errc::bad_version. Addresses
// and acknowledgements are checked when they are read: address::parse, parse_acknowledgements.
MBUS_API result<header_view> scan_header(std::string_view text, dialect reading = dialect::rfc);

// Reads the AckList of a header_view, appending to `out`.
MBUS_API result<void> parse_acknowledgements(std::string_view list, std::vector<std::uint32_t>& out);

// A header and where its payload begins.
struct parsed_header {
    mbus::header header;
    std::size_t payload_offset = 0;  // after the header's line end, or the end of the text
};

// Reads the header line. Errors: errc::syntax, errc::bad_version (a protocol other than mbus/1.0),
// errc::bad_address, each with its offset. `legacy` also takes the message types `r` and `u`.
MBUS_API result<parsed_header> parse_header(std::string_view text, dialect reading = dialect::rfc);

// Reads header and all commands; one error anywhere refuses the whole (trap S13).
MBUS_API result<message> parse_message(std::string_view text, dialect reading = dialect::rfc);

// Appends the header line with its line end.
MBUS_API void append_header(std::string& out, const header& what, dialect writing = dialect::rfc);

// The whole message, every line ended. Errors: as append_command; too_large above datagram_octets_max.
MBUS_API result<std::string> format_message(const message& what, dialect writing = dialect::rfc);

}  // namespace mbus
