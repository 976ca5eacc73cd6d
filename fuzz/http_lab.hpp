// The daemon's HTTP side in memory: one connection whose octets the target sends and reads, and every path that
// the daemon has.
//
//     http_lab lab{{.encrypted = true}};
//     lab.send("GET /atom/ HTTP/1.1\r\nHost: localhost\r\n\r\n");
//     check(lab.line->outgoing);
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include <boost/asio/io_context.hpp>

#include "daemon_lab.hpp"
#include "gateways/atom/atom_gateway.hpp"
#include "gateways/capability/capability_paths.hpp"
#include "gateways/mbws/mbws_gateway.hpp"
#include "gateways/metrics/metrics_paths.hpp"
#include "gateways/publish/publish_gateway.hpp"
#include "gateways/xmpp/xmpp_gateway.hpp"
#include "http/http_connection.hpp"
#include "wire.hpp"

namespace fuzz {

// What the first octet of an input chooses.
struct http_choices {
    bool remote = false;     // not from this host
    bool encrypted = false;
    bool proxied = false;    // through a proxy that is trusted
    bool local = false;      // over the Unix socket
    bool prefixed = false;   // gateway.prefix
    bool narrow = false;     // small limits
    bool slow = false;       // the client's socket takes a few octets at a time
    bool strict = false;     // nothing without credentials

    static http_choices from(std::uint8_t octet) noexcept;
};

class http_lab {
public:
    explicit http_lab(const http_choices& how);
    ~http_lab();
    http_lab(const http_lab&) = delete;
    http_lab& operator=(const http_lab&) = delete;

    // Until nothing is left to do.
    void settle();
    void send(std::string_view text);
    void pass(std::chrono::milliseconds time);
    // Its deadline has passed.
    void late();
    // The daemon stops.
    void wind_up();

    // Of the capability URL that the player has granted.
    [[nodiscard]] const std::string& token() const noexcept { return token_; }
    // The connection has not left HTTP.
    [[nodiscard]] bool serving() const noexcept { return !connections_.empty(); }

    daemon_lab daemon;
    std::shared_ptr<wire> line = std::make_shared<wire>();

private:
    void grant();

    boost::asio::io_context context_{1};
    mbusd::path_table paths_;
    mbusd::capability_authority authority_;
    mbusd::capability_gateway capabilities_;
    mbusd::publish_gateway publishing_;
    mbusd::metrics_gateway figures_;
    mbusd::atom_gateway atom_;
    mbusd::mbws_gateway mbws_;
    mbusd::xmpp_gateway xmpp_;
    domain_services services_;
    mbusd::http_environment environment_;
    std::unordered_map<std::uint64_t, std::shared_ptr<mbusd::http_connection>> connections_;
    std::string token_;
};

}  // namespace fuzz
