// Who asks, and for what; atom_reading.cpp and atom_writing.cpp answer.
#include "gateways/atom/atom_gateway.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "http/field_text.hpp"
#include "sasl/base64_text.hpp"

namespace mbusd {
namespace {

constexpr std::string_view need_credentials =
    "this needs a token ('Authorization: Bearer TOKEN'; 'mbus client add NAME' makes one) or the name and password of an XMPP account";
constexpr std::string_view bad_token = "this token is unknown or was withdrawn; 'mbus client add NAME' makes a new one";
constexpr std::string_view bad_password = "no account has this name and password";

bool stays_here(const http_request& request) noexcept {
    return request.secure || request.client == "unix" || request.client == "::1" || request.client.starts_with("127.");
}

int status_of(const pubsub::fault& why, bool anonymous) noexcept {
    const auto& condition = why.condition;
    if (why.detail == "payload-too-big") return 413;
    if (why.detail == "invalid-payload") return 422;
    if (condition == "item-not-found") return 404;
    if (condition == "conflict") return 409;
    if (condition == "resource-constraint") return 503;
    if (condition == "forbidden" || condition == "not-allowed" || condition == "not-authorized") return anonymous ? 401 : 403;
    return 400;
}

std::string_view allowed_at(const feed_path& where) noexcept {
    if (where.node.empty()) return "GET, HEAD, OPTIONS";
    return where.item.empty() ? "GET, HEAD, POST, OPTIONS" : "GET, HEAD, PUT, DELETE, OPTIONS";
}

}  // namespace

void atom_gateway::add_paths(path_table& paths) {
    const auto octets = configuration_().pubsub.payload_octets;
    paths.add("/atom/", {.methods = {"GET", "POST", "PUT", "DELETE"}, .body_octets_max = octets},
              [this](const call_pointer& call) { handle(call); });
    paths.add("/atom", {.methods = {"GET"}}, [](const call_pointer& call) {
        call->respond(call->problem(308, "not-found", "the service document is at /atom/").with("Location", call->request().base_url + "/atom/"));
    });
}

void atom_gateway::handle(const call_pointer& call) {
    auto where = feed_path::parse(call->request().encoded_path);
    if (!where) {
        ++counters_.refused;
        call->refuse(404, "not-found", "the paths are /atom/, /atom/NODE and /atom/NODE/ITEM, with ids percent-encoded");
        return;
    }
    const auto& method = call->request().method;
    const auto allowed = allowed_at(*where);
    if (!http::any_item(allowed, [&](std::string_view each) { return http::trimmed(each) == method; })) {
        ++counters_.refused;
        call->respond(call->problem(405, "not-found", fmt::format("this path takes {}, not {}", allowed, method)).with("Allow", std::string{allowed}));
        return;
    }
    auto from = identify(call);
    if (!from) {
        ++counters_.refused;
        return;
    }
    const job what{call, std::move(*where), std::move(*from)};
    if (method == "POST") create(what);
    else if (method == "PUT") replace(what);
    else if (method == "DELETE") remove(what);
    else if (what.where.node.empty()) service(what);
    else if (what.where.item.empty()) feed(what);
    else member(what);
}

// --- who asks -------------------------------------------------------------------------------------------

std::optional<atom_gateway::caller> atom_gateway::identify(const call_pointer& call) {
    if (!call->request().has_header("Authorization")) return without_credentials(call);
    if (const auto wait = call->blocked_for()) {
        call->too_many_failures(*wait);
        return std::nullopt;
    }
    if (const auto token = call->request().bearer()) return with_token(call, *token);
    const auto header = call->request().header("Authorization");
    constexpr std::string_view scheme = "Basic ";
    if (header.size() > scheme.size() && http::same_word(std::string_view{header}.substr(0, scheme.size()), scheme)) {
        return with_password(call, http::trimmed(std::string_view{header}.substr(scheme.size())));
    }
    challenge(call, need_credentials);
    return std::nullopt;
}

std::optional<atom_gateway::caller> atom_gateway::with_token(const call_pointer& call, std::string_view token) {
    if (const auto who = clients_.find_client(token)) return caller{feeds_.account_of(who->user), false};
    call->credential_failed();
    challenge(call, bad_token);
    return std::nullopt;
}

std::optional<atom_gateway::caller> atom_gateway::with_password(const call_pointer& call, std::string_view credentials) {
    if (!stays_here(call->request())) {
        call->refuse(403, "forbidden", "a password would cross the network in clear; use https (gateway.tls_listen, or a trusted proxy)");
        return std::nullopt;
    }
    const auto pair = from_base64(credentials).value_or(std::string{});
    const auto colon = pair.find(':');
    const bool readable = passwords_ && colon != std::string::npos && colon > 0;
    auto name = std::string_view{pair}.substr(0, std::min(colon, pair.size()));
    // "ann@bus.example" is ann.
    if (name.size() > feeds_.domain().size() + 1 && name.ends_with('@' + feeds_.domain())) name.remove_suffix(feeds_.domain().size() + 1);
    const auto who = readable ? passwords_(name, std::string_view{pair}.substr(colon + 1)) : nullptr;
    if (who != nullptr) return caller{feeds_.account_of(who->user), false};
    call->credential_failed();
    challenge(call, bad_password);
    return std::nullopt;
}

std::optional<atom_gateway::caller> atom_gateway::without_credentials(const call_pointer& call) {
    if (call->request().method == "GET" && configuration_().atom.anonymous_read) return caller{{"anonymous." + feeds_.domain(), true}, true};
    challenge(call, need_credentials);
    return std::nullopt;
}

void atom_gateway::challenge(const call_pointer& call, std::string_view text) {
    auto answer = call->problem(401, "unauthorized", text).with("WWW-Authenticate", "Bearer realm=\"mbusd\"");
    if (passwords_ && stays_here(call->request())) {
        answer.headers.push_back({"WWW-Authenticate", "Basic realm=\"mbusd\", charset=\"UTF-8\""});
    }
    call->respond(std::move(answer));
}

void atom_gateway::refuse(const job& of, int status, std::string_view code, std::string_view text) {
    ++counters_.refused;
    of.call->refuse(status, code, text);
}

void atom_gateway::refuse(const job& of, const pubsub::fault& why) {
    const int status = status_of(why, of.from.anonymous);
    if (status == 401) {
        ++counters_.refused;
        challenge(of.call, need_credentials);
        return;
    }
    refuse(of, status, why.condition, why.text);
}

}  // namespace mbusd
