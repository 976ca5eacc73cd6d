#include <doctest/doctest.h>

#include "http/admission.hpp"

using namespace mbusd;

namespace {

struct lab {
    lab() {
        paths.add("/", {}, [](const auto&) {});
        paths.add("/send", {.methods = {"POST"}, .body_octets_max = 100}, [](const auto&) {});
        paths.add("/cap/", {.methods = {"GET", "POST"}, .body_octets_max = 100, .pages = foreign_pages::allowed}, [](const auto&) {});
    }

    admission ask(std::string method, std::string target, std::vector<header_field> headers = {{"Host", "localhost"}},
                  unsigned version = 11) const {
        request_reader::head_view head;
        head.method = std::move(method);
        head.target = std::move(target);
        head.headers = std::move(headers);
        head.version = version;
        return admit(paths, site, {client_address::parse("192.0.2.1"), false}, std::move(head));
    }

    path_table paths;
    site_rules site{{.origins = {"https://app.example"}}};
};

template <class... Arguments>
admission ask(Arguments&&... arguments) {
    static const lab at;  // the answer points into its table
    return at.ask(std::forward<Arguments>(arguments)...);
}

admission lab_ask(std::string method, std::string target, std::vector<header_field> headers) {
    return ask(std::move(method), std::move(target), std::move(headers));
}

std::string value(const std::vector<header_field>& fields, std::string_view name) {
    for (const auto& each : fields) {
        if (each.name == name) return each.value;
    }
    return {};
}

}  // namespace

TEST_CASE("a request that fits everything reaches its endpoint, decoded") {
    const auto in = ask("GET", "/cap/a%20b?x=%31");
    REQUIRE(in.endpoint != nullptr);
    CHECK(in.endpoint->path == "/cap/");
    CHECK(in.request.path == "/cap/a b");
    CHECK(in.request.parameter("x") == "1");
    CHECK(in.request.client == "192.0.2.1");
    CHECK(in.request.base_url == "http://localhost");
}

TEST_CASE("HEAD reaches GET's handler, without a body in the answer") {
    const auto in = ask("HEAD", "/");
    REQUIRE(in.endpoint != nullptr);
    CHECK(in.head_only);
    CHECK(in.request.method == "GET");
}

TEST_CASE("an unknown path is 404, a wrong method 405 with Allow") {
    CHECK(ask("GET", "/nothing").answer.status == 404);
    const auto in = ask("DELETE", "/cap/x");
    CHECK(in.endpoint == nullptr);
    CHECK(in.answer.status == 405);
    CHECK(value(in.answer.headers, "Allow") == "GET, HEAD, POST, OPTIONS");
    CHECK(ask("HEAD", "/send").answer.status == 405);
}

TEST_CASE("OPTIONS names the methods, of the server too") {
    const auto in = ask("OPTIONS", "/send");
    CHECK(in.answer.status == 204);
    CHECK(value(in.answer.headers, "Allow") == "POST, OPTIONS");
    CHECK(value(in.answer.headers, "Access-Control-Allow-Methods").empty());
    CHECK(ask("OPTIONS", "*").answer.status == 204);
}

TEST_CASE("exactly one Host is needed, and it must be ours") {
    CHECK(ask("GET", "/", std::vector<header_field>{}).answer.status == 400);
    CHECK(lab_ask("GET", "/", {{"Host", "localhost"}, {"host", "localhost"}}).answer.status == 400);
    CHECK(ask("GET", "/", std::vector<header_field>{}, 10U).endpoint != nullptr);
    const auto in = lab_ask("GET", "/", {{"Host", "evil.example"}});
    CHECK(in.answer.status == 403);
    CHECK(in.refused);
    CHECK(in.answer.body.find("gateway.hosts") != std::string::npos);
}

TEST_CASE("a target in absolute form brings its host (RFC 9112 s3.2.2)") {
    CHECK(lab_ask("GET", "http://localhost/cap/x", {{"Host", "evil.example"}}).endpoint != nullptr);
    CHECK(lab_ask("GET", "http://evil.example/", {{"Host", "localhost"}}).answer.status == 403);
    CHECK(ask("GET", "http://localhost").endpoint != nullptr);
    CHECK(ask("CONNECT", "evil.example:443").answer.status == 400);
    CHECK(ask("GET", "/%zz").answer.status == 400);
}

TEST_CASE("pages of other hosts are refused unless configured or the path is for all") {
    const lab at;
    const auto with = [&](const char* path, const char* origin) {
        return at.ask("GET", path, {{"Host", "localhost:8407"}, {"Origin", origin}});
    };
    const auto refused = with("/", "https://evil.example");
    CHECK(refused.answer.status == 403);
    CHECK(refused.answer.body.find("gateway.origins") != std::string::npos);
    CHECK(refused.extra.empty());

    const auto own = with("/", "http://localhost:8407");
    CHECK(own.endpoint != nullptr);

    const auto configured = with("/", "https://app.example");
    CHECK(configured.endpoint != nullptr);
    CHECK(value(configured.extra, "Access-Control-Allow-Origin") == "https://app.example");
    CHECK(value(configured.extra, "Vary") == "Origin");

    const auto anybody = with("/cap/x", "https://evil.example");
    CHECK(anybody.endpoint != nullptr);
    CHECK(value(anybody.extra, "Access-Control-Allow-Origin") == "*");
}

TEST_CASE("a preflight of a configured page is told what it may do") {
    const auto in = lab_ask("OPTIONS", "/send", {{"Host", "localhost"}, {"Origin", "https://app.example"},
                                                   {"Access-Control-Request-Method", "POST"},
                                                   {"Access-Control-Request-Headers", "authorization"}});
    CHECK(in.answer.status == 204);
    CHECK(value(in.extra, "Access-Control-Allow-Origin") == "https://app.example");
    CHECK(value(in.answer.headers, "Access-Control-Allow-Methods") == "POST, OPTIONS");
    CHECK(value(in.answer.headers, "Access-Control-Allow-Headers") == "authorization");
    const auto evil = lab_ask("OPTIONS", "/send", {{"Host", "localhost"}, {"Origin", "https://evil.example"},
                                                     {"Access-Control-Request-Method", "POST"}});
    CHECK(evil.answer.status == 403);
}

TEST_CASE("a body whose end is doubtful is refused (RFC 9112 s11.2)") {
    const lab at;
    const auto with = [&](std::vector<header_field> more, unsigned version = 11) {
        more.push_back({"Host", "localhost"});
        return at.ask("POST", "/send", std::move(more), version).answer.status;
    };
    CHECK(with({{"Transfer-Encoding", "chunked"}, {"Content-Length", "3"}}) == 400);
    CHECK(with({{"Transfer-Encoding", "gzip, chunked"}}) == 501);
    CHECK(with({{"Transfer-Encoding", "chunked"}}, 10) == 400);
}
