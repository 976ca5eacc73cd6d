#include "gateways/atom/host_meta.hpp"

#include <utility>

#include "atom/documents.hpp"

namespace mbusd {
namespace {

// "wss://host/prefix/xmpp" of "https://host/prefix".
std::string websocket_url(const http_request& request) {
    constexpr std::string_view plain = "http";
    return "ws" + request.base_url.substr(plain.size()) + std::string{xmpp_path};
}

void answer(const std::shared_ptr<exchange>& call, std::string_view type, std::string body) {
    http_response out{.status = 200, .type = std::string{type}};
    out.body = std::move(body);
    // With an Origin the listener says it.
    if (!call->request().has_header("Origin")) out.headers.push_back({"Access-Control-Allow-Origin", "*"});
    call->respond(std::move(out));
}

}  // namespace

void add_host_meta(path_table& paths) {
    paths.add("/.well-known/host-meta", {.methods = {"GET"}, .pages = foreign_pages::allowed}, [](const std::shared_ptr<exchange>& call) {
        answer(call, "application/xrd+xml", atom::document_text(atom::host_meta(websocket_url(call->request()))));
    });
    paths.add("/.well-known/host-meta.json", {.methods = {"GET"}, .pages = foreign_pages::allowed}, [](const std::shared_ptr<exchange>& call) {
        answer(call, "application/jrd+json", atom::host_meta_json(websocket_url(call->request())));
    });
}

}  // namespace mbusd
