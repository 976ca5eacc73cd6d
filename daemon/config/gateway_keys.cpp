// The keys of [gateway].
#include <arpa/inet.h>

#include <array>
#include <charconv>
#include <optional>
#include <string>

#include "config/key_parts.hpp"

namespace mbusd {
namespace {

using check_result = std::optional<std::string>;

constexpr std::uint64_t a_million = 1'000'000;
// sockaddr_un holds 108 octets, the final NUL included.
constexpr std::size_t socket_path_octets_max = 107;
// 64 MiB: the largest frame that limits.frame_octets allows.
constexpr std::uint64_t body_most = 64 * 1024 * 1024;
// One event must fit.
constexpr std::uint64_t output_least = 64 * 1024;
constexpr std::uint64_t output_most = 1024ULL * 1024 * 1024;
constexpr std::uint64_t idle_most = 24 * 3600;
constexpr std::array<std::string_view, 4> metrics_readers{"off", "loopback", "token", "open"};

bool is_number_up_to(std::string_view text, unsigned most) {
    unsigned value = 0;
    const auto [stopped, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
    return !text.empty() && fault == std::errc{} && stopped == text.data() + text.size() && value <= most;
}

// 4, 6, or 0 for what is no IP address.
int address_kind(std::string_view text) {
    std::array<unsigned char, 16> octets{};
    const std::string copy{text};
    if (::inet_pton(AF_INET, copy.c_str(), octets.data()) == 1) return 4;
    return ::inet_pton(AF_INET6, copy.c_str(), octets.data()) == 1 ? 6 : 0;
}

check_result check_listen(std::string_view value) {
    const auto colon = value.rfind(':');
    if (colon != std::string_view::npos && is_number_up_to(value.substr(colon + 1), 65535)) {
        const auto host = value.substr(0, colon);
        if (address_kind(host) == 4) return std::nullopt;
        if (host.size() > 2 && host.front() == '[' && host.back() == ']' && address_kind(host.substr(1, host.size() - 2)) == 6) {
            return std::nullopt;
        }
    }
    return "expected an IP address with port such as \"127.0.0.1:8407\" or \"[::1]:8407\"";
}

check_result check_path(std::string_view value) {
    if (value.empty() || value.front() == '/') return std::nullopt;
    return "expected a path that starts with '/'";
}

check_result check_socket_path(std::string_view value) {
    if (value.size() > socket_path_octets_max) {
        return "expected at most 107 octets, the limit of Unix sockets, got " + std::to_string(value.size());
    }
    return check_path(value);
}

check_result check_mode(std::string_view value) {
    unsigned bits = 0;
    const auto* end = value.data() + value.size();
    const auto [stopped, fault] = std::from_chars(value.data(), end, bits, 8);
    if (value.size() >= 3 && fault == std::errc{} && stopped == end && bits <= 0777) return std::nullopt;
    return "expected an octal file mode in quotes such as \"0660\"";
}

check_result check_host(std::string_view value) {
    if (!value.empty() && value.find_first_of("/@ ,?#") == std::string_view::npos) return std::nullopt;
    return "expected a host name such as \"bus.example.org\" or \"*.example.org\", without http:// and path";
}

check_result check_origin(std::string_view value) {
    if (value == "*" || value == "null") return std::nullopt;
    const auto mark = value.find("://");
    if (mark != std::string_view::npos && mark > 0) {
        const auto rest = value.substr(mark + 3);
        if (!rest.empty() && rest.find_first_of("/@ ,?#") == std::string_view::npos) return std::nullopt;
    }
    return "expected an origin such as \"https://app.example.org\", with scheme and without path, or \"*\"";
}

check_result check_proxy(std::string_view value) {
    if (value == "unix") return std::nullopt;
    const auto slash = value.find('/');
    const int kind = address_kind(value.substr(0, slash));
    if (kind != 0 && (slash == std::string_view::npos || is_number_up_to(value.substr(slash + 1), kind == 4 ? 32 : 128))) {
        return std::nullopt;
    }
    return "expected an IP address, a network such as \"10.0.0.0/8\", or \"unix\"";
}

check_result check_public_url(std::string_view value) {
    if (value.empty()) return std::nullopt;
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (value.starts_with(scheme) && value.size() > scheme.size() && value.find_first_of(" ?#\"<>") == std::string_view::npos) {
            return std::nullopt;
        }
    }
    return "expected a URL such as \"https://bus.example.org/mbus\"";
}

check_result check_prefix(std::string_view value) {
    if (value.empty()) return std::nullopt;
    if (value.front() == '/' && value.size() > 1 && value.back() != '/' && value.find_first_of(" ?#\"<>%") == std::string_view::npos) {
        return std::nullopt;
    }
    return "expected a path such as \"/mbus\", with '/' at the beginning and none at the end";
}

std::vector<key_info> socket_part() {
    return {
        {.name = "gateway.enabled",
         .slot = +[](settings& s) -> bool& { return s.gateway.enabled; },
         .range = "true or false",
         .help = "Opens the HTTP and WebSocket gateway: browsers, services and other daemons take part in the bus with a token, "
                 "which 'mbus client add NAME' makes. See docs/gateway.md."},
        {.name = "gateway.listen",
         .slot = +[](settings& s) -> std::vector<std::string>& { return s.gateway.listen; },
         .range = "addresses with port",
         .help = "Where the gateway listens without TLS. Beyond this host use gateway.tls_listen or a proxy: tokens travel in clear. "
                 "Port 0 takes a free one, which the log names. \"[::]:8407\" is IPv6 only; add \"0.0.0.0:8407\" for IPv4.",
         .check = check_listen},
        {.name = "gateway.unix",
         .slot = +[](settings& s) -> std::string& { return s.gateway.unix_path; },
         .range = "a path of at most 107 octets; empty: none",
         .help = "A Unix socket on which the gateway speaks HTTP, for a proxy on this host. It is another one than socket.path.",
         .check = check_socket_path},
        {.name = "gateway.unix_mode",
         .slot = +[](settings& s) -> std::string& { return s.gateway.unix_mode; },
         .range = "an octal file mode in quotes",
         .help = "File mode of that socket.",
         .check = check_mode},
        {.name = "gateway.tls_listen",
         .slot = +[](settings& s) -> std::vector<std::string>& { return s.gateway.tls_listen; },
         .range = "addresses with port",
         .help = "Where the gateway listens with TLS 1.2 or later; needs gateway.tls_certificate and gateway.tls_key.",
         .check = check_listen},
        {.name = "gateway.tls_certificate",
         .slot = +[](settings& s) -> std::string& { return s.gateway.tls_certificate; },
         .range = "a path; empty: none",
         .help = "The certificate and those that lead to its authority, in PEM form. Read anew when the file changes and at a reload; "
                 "while a new one is no good the old one stays, and the log says why.",
         .reloadable = true,
         .check = check_path},
        {.name = "gateway.tls_key",
         .slot = +[](settings& s) -> std::string& { return s.gateway.tls_key; },
         .range = "a path; empty: none",
         .help = "The private key of the certificate, in PEM form without passphrase. Only the daemon's user should be able to read it.",
         .reloadable = true,
         .check = check_path},
    };
}

std::vector<key_info> site_part() {
    return {
        {.name = "gateway.hosts",
         .slot = +[](settings& s) -> std::vector<std::string>& { return s.gateway.hosts; },
         .range = "host names, with or without port; \"*.example.org\" fits all names below it",
         .help = "Names under which the gateway may be called, besides localhost, the addresses of this machine and the name in "
                 "gateway.public_url. Requests for other names are answered with 403: this keeps foreign web pages from reaching the "
                 "gateway by a name of their own.",
         .reloadable = true,
         .check = check_host},
        {.name = "gateway.origins",
         .slot = +[](settings& s) -> std::vector<std::string>& { return s.gateway.origins; },
         .range = "origins; \"*\" allows all",
         .help = "Web pages from other hosts that may call the gateway, by their origin such as \"https://app.example.org\". Pages that "
                 "the gateway itself delivers always may.",
         .reloadable = true,
         .check = check_origin},
        {.name = "gateway.trusted_proxies",
         .slot = +[](settings& s) -> std::vector<std::string>& { return s.gateway.trusted_proxies; },
         .range = "addresses, networks, or \"unix\" for the Unix socket",
         .help = "Proxies whose X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host and X-Forwarded-Prefix are believed. From anybody "
                 "else these headers mean nothing.",
         .reloadable = true,
         .check = check_proxy},
        {.name = "gateway.public_url",
         .slot = +[](settings& s) -> std::string& { return s.gateway.public_url; },
         .range = "a URL; empty: as the client called us",
         .help = "Under which URL the gateway is reached from outside. Capability URLs begin with it.",
         .reloadable = true,
         .check = check_public_url},
        {.name = "gateway.prefix",
         .slot = +[](settings& s) -> std::string& { return s.gateway.prefix; },
         .range = "a path such as \"/mbus\"; empty: none",
         .help = "A path in front of all others, for a proxy that passes it on. Requests without it are answered too.",
         .reloadable = true,
         .check = check_prefix},
    };
}

std::vector<key_info> limit_part() {
    return {
        {.name = "gateway.connections",
         .slot = +[](settings& s) -> std::uint64_t& { return s.gateway.connections; },
         .range = "1 to 1000000",
         .help = "Open connections of all clients of the gateway together, WebSockets included; further ones get 503.",
         .reloadable = true,
         .least = 1,
         .most = a_million},
        {.name = "gateway.connections_per_address",
         .slot = +[](settings& s) -> std::uint64_t& { return s.gateway.connections_per_address; },
         .range = "1 to 1000000",
         .help = "Open connections of one IPv4 address or one IPv6 network of 64 bits. Trusted proxies and the Unix socket are not counted.",
         .reloadable = true,
         .least = 1,
         .most = a_million},
        {.name = "gateway.body_octets",
         .slot = +[](settings& s) -> std::uint64_t& { return s.gateway.body_octets; },
         .range = "1 to 67108864",
         .help = "The largest body of a request that the gateway takes on any path; a path may take less. Larger ones get 413.",
         .reloadable = true,
         .least = 1,
         .most = body_most},
        {.name = "gateway.output_octets",
         .slot = +[](settings& s) -> std::uint64_t& { return s.gateway.output_octets; },
         .range = "65536 to 1073741824",
         .help = "Octets that may wait for a client that reads /events too slowly; beyond it the connection is closed and counted, and "
                 "the client comes back by itself.",
         .reloadable = true,
         .least = output_least,
         .most = output_most},
        {.name = "gateway.metrics",
         .slot = +[](settings& s) -> std::string& { return s.gateway.metrics; },
         .range = "off, loopback, token or open",
         .help = "Who may read /metrics: nobody, programs of this host and whoever has a token, whoever has a token, everybody.",
         .reloadable = true,
         .choices = metrics_readers},
        {.name = "gateway.idle_seconds",
         .slot = +[](settings& s) -> std::uint64_t& { return s.gateway.idle_seconds; },
         .range = "1 to 86400",
         .help = "How long an HTTP connection may wait for its next request. WebSockets have pings of their own.",
         .reloadable = true,
         .least = 1,
         .most = idle_most},
    };
}

}  // namespace

std::vector<key_info> gateway_keys() {
    auto all = socket_part();
    for (const auto& part : {site_part(), limit_part()}) all.insert(all.end(), part.begin(), part.end());
    return all;
}

}  // namespace mbusd
