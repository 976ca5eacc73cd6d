#include "url.hpp"

#include <charconv>

#include "websocket/header_list.hpp"

namespace mbus::detail {
namespace {

constexpr std::uint16_t http_port = 80;
constexpr std::uint16_t https_port = 443;
constexpr std::size_t host_octets_max = 253;  // RFC 1035 s2.3.4
constexpr std::string_view default_target = "/mbws";

error bad_url(std::string_view text, std::string_view why) {
    return {errc::bad_argument, "the URL " + std::string{text} + " " + std::string{why} +
                                    "; write for instance wss://bus.example.org/mbws or ws://localhost:8407/mbws"};
}

bool has_blank_or_control(std::string_view text) {
    for (const char each : text) {
        const auto octet = static_cast<unsigned char>(each);
        if (octet <= 0x20 || octet >= 0x7F) return true;
    }
    return false;
}

std::string bracketed(const std::string& host) {
    return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

}  // namespace

result<websocket_url> websocket_url::parse(std::string_view text) {
    const auto scheme_end = text.find("://");
    const auto scheme = text.substr(0, scheme_end);
    websocket_url out;
    out.encrypted = websocket::same_letters(scheme, "wss");
    if (scheme_end == std::string_view::npos || (!out.encrypted && !websocket::same_letters(scheme, "ws"))) {
        return bad_url(text, "begins with neither ws:// nor wss://");
    }
    const auto rest = text.substr(scheme_end + 3);
    const auto authority = rest.substr(0, rest.find_first_of("/?#"));
    const auto target = rest.substr(authority.size());
    // A credential in a URL ends in logs and process lists; this text is not repeated for that reason.
    if (authority.find('@') != std::string_view::npos) {
        return error{errc::bad_argument, "a URL has no room for credentials; use connect_options::token_file"};
    }
    if (has_blank_or_control(rest)) return bad_url("of the daemon", "has blanks or characters beyond ASCII");
    if (target.find('#') != std::string_view::npos) return bad_url(text, "has a fragment");

    auto host = authority;
    std::string_view port;
    if (host.starts_with('[')) {
        const auto end = host.find(']');
        if (end == std::string_view::npos) return bad_url(text, "has a [ without ]");
        port = host.substr(end + 1);
        host = host.substr(1, end - 1);
        if (!port.empty() && !port.starts_with(':')) return bad_url(text, "has something between ] and the port");
    } else if (const auto colon = host.find(':'); colon != std::string_view::npos) {
        port = host.substr(colon);
        host = host.substr(0, colon);
    }
    if (host.empty() || host.size() > host_octets_max) return bad_url(text, "has no host");
    out.host = host;
    out.port = out.encrypted ? https_port : http_port;
    if (port.size() > 1) {
        port.remove_prefix(1);
        const auto read = std::from_chars(port.data(), port.data() + port.size(), out.port);
        if (read.ec != std::errc{} || read.ptr != port.data() + port.size() || out.port == 0) {
            return bad_url(text, "has a port that is none");
        }
    }
    if (target.empty()) out.target = default_target;
    else out.target = target.starts_with('/') ? std::string{target} : std::string{default_target} + std::string{target};
    return out;
}

std::string websocket_url::authority() const {
    const bool own_port = port == (encrypted ? https_port : http_port);
    return own_port ? bracketed(host) : host_and_port();
}

std::string websocket_url::host_and_port() const { return bracketed(host) + ":" + std::to_string(port); }

}  // namespace mbus::detail
