#include "http/site_rules.hpp"

#include <algorithm>
#include <stdexcept>

#include "http/field_text.hpp"

namespace mbusd {
namespace {

struct authority {
    std::string_view name;  // with the brackets of an IPv6 address
    std::string_view port;
};

authority split_authority(std::string_view text) {
    const auto bracket = text.rfind(']');
    const auto colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
    if (colon == std::string_view::npos) return {text, {}};
    return {text.substr(0, colon), text.substr(colon + 1)};
}

struct origin_parts {
    std::string_view scheme;
    authority where;
};

origin_parts split_origin(std::string_view origin) {
    const auto mark = origin.find("://");
    if (mark == std::string_view::npos) return {};
    return {origin.substr(0, mark), split_authority(origin.substr(mark + 3))};
}

std::string_view default_port(std::string_view scheme) noexcept { return http::same_word(scheme, "https") ? "443" : "80"; }

bool same_authority(authority a, authority b, std::string_view scheme) {
    const auto fallback = default_port(scheme);
    return http::same_word(a.name, b.name) && (a.port.empty() ? fallback : a.port) == (b.port.empty() ? fallback : b.port);
}

// "*.example.org" fits names below it; an entry without port fits every port.
bool host_fits(std::string_view entry, std::string_view host) {
    const auto wanted = split_authority(entry);
    const auto given = split_authority(host);
    if (!wanted.port.empty() && wanted.port != given.port) return false;
    if (wanted.name == "*") return true;
    if (!wanted.name.starts_with("*.")) return http::same_word(wanted.name, given.name);
    const auto tail = wanted.name.substr(1);
    return given.name.size() > tail.size() && http::same_word(given.name.substr(given.name.size() - tail.size()), tail);
}

bool loopback_name(std::string_view name) {
    if (name.ends_with('.')) name.remove_suffix(1);
    return http::same_word(name, "localhost") ||
           (name.size() > 10 && http::same_word(name.substr(name.size() - 10), ".localhost"));
}

// A host as it may stand in a URL that we hand out.
bool plausible_host(std::string_view text) {
    return !text.empty() && text.size() <= 261 && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view{"-._:[]"}.find(c) != std::string_view::npos;
    });
}

// A path prefix as a proxy names it; anything else is not believed.
bool plausible_prefix(std::string_view text) {
    return !text.empty() && text.size() <= 256 && text.front() == '/' && !text.starts_with("//") &&
           std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f && c != '"' && c != '<' && c != '>' && c != '?' && c != '#'; });
}

std::string_view first_item(std::string_view list) { return http::trimmed(list.substr(0, list.find(','))); }

std::string_view without_final_slash(std::string_view text) {
    while (text.ends_with('/')) text.remove_suffix(1);
    return text;
}

// An element of X-Forwarded-For: some proxies add the port.
std::optional<client_address> forwarded_address(std::string_view text) {
    if (auto out = client_address::parse(text)) return out;
    const auto parts = split_authority(text);
    return parts.port.empty() ? std::nullopt : client_address::parse(parts.name);
}

}  // namespace

site_rules::site_rules(site_options options) : options_(std::move(options)) {
    for (const auto& each : options_.trusted_proxies) {
        if (each == "unix") {
            unix_trusted_ = true;
            continue;
        }
        const auto parsed = address_prefix::parse(each);
        if (!parsed) throw std::runtime_error("gateway.trusted_proxies: '" + each + "' is no address, prefix or \"unix\"");
        proxies_.push_back(*parsed);
    }
    all_origins_ = std::ranges::find(options_.origins, "*") != options_.origins.end();
    options_.prefix = without_final_slash(options_.prefix);
    options_.public_url = without_final_slash(options_.public_url);
    const auto mark = options_.public_url.find("://");
    if (mark != std::string::npos) {
        const auto rest = std::string_view{options_.public_url}.substr(mark + 3);
        public_host_ = http::lowered(rest.substr(0, rest.find('/')));
    }
}

bool site_rules::trusted(const client_address& address) const noexcept {
    return std::ranges::any_of(proxies_, [&](const auto& each) { return each.contains(address); });
}

bool site_rules::trusts(const connection_origin& from) const noexcept {
    return from.address ? trusted(*from.address) : unix_trusted_;
}

void site_rules::add_forwarded(seen_request& seen, const http_request& request) const {
    // From right to left: each trusted proxy says who came to it (docs/gateway.md, "Behind a proxy").
    const auto chain = request.header("X-Forwarded-For");
    for (auto rest = std::string_view{chain}; !rest.empty();) {
        const auto comma = rest.rfind(',');
        const auto item = http::trimmed(comma == std::string_view::npos ? rest : rest.substr(comma + 1));
        const auto address = forwarded_address(item);
        if (!address) break;
        seen.address = address;
        if (comma == std::string_view::npos || !trusted(*address)) break;
        rest = rest.substr(0, comma);
    }
    const auto proto = request.header("X-Forwarded-Proto");
    if (!proto.empty()) {
        const auto scheme = first_item(proto);
        seen.secure = http::same_word(scheme, "https") || http::same_word(scheme, "wss");
    }
    const auto forwarded_host = request.header("X-Forwarded-Host");
    const auto host = first_item(forwarded_host);
    if (plausible_host(host)) seen.host = http::lowered(host);
}

seen_request site_rules::look(const connection_origin& from, const http_request& request, std::string_view path) const {
    seen_request out;
    out.address = from.address;
    out.secure = from.encrypted;
    out.host = http::lowered(request.header("Host"));
    const bool proxied = trusts(from);
    if (proxied) add_forwarded(out, request);
    out.client = out.address ? out.address->text() : "unix";

    std::string prefix;
    out.path = path;
    const std::string_view own = options_.prefix;
    if (!own.empty() && path.starts_with(own) && (path.size() == own.size() || path[own.size()] == '/')) {
        out.path = path.size() == own.size() ? "/" : path.substr(own.size());
        prefix = own;
    }
    if (proxied) {
        const auto told = request.header("X-Forwarded-Prefix");
        const auto item = first_item(told);
        if (plausible_prefix(item)) prefix = without_final_slash(item);
        if (prefix.empty()) prefix = own;
    }
    const auto& host = out.host.empty() ? std::string{"localhost"} : out.host;
    out.base_url = options_.public_url.empty() ? (out.secure ? "https://" : "http://") + host + prefix : options_.public_url;
    return out;
}

bool site_rules::host_allowed(const seen_request& seen) const {
    if (!plausible_host(seen.host)) return false;
    const auto name = split_authority(seen.host).name;
    if (loopback_name(name)) return true;
    if (!public_host_.empty() && host_fits(public_host_, seen.host)) return true;
    if (std::ranges::any_of(options_.hosts, [&](const auto& each) { return host_fits(each, seen.host); })) return true;
    const auto address = client_address::parse(name);
    return address && is_local_address(*address);
}

site_rules::origin_kind site_rules::judge_origin(const seen_request& seen, std::string_view origin) const {
    const auto parts = split_origin(origin);
    const bool web = http::same_word(parts.scheme, "http") || http::same_word(parts.scheme, "https");
    if (web && same_authority(parts.where, split_authority(seen.host), parts.scheme)) return origin_kind::own;
    if (all_origins_) return origin_kind::configured;
    const bool listed = std::ranges::any_of(options_.origins, [&](const auto& each) {
        if (http::same_word(without_final_slash(each), origin)) return true;
        const auto wanted = split_origin(without_final_slash(each));
        return web && http::same_word(wanted.scheme, parts.scheme) && same_authority(wanted.where, parts.where, parts.scheme);
    });
    return listed ? origin_kind::configured : origin_kind::foreign;
}

}  // namespace mbusd
