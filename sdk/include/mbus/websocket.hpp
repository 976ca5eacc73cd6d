// Connections to a daemon on another host, over WebSocket (docs/mbws.md). Including this header and
// linking mbus::websocket (pkg-config mbus-websocket) makes URLs known to everything that connects:
//
//     auto connection = mbus::connect("wss://bus.example.org/mbws", {.token_file = "/etc/player/token"});
//
// It is a library of its own, since TLS needs OpenSSL, which libmbus does not.
//
//   * The URL: ws:// or wss://, host, port (80 and 443 if not given; mbusd listens at 8407), path
//     (/mbws if not given). $MBUS_SOCKET may hold one, too.
//   * wss: the certificate must be valid for the host of the URL and trusted by the system, or by
//     connect_options::ca_file.
//   * The session has a window of 256 and an expiry of 60 s unless you say otherwise: it resumes exactly
//     where it stopped, however often the connection breaks.
//   * Nothing blocks but the look-up of a host's name (getaddrinfo), at each attempt to connect. IP
//     addresses and localhost need none.
//
// Thread-safety: any.
#pragma once

#include <mbus/connection.hpp>
#include <mbus/export.hpp>

namespace mbus {

// Called by including this header. Returns true.
MBUS_API bool enable_websocket() noexcept;

namespace detail {
inline const bool websocket_enabled = enable_websocket();
}

}  // namespace mbus
