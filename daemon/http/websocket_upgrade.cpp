#include "http/websocket_upgrade.hpp"

#include <string>

#include "websocket/handshake.hpp"
#include "websocket/header_list.hpp"

namespace mbusd {
namespace {

constexpr std::string_view websocket_version = "13";

std::string sentence(std::string_view begin, const websocket_offer& offer) {
    return std::string{begin} + std::string{offer.subprotocol} + "; " + std::string{offer.about};
}

}  // namespace

bool fit_for_websocket(exchange& call, const websocket_offer& offer) {
    const auto& request = call.request();
    if (!request.header_lists("Connection", "upgrade") || !request.header_lists("Upgrade", "websocket")) {
        call.respond(call.problem(426, "bad-frame", sentence("this is a WebSocket for the subprotocol ", offer))
                         .with("Upgrade", "websocket"));
        return false;
    }
    if (request.header("Sec-WebSocket-Version") != websocket_version) {
        call.respond(call.problem(426, "bad-version", "this server speaks version 13 of WebSocket (RFC 6455)")
                         .with("Sec-WebSocket-Version", std::string{websocket_version})
                         .with("Upgrade", "websocket"));
        return false;
    }
    if (!mbus::websocket::is_client_key(request.header("Sec-WebSocket-Key"))) {
        call.refuse(400, "bad-frame", "Sec-WebSocket-Key must be 16 octets in Base64 (RFC 6455, section 4.1)");
        return false;
    }
    if (!mbus::websocket::list_has(request.header("Sec-WebSocket-Protocol"), offer.subprotocol,
                                   mbus::websocket::letters::exact)) {
        call.refuse(400, "bad-frame",
                    "offer the subprotocol: 'Sec-WebSocket-Protocol: " + std::string{offer.subprotocol} + "' is missing");
        return false;
    }
    return true;
}

std::vector<header_field> websocket_answer(const http_request& request, std::string_view subprotocol) {
    return {{"Upgrade", "websocket"},
            {"Sec-WebSocket-Accept", mbus::websocket::accept_key(request.header("Sec-WebSocket-Key"))},
            {"Sec-WebSocket-Protocol", std::string{subprotocol}}};
}

}  // namespace mbusd
