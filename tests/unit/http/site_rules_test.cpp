#include <doctest/doctest.h>

#include <stdexcept>

#include "http/site_rules.hpp"

using namespace mbusd;

namespace {

connection_origin from(std::string_view address, bool encrypted = false) {
    return {client_address::parse(address), encrypted};
}

http_request call(std::vector<header_field> headers) {
    http_request out;
    out.headers = std::move(headers);
    return out;
}

bool host_allowed(const site_rules& rules, const std::string& host) {
    return rules.host_allowed(rules.look(from("192.0.2.1"), call({{"Host", host}}), "/"));
}

}  // namespace

TEST_CASE("Host is a loopback name, an address of this machine or a configured name (docs/mbws.md s7)") {
    const site_rules rules{{.hosts = {"bus.example.org", "*.test.example", "ported.example:8443"}}};
    for (const auto* good : {"localhost", "LOCALHOST:8407", "page.localhost:1", "127.0.0.1:8407", "127.9.9.9", "[::1]:8407",
                             "bus.example.org", "BUS.example.org:99", "a.test.example", "ported.example:8443"}) {
        CAPTURE(good);
        CHECK(host_allowed(rules, good));
    }
    for (const auto* bad : {"evil.example", "bus.example.org.evil.example", "test.example", "localhost.evil.example", "192.0.2.99",
                            "ported.example", "ported.example:1", "a b", "<x>", "user@localhost"}) {
        CAPTURE(bad);
        CHECK_FALSE(host_allowed(rules, bad));
    }
}

TEST_CASE("the host of the public URL is a configured name") {
    CHECK(host_allowed(site_rules{{.public_url = "https://Bus.example.org/mbus/"}}, "bus.example.org"));
}

TEST_CASE("an origin is the same host, a configured one, or foreign") {
    using kind = site_rules::origin_kind;
    const site_rules rules{{.origins = {"https://app.example.org", "http://dev.example:3000/"}}};
    const auto seen = rules.look(from("127.0.0.1"), call({{"Host", "localhost:8407"}}), "/");
    CHECK(rules.judge_origin(seen, "http://localhost:8407") == kind::own);
    CHECK(rules.judge_origin(seen, "https://LOCALHOST:8407") == kind::own);
    CHECK(rules.judge_origin(seen, "http://localhost") == kind::foreign);
    CHECK(rules.judge_origin(seen, "http://localhost:8408") == kind::foreign);
    CHECK(rules.judge_origin(seen, "https://app.example.org") == kind::configured);
    CHECK(rules.judge_origin(seen, "https://app.example.org:443") == kind::configured);
    CHECK(rules.judge_origin(seen, "http://app.example.org") == kind::foreign);
    CHECK(rules.judge_origin(seen, "http://dev.example:3000") == kind::configured);
    CHECK(rules.judge_origin(seen, "https://app.example.org.evil.example") == kind::foreign);
    CHECK(rules.judge_origin(seen, "null") == kind::foreign);
    CHECK(rules.judge_origin(seen, "chrome-extension://localhost:8407") == kind::foreign);
    CHECK(site_rules{{.origins = {"*"}}}.judge_origin(seen, "https://any.example") == kind::configured);
}

TEST_CASE("default ports of an origin count as none") {
    const site_rules rules{{.hosts = {"bus.example.org"}}};
    const auto seen = rules.look(from("192.0.2.1", true), call({{"Host", "bus.example.org"}}), "/");
    CHECK(rules.judge_origin(seen, "https://bus.example.org:443") == site_rules::origin_kind::own);
    CHECK(seen.base_url == "https://bus.example.org");
}

TEST_CASE("X-Forwarded headers from anybody but a trusted proxy mean nothing") {
    const site_rules rules{{.trusted_proxies = {"10.0.0.0/8"}}};
    const auto seen = rules.look(from("192.0.2.1"), call({{"Host", "localhost"}, {"X-Forwarded-For", "203.0.113.9"},
                                                          {"X-Forwarded-Proto", "https"}, {"X-Forwarded-Host", "evil.example"},
                                                          {"X-Forwarded-Prefix", "/x"}}), "/send");
    CHECK(seen.client == "192.0.2.1");
    CHECK_FALSE(seen.secure);
    CHECK(seen.host == "localhost");
    CHECK(seen.base_url == "http://localhost");
}

TEST_CASE("a trusted proxy says client, scheme, host and prefix") {
    const site_rules rules{{.trusted_proxies = {"10.0.0.0/8"}}};
    const auto seen = rules.look(from("10.0.0.5"), call({{"Host", "internal:8407"}, {"X-Forwarded-For", "203.0.113.9"},
                                                         {"X-Forwarded-Proto", "https"}, {"X-Forwarded-Host", "Bus.example.org"},
                                                         {"X-Forwarded-Prefix", "/mbus/"}}), "/send");
    CHECK(seen.client == "203.0.113.9");
    CHECK(seen.secure);
    CHECK(seen.host == "bus.example.org");
    CHECK(seen.base_url == "https://bus.example.org/mbus");
    CHECK(seen.path == "/send");
}

TEST_CASE("of a chain of proxies the last that we don't trust is the client, whatever stands before it") {
    const site_rules rules{{.trusted_proxies = {"10.0.0.0/8", "fd00::/8"}}};
    const auto client = [&](const std::string& chain) {
        return rules.look(from("10.0.0.5"), call({{"Host", "localhost"}, {"X-Forwarded-For", chain}}), "/").client;
    };
    CHECK(client("1.2.3.4, 203.0.113.9, 10.1.1.1") == "203.0.113.9");
    CHECK(client("203.0.113.9:4711, fd00::1") == "203.0.113.9");
    CHECK(client("10.9.9.9, 10.1.1.1") == "10.9.9.9");
    CHECK(client("unknown, 10.1.1.1") == "10.1.1.1");
    CHECK(client("garbage") == "10.0.0.5");
    CHECK(client("") == "10.0.0.5");
}

TEST_CASE("the Unix socket may be a trusted proxy too") {
    const auto request = call({{"Host", "localhost"}, {"X-Forwarded-For", "203.0.113.9"}});
    CHECK(site_rules{{.trusted_proxies = {"unix"}}}.look({}, request, "/").client == "203.0.113.9");
    CHECK(site_rules{{}}.look({}, request, "/").client == "unix");
}

TEST_CASE("the configured prefix is taken off, and stands in URLs that came with it") {
    const site_rules rules{{.prefix = "/mbus"}};
    const auto path = [&](std::string_view text) { return rules.look(from("127.0.0.1"), call({{"Host", "localhost"}}), text); };
    CHECK(path("/mbus/send").path == "/send");
    CHECK(path("/mbus/send").base_url == "http://localhost/mbus");
    CHECK(path("/mbus").path == "/");
    CHECK(path("/mbusx").path == "/mbusx");
    CHECK(path("/send").path == "/send");
    CHECK(path("/send").base_url == "http://localhost");
}

TEST_CASE("the public URL goes before all that is seen") {
    const site_rules rules{{.public_url = "https://bus.example.org/mbus/"}};
    CHECK(rules.look(from("127.0.0.1"), call({{"Host", "localhost"}}), "/").base_url == "https://bus.example.org/mbus");
}

TEST_CASE("a proxy that is no address is refused by name") {
    CHECK_THROWS_WITH_AS(site_rules{{.trusted_proxies = {"proxy"}}},
                         "gateway.trusted_proxies: 'proxy' is no address, prefix or \"unix\"", std::runtime_error);
}
