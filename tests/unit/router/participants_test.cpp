// Entities that no MBWS session hosts: links, queues and the HTTP gateway take part this way.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "router_lab.hpp"

using namespace router_test;
using mbusd::acceptance;
using mbws::key;
using mbws::verb;

namespace {

// Takes what it is told to take, and remembers it.
class helper final : public mbusd::participant {
public:
    acceptance offer(mbws::time_point, mbusd::local_entity& to, mbusd::message_forms& forms, const mbws::delivery&,
                     mbusd::delivery_ticket ticket) override {
        offered.push_back({std::string{to.address.text()}, std::string{forms.source().body}, forms.serial(), ticket});
        return answer;
    }
    [[nodiscard]] std::string_view participant_name() const noexcept override { return "helper"; }

    struct one {
        std::string to;
        std::string body;
        std::uint64_t serial;
        mbusd::delivery_ticket ticket;
    };
    std::vector<one> offered;
    acceptance answer = acceptance::taken;
};

mbus::address address(std::string_view text) { return *mbus::address::parse(text); }

struct seen final : mbusd::entity_observer {
    void entity_changed(const mbus::address& who, mbws::entity_state state, bool local,
                        const mbusd::participant* host) override {
        lines.push_back(std::string{to_string(state)} + (local ? " local " : " peer ") +
                        (host != nullptr ? "hosted " : "") + std::string{who.find("app").value_or("?")});
    }
    std::vector<std::string> lines;
};

}  // namespace

TEST_CASE("a participant's entity gets messages, one offer for each that fits, with one serial") {
    router_lab lab;
    helper host;
    auto& sender = lab.client();
    sender.attach("(app:s)");
    REQUIRE(lab.hub.join(host, address("(app:h n:1)"), {}));
    REQUIRE(lab.hub.join(host, address("(app:h n:2)"), {}));

    sender.message("(app:h)", "a.b()", 1, mbws::flag::receipt);

    REQUIRE(host.offered.size() == 2);
    CHECK(host.offered[0].serial == host.offered[1].serial);
    CHECK(host.offered[0].body == "a.b()");
    CHECK(sender.take().view.integer(key::matched) == 2);
    sender.message("(app:h)", "a.c()");
    CHECK(host.offered.back().serial != host.offered.front().serial);
}

TEST_CASE("an entity that left gets nothing, and watchers are told") {
    router_lab lab;
    helper host;
    auto& sender = lab.client();
    sender.attach("(app:s)");
    const auto handle = lab.hub.join(host, address("(app:h)"), {});
    lab.hub.leave(*handle);
    sender.message("(app:h)", "a.b()", 1, mbws::flag::receipt);
    CHECK(host.offered.empty());
    CHECK(sender.take().view.integer(key::matched) == 0);
}

TEST_CASE("a reliable message that a participant takes at once has its receipt at once") {
    router_lab lab;
    helper host;
    auto& sender = lab.client();
    sender.attach("(app:s)");
    REQUIRE(lab.hub.join(host, address("(app:h)"), {}));
    sender.message("(app:h)", "a.b()", 1, mbws::flag::reliable);
    const auto got = sender.take();
    CHECK(got.view.verb == verb::receipt);
    CHECK_FALSE(got.view.has(key::code));

    host.answer = acceptance::refused;
    sender.message("(app:h)", "a.b()", 2, mbws::flag::reliable);
    CHECK(sender.take().view.text(key::code) == "overflow");
}

TEST_CASE("a reliable message that is settled later has its receipt then, exactly once") {
    router_lab lab;
    helper host;
    host.answer = acceptance::later;
    auto& sender = lab.client();
    sender.attach("(app:s)");
    REQUIRE(lab.hub.join(host, address("(app:h)"), {}));
    sender.message("(app:h)", "a.b()", 1, mbws::flag::reliable);
    CHECK(sender.nothing());

    mbws::route_report report;
    report.matched = 1;
    report.entity = "(app:far)";
    lab.hub.settle(host.offered.front().ticket, report);
    lab.turn();
    const auto got = sender.take();
    CHECK(got.view.verb == verb::receipt);
    CHECK(got.view.text(key::entity) == "(app:far)");
    lab.hub.settle(host.offered.front().ticket, report);
    lab.turn();
    CHECK(sender.nothing());
}

TEST_CASE("a participant sends: to sessions, never back to whom it came from, within rights") {
    router_lab lab;
    helper host;
    auto& receiver = lab.client();
    receiver.attach("(app:r)");
    const auto handle = lab.hub.join(host, address("(app:h)"), {});
    REQUIRE(lab.hub.join(host, address("(app:r twin:1)"), {}));
    mbws::route_report report;

    auto status = lab.hub.send(lab.network.at.now, {.from = *handle, .to = "(app:r)", .body = "a.b()", .came_over = &host},
                               nullptr, report, {});
    CHECK(status == mbws::route_status::routed);
    CHECK(report.matched == 1);
    CHECK(host.offered.empty());
    CHECK(receiver.take().view.text(key::from) == std::string{lab.hub.entity(*handle)->address.text()});

    report = {};
    const mbusd::granted_rights none;
    status = lab.hub.send(lab.network.at.now, {.from = *handle, .to = "(app:r)", .body = "a.b()"}, &none, report, {});
    CHECK(status == mbws::route_status::refused);
    CHECK(report.code == mbus::errc::forbidden);
    CHECK(receiver.nothing());

    report = {};
    status = lab.hub.send(lab.network.at.now, {.from = *handle, .to = "(app:r)", .body = "a.b("}, nullptr, report, {});
    CHECK(status == mbws::route_status::refused);
    CHECK(report.code == mbus::errc::bad_command);
}

TEST_CASE("a participant's reliable message to another host ends in its handler, exactly once") {
    router_lab lab;
    helper host;
    auto& far = lab.other_host();
    const auto theirs = far.engine.attach(lab.network.at, address("(app:far)"), 77);
    REQUIRE(theirs);
    for (int i = 0; i < 12; ++i) {
        lab.pass(100ms);
        lab.carry();
    }
    const auto handle = lab.hub.join(host, address("(app:h)"), {});
    mbws::route_report report;
    int ended = 0;
    const auto status = lab.hub.send(lab.network.at.now, {.from = *handle, .to = "(app:far)", .body = "a.b()", .reliable = true},
                                     nullptr, report, [&](const mbws::route_report& outcome) {
                                         ++ended;
                                         CHECK_FALSE(outcome.failed);
                                     });
    CHECK(status == mbws::route_status::receipt_later);
    CHECK(ended == 0);
    for (int i = 0; i < 20 && ended == 0; ++i) {
        lab.carry();
        lab.pass(20ms);
    }
    CHECK(ended == 1);
}

TEST_CASE("an observer hears who comes and goes, and who hosts it") {
    router_lab lab;
    helper host;
    seen watcher;
    lab.hub.observe(watcher);
    auto& client = lab.client();
    client.attach("(app:r)");
    const auto handle = lab.hub.join(host, address("(app:h)"), {});
    lab.hub.leave(*handle);
    CHECK(watcher.lines == std::vector<std::string>{"joined local r", "joined local hosted h", "left local hosted h"});

    watcher.lines.clear();
    lab.hub.for_each_known(watcher);
    CHECK(watcher.lines.size() == 2);
    lab.hub.forget(watcher);
    client.lose();
    CHECK(watcher.lines.size() == 2);
}

TEST_CASE("a connection without rights must show a token in connect") {
    router_lab lab;
    struct directory final : mbusd::client_directory {
        std::shared_ptr<const mbusd::peer_identity> find_named(std::string_view) override { return nullptr; }
        std::shared_ptr<const mbusd::peer_identity> find_client(std::string_view token) override {
            if (token != "right") return nullptr;
            auto who = std::make_shared<mbusd::peer_identity>();
            who->user.client = "ui";
            who->user.name = "ui";
            who->rights = std::make_shared<const mbusd::granted_rights>(mbusd::granted_rights::all("ui"));
            return who;
        }
    } clients;
    lab.hub.use_clients(clients);
    const auto connect = [&](std::string_view token) -> received {
        auto& client = lab.unconnected(std::make_shared<mbusd::peer_identity>());
        client.frame(verb::connect, 0, 0, [&](auto& out) {
            out.set(key::version, std::uint64_t{1}).set_if(key::auth, token);
        });
        return client.take();
    };
    CHECK(connect("").view.text(key::code) == "unauthorized");
    CHECK(connect("wrong").view.text(key::code) == "unauthorized");
    CHECK(connect("wrong").view.text(key::text).find("wrong") == std::string_view::npos);
    CHECK(connect("right").view.verb == verb::connected);
}
