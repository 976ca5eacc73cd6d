// XMPP servers that are compared: mbusd and Prosody, each on a free port of loopback, with a directory of its own and
// the account `xmpp_user`.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>

namespace bench {

inline constexpr const char* xmpp_domain = "bus.example";
inline constexpr const char* xmpp_pubsub = "pubsub.bus.example";
inline constexpr const char* xmpp_user = "bench";
inline constexpr const char* xmpp_password = "correct horse";

class xmpp_server {
public:
    virtual ~xmpp_server() = default;
    xmpp_server(const xmpp_server&) = delete;
    xmpp_server& operator=(const xmpp_server&) = delete;

    [[nodiscard]] virtual pid_t id() const = 0;
    [[nodiscard]] virtual std::uint16_t port() const = 0;
    [[nodiscard]] virtual std::string path() const = 0;  // of the WebSocket

protected:
    xmpp_server() = default;
};

[[nodiscard]] std::unique_ptr<xmpp_server> start_mbusd_with_xmpp();
[[nodiscard]] std::unique_ptr<xmpp_server> start_prosody();  // throws not_available without it

}  // namespace bench
