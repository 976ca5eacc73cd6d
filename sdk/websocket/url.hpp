// A ws:// or wss:// URL (RFC 6455, section 3), taken apart.
//
//     auto where = websocket_url::parse("wss://bus.example.org/mbws");
//     where->host; where->port; where->target; where->authority();
//
// Thread-safety: plain value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <mbus/result.hpp>

namespace mbus::detail {

struct websocket_url {
    bool encrypted = false;
    std::string host{};    // a name, or an address without brackets
    std::uint16_t port = 0;
    std::string target{};  // path and query; "/mbws" when the URL has none

    // Errors: bad_argument, with what to write instead.
    static result<websocket_url> parse(std::string_view text);

    // For the header field Host: the port stands there unless it is the scheme's own.
    [[nodiscard]] std::string authority() const;
    // For sentences: "bus.example.org:443".
    [[nodiscard]] std::string host_and_port() const;
    bool operator==(const websocket_url&) const = default;
};

}  // namespace mbus::detail
