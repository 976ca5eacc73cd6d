// The octets of answers: status line, headers, framing of the body (RFC 9112).
//
// Thread-safety: pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/exchange.hpp"

namespace mbusd {

struct response_framing {
    std::optional<std::size_t> octets;  // Content-Length; absent: a stream
    bool chunked = false;               // of a stream
    bool keep_alive = true;
    long long date = 0;                 // seconds since 1970
};

// Everything up to the empty line. Line ends inside values become blanks.
[[nodiscard]] std::string response_head(const http_response& answer, const std::vector<header_field>& extra,
                                        const response_framing& framing);
[[nodiscard]] std::string switching_head(const std::vector<header_field>& headers);
void append_chunk(std::string& to, std::string_view text);

inline constexpr std::string_view last_chunk = "0\r\n\r\n";
inline constexpr std::string_view continue_head = "HTTP/1.1 100 Continue\r\n\r\n";

[[nodiscard]] std::string_view reason_phrase(int status) noexcept;

}  // namespace mbusd
