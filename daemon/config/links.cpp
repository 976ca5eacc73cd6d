#include "config/links.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace mbusd {
namespace {

constexpr std::size_t name_octets_max = 64;  // as names of tokens
constexpr std::uint16_t http_port = 80;
constexpr std::uint16_t https_port = 443;
constexpr std::string_view default_path = "/mbws";

constexpr std::array<link_key_info, 7> link_key_list{{
    {"name", "a text of letters, digits, '-', '_' and '.', required",
     "What the link is called in logs and `mbus link ls`. Without `url`: the name of the token with which the other "
     "daemon calls."},
    {"url", "a text, ws://HOST[:PORT][/PATH] or wss://HOST[:PORT][/PATH]",
     "The daemon to call; the path is /mbws when there is none. wss:// is encrypted and verifies the other daemon. "
     "Without it, this entry says what holds for the daemon that calls with the token `name`."},
    {"token_file", "a text, a file",
     "Holds the token that `mbus client add NAME --link` printed on the other daemon's host. Only the user that mbusd "
     "runs as may read it (mode 0600). Required with `url`."},
    {"ca_file", "a text, a file",
     "The authorities (PEM) that the other daemon's certificate is verified by; without it those of the system."},
    {"send", "a list of addresses",
     "Entities of this bus and host that take part over there: those that contain one of these addresses. Default: "
     "`[\"()\"]`, all."},
    {"receive", "a list of addresses",
     "Entities over there that take part here: those that contain one of these addresses. Default: `[\"()\"]`, all."},
    {"transit", "true or false",
     "Whether entities that were learnt over other links take part over there, too. Default: false."},
}};

}  // namespace

std::span<const link_key_info> link_keys() { return link_key_list; }

std::string link_url::authority() const {
    std::string out = host.find(':') == std::string::npos ? host : '[' + host + ']';
    if (port != (encrypted ? https_port : http_port)) out += ':' + std::to_string(port);
    return out;
}

std::optional<link_url> parse_link_url(std::string_view text) {
    link_url out;
    if (text.starts_with("wss://")) {
        out.encrypted = true;
        text.remove_prefix(6);
    } else if (text.starts_with("ws://")) {
        text.remove_prefix(5);
    } else {
        return std::nullopt;
    }
    const auto printable = [](char c) { return c > 0x20 && c < 0x7F && c != '@' && c != '#' && c != '\\'; };
    if (!std::ranges::all_of(text, printable)) return std::nullopt;
    const auto slash = std::min(text.find('/'), text.size());
    out.path = slash == text.size() || text.substr(slash) == "/" ? default_path : text.substr(slash);
    auto place = text.substr(0, slash);
    auto port = std::string_view{};
    if (place.starts_with('[')) {
        const auto end = place.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        out.host = place.substr(1, end - 1);
        port = place.substr(end + 1);
    } else {
        const auto colon = std::min(place.find(':'), place.size());
        out.host = place.substr(0, colon);
        port = place.substr(colon);
    }
    if (out.host.empty() || out.host.find('?') != std::string::npos) return std::nullopt;
    out.port = out.encrypted ? https_port : http_port;
    if (port.empty()) return out;
    const auto [end, fault] = std::from_chars(port.data() + 1, port.data() + port.size(), out.port);
    if (port.front() != ':' || fault != std::errc{} || end != port.data() + port.size() || out.port == 0) return std::nullopt;
    return out;
}

std::optional<std::string> fault_of(const link_rule& rule) {
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    };
    if (rule.name.empty()) return "a [[link]] entry needs a name: add name = \"site-b\"";
    if (rule.name.size() > name_octets_max || !std::ranges::all_of(rule.name, fits)) {
        return "name of [[link]] must be 1 to 64 letters, digits, '-', '_' and '.', not '" + rule.name + "'";
    }
    if (!rule.calls()) {
        if (rule.token_file.empty() && rule.ca_file.empty()) return std::nullopt;
        return "link " + rule.name + " has a token_file or ca_file and calls nobody: add url = \"wss://HOST:8443\"";
    }
    if (!parse_link_url(rule.url)) {
        return "url of link " + rule.name + " must be ws://HOST[:PORT][/PATH] or wss://HOST[:PORT][/PATH], not '" + rule.url + "'";
    }
    if (rule.token_file.empty()) {
        return "link " + rule.name + " needs a token_file: run 'mbus client add NAME --link' on the other host, and write "
               "the token into a file that only mbusd may read";
    }
    return std::nullopt;
}

}  // namespace mbusd
