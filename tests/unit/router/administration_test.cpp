// Requests to the daemon's own entity (docs/daemon-commands.md).
#include <doctest/doctest.h>

#include <string>

#include <mbus/command.hpp>

#include "router_lab.hpp"

using namespace router_test;
using mbws::key;
using mbws::verb;

namespace {

std::string call(std::string_view name, std::string_view id = "7", std::string_view arguments = "()") {
    return "mbusd." + std::string{name} + "(((\"ID\" \"" + std::string{id} + "\") (\"RPC-TYPE\" \"UNICAST\")) " +
           std::string{arguments} + ")";
}

std::string ask(test_client& client, std::string_view body) {
    client.message("(module:mbusd)", body);
    const auto reply = client.take();
    REQUIRE(reply.view.verb == verb::message);
    return std::string{reply.view.body};
}

}  // namespace

TEST_CASE("status, counters, interfaces, peers and rights are answered to every local user") {
    router_lab lab;
    auto& client = lab.client_of("bob", {"mbus-users"});
    client.attach("(app:asker)");
    for (const auto* name : {"status", "counters", "interfaces", "peers", "rights"}) {
        const auto reply = ask(client, call(name));
        CHECK(reply.find("mbusd." + std::string{name} + ".return") == 0);
        CHECK(reply.find("(\"ID\" \"7\")") != std::string::npos);
        CHECK(reply.find("(\"RPC-STATUS\" \"OK\")") != std::string::npos);
    }
    lab.pass(1500ms);
    const auto peers = ask(client, call("peers"));
    CHECK(peers.find("(app:asker id:") != std::string::npos);
    CHECK(peers.find("(\"age-ms\" 1500)") != std::string::npos);
}

TEST_CASE("configuration and sessions need the right to administer") {
    router_lab lab;
    auto& user = lab.client_of("bob", {"mbus-users"});
    user.attach("(app:asker)");
    const auto reply = ask(user, call("config"));
    CHECK(reply.find("(\"RPC-STATUS\" \"FAILED\")") != std::string::npos);
    CHECK(reply.find("forbidden") != std::string::npos);
    CHECK(reply.find("sudo adduser bob mbus-admin") != std::string::npos);

    auto& admin = lab.client_of("eve", {"mbus-admin"}, 1005);
    admin.attach("(app:asker)");
    CHECK(ask(admin, call("config")).find("\"bus.families\" \"\\\"auto\\\"\" \"default\"") != std::string::npos);
    CHECK(ask(admin, call("sessions")).find("\"bob\"") != std::string::npos);
}

TEST_CASE("an unknown command is answered with UNKNOWN, and what is no request not at all") {
    router_lab lab;
    auto& client = lab.client();
    client.attach("(app:asker)");
    CHECK(ask(client, call("frobnicate")).find("(\"RPC-STATUS\" \"UNKNOWN\")") != std::string::npos);
    client.message("(module:mbusd)", "mbusd.status()");
    client.message("(module:mbusd)", "other.command(1)");
    CHECK(client.nothing());
}

TEST_CASE("long lists are answered page by page") {
    router_lab lab;
    auto& client = lab.client();
    client.attach("(app:asker)");
    for (std::uint32_t i = 2; i < 252; ++i) client.attach("(app:many)", i);
    const auto first = ask(client, call("peers"));
    CHECK(first.find("(\"total\" 252)") != std::string::npos);
    CHECK(first.find("(\"next\" 200)") != std::string::npos);
    CHECK(ask(client, call("peers", "8", "(200)")).find("(\"next\" 0)") != std::string::npos);
}

TEST_CASE("another host is refused, not answered") {
    router_lab lab;
    auto& far = lab.other_host();
    const auto handle = far.engine.attach(lab.network.at, *mbus::address::parse("(app:far)"), 1);
    REQUIRE(handle);
    lab.carry();
    const auto to = lab.hub.own_address();
    const auto body = call("peers");
    REQUIRE(far.engine.send(lab.network.at, {.from = *handle, .destination = &to, .payload = body, .commands = 1}));
    lab.carry();
    REQUIRE(far.heard.size() == 1);
    CHECK(far.heard.front()->payload.find("(\"RPC-STATUS\" \"FAILED\")") != std::string::npos);
    CHECK(far.heard.front()->payload.find("only programs of its own host") != std::string::npos);
    CHECK(lab.hub.counters().requests_refused == 1);
}
