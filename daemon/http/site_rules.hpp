// Under which names the gateway answers, and what it believes of proxies: Host, Origin and
// X-Forwarded-*.
//
//     site_rules rules{{.hosts = {"bus.example.org"}, .trusted_proxies = {"10.0.0.0/8"}}};   // throws
//     auto seen = rules.look(peer, request);        // client address, host, base URL
//     if (!rules.host_allowed(seen)) refuse(403);
//
// Thread-safety: none; values only.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/client_address.hpp"
#include "http/exchange.hpp"

namespace mbusd {

// How a connection came in. No address: the Unix socket.
struct connection_origin {
    std::optional<client_address> address;
    bool encrypted = false;
};

struct site_options {
    std::vector<std::string> hosts{};            // names, "*.example.org", with or without port
    std::vector<std::string> origins{};          // "https://app.example.org", or "*" for all
    std::vector<std::string> trusted_proxies{};  // addresses, prefixes, or "unix" for the Unix socket
    std::string public_url{};                    // "https://bus.example.org/mbus"; empty: worked out
    std::string prefix{};                        // "/mbus"; empty: none
};

// A request as its client meant it, after proxies that we trust.
struct seen_request {
    std::string client;   // address, or "unix"
    std::optional<client_address> address;
    std::string host;     // "bus.example.org:8443", lower case
    std::string base_url;
    std::string path;     // still encoded, without gateway.prefix
    bool secure = false;
};

class site_rules {
public:
    explicit site_rules(site_options options);  // throws std::runtime_error that names the setting

    // `path`: as it came, without query.
    [[nodiscard]] seen_request look(const connection_origin& from, const http_request& request, std::string_view path) const;
    [[nodiscard]] bool trusts(const connection_origin& from) const noexcept;

    // A loopback name, an address of this machine, or a configured name.
    [[nodiscard]] bool host_allowed(const seen_request& seen) const;

    enum class origin_kind { own, configured, foreign };
    // `origin` is the header's value.
    [[nodiscard]] origin_kind judge_origin(const seen_request& seen, std::string_view origin) const;

private:
    void add_forwarded(seen_request& seen, const http_request& request) const;
    [[nodiscard]] bool trusted(const client_address& address) const noexcept;

    site_options options_;
    std::vector<address_prefix> proxies_;
    std::string public_host_;
    bool unix_trusted_ = false;
    bool all_origins_ = false;
};

}  // namespace mbusd
