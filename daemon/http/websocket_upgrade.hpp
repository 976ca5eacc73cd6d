// The server's side of the opening handshake of a WebSocket (RFC 6455, section 4.2), for every path
// that has one.
//
//     if (!fit_for_websocket(*call, {.subprotocol = "mbws", .about = "see docs/mbws.md, section 7"})) return;  // refused
//     auto [stream, leftover] = call->upgrade(websocket_answer(call->request(), "mbws"));
//
// Thread-safety: that of the exchange.
#pragma once

#include <string_view>
#include <vector>

#include "http/exchange.hpp"

namespace mbusd {

struct websocket_offer {
    std::string_view subprotocol;
    std::string_view about;  // where one reads more, for the refusals
};

// False: the request is none that begins a WebSocket of this subprotocol, and was answered with 400 or
// 426, which name what is missing.
bool fit_for_websocket(exchange& call, const websocket_offer& offer);

// The headers of the 101: the key's answer and the one chosen subprotocol.
[[nodiscard]] std::vector<header_field> websocket_answer(const http_request& request, std::string_view subprotocol);

}  // namespace mbusd
