#include "gateways/page/page_paths.hpp"

#include <memory>
#include <string>
#include <utility>

#include "gateways/page/page_files.hpp"

namespace mbusd {
namespace {

// Only what comes from here: no inline script or style, nothing from elsewhere, no frame around it.
// Browsers differ in whether 'self' covers WebSockets, so their address is named too.
std::string security_policy(const http_request& request) {
    const std::string& base = request.base_url;  // "https://host:8407/prefix"
    const auto host = base.find("//");
    std::string socket;
    if (host != std::string::npos) {
        socket = (base.starts_with("https") ? " wss:" : " ws:") + base.substr(host, base.find('/', host + 2) - host);
    }
    return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'" + socket +
           "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";
}

void serve(const page_file& file, exchange& call) {
    http_response answer;
    const bool known = call.request().header("If-None-Match").find(file.tag) != std::string::npos;
    answer.status = known ? 304 : 200;
    if (!known) {
        answer.type = file.type;
        answer.fixed_body = file.body;
    }
    // Asked for again each time, so that page and daemon are always of one version.
    answer.headers.push_back({"Cache-Control", "no-cache"});
    answer.headers.push_back({"ETag", std::string{file.tag}});
    add_page_security(answer, security_policy(call.request()));
    call.respond(std::move(answer));
}

}  // namespace

void add_page_paths(path_table& paths) {
    for (const auto& file : page_files()) {
        paths.add(file.path, {}, [&file](const std::shared_ptr<exchange>& call) { serve(file, *call); });
    }
}

}  // namespace mbusd
