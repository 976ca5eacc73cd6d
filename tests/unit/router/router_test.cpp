// The router: sessions meet here, and the bus. The engine is real, sockets and clocks are not.
#include <doctest/doctest.h>

#include <string>

#include "router_lab.hpp"

using namespace router_test;
using mbws::key;
using mbws::verb;

namespace {

std::string_view code_of(const received& frame) { return frame.view.text(key::code); }

}  // namespace

TEST_CASE("a message reaches every entity that answers to its address, except the sender") {
    router_lab lab;
    auto& sender = lab.client();
    auto& first = lab.client();
    auto& second = lab.client();
    sender.attach("(app:x n:1)");
    first.attach("(app:x n:2)");
    second.attach("(app:y)");

    sender.message("(app:x)", "demo.text(\"hi\")");

    const auto got = first.take();
    CHECK(got.view.verb == verb::message);
    CHECK(got.view.body == "demo.text(\"hi\")");
    CHECK(sender.nothing());
    CHECK(second.nothing());
}

TEST_CASE("a receipt counts the entities that matched, without the sender and the daemon's own") {
    router_lab lab;
    auto& sender = lab.client();
    auto& other = lab.client();
    sender.attach("(app:x)");
    other.attach("(app:x)");
    sender.message("()", "a()", 1, mbws::flag::receipt);
    CHECK(sender.take().view.integer(key::matched) == 1);
    sender.message("(app:nobody)", "a()", 2, mbws::flag::receipt);
    CHECK(sender.take().view.integer(key::matched) == 0);
}

TEST_CASE("a cached route forgets an entity that has left and learns of one that has come") {
    router_lab lab;
    auto& sender = lab.client();
    auto& receiver = lab.client();
    sender.attach("(app:s)");
    receiver.attach("(app:r)");
    sender.message("(app:r)", "one()");
    CHECK(receiver.take().view.body == "one()");

    receiver.frame(verb::detach, 0, 0, [](auto& out) { out.set(key::request, std::uint64_t{9}).set(key::about, std::uint64_t{1}); });
    CHECK(receiver.take().view.verb == verb::ok);
    sender.message("(app:r)", "two()");
    CHECK(receiver.nothing());

    receiver.attach("(app:r)", 2);
    sender.message("(app:r)", "three()");
    CHECK(receiver.take().view.body == "three()");
}

TEST_CASE("a reliable message to one local entity is answered at once; to none or two it fails") {
    router_lab lab;
    auto& sender = lab.client();
    auto& receiver = lab.client();
    sender.attach("(app:s)");
    const auto address = receiver.attach("(app:r)");
    sender.message("(app:r)", "a()", 1, mbws::flag::reliable);
    auto receipt = sender.take();
    CHECK(receipt.view.verb == verb::receipt);
    CHECK(receipt.view.text(key::entity) == address);
    CHECK(receipt.view.integer(key::tried) == 1);
    CHECK_FALSE(receipt.view.has(key::code));
    CHECK(receiver.take().view.reliable());

    sender.message("(app:none)", "a()", 2, mbws::flag::reliable);
    CHECK(code_of(sender.take()) == "no-match");
    receiver.attach("(app:r n:2)", 2);
    sender.message("(app:r)", "a()", 3, mbws::flag::reliable);
    CHECK(code_of(sender.take()) == "not-unique");
    sender.message("(app:s)", "a()", 4, mbws::flag::reliable);
    receipt = sender.take();
    CHECK(code_of(receipt) == "no-match");  // only the sender itself
}

TEST_CASE("a reliable message over the bus ends in one receipt: acknowledged, or not") {
    router_lab lab;
    auto& sender = lab.client();
    sender.attach("(app:s)");
    auto& far = lab.other_host();
    REQUIRE(far.engine.attach(lab.network.at, *mbus::address::parse("(app:far)"), 1));
    for (int i = 0; i < 12; ++i) {
        lab.pass(100ms);
        lab.carry();
    }
    sender.message("(app:far)", "a()", 1, mbws::flag::reliable);
    for (int i = 0; i < 3; ++i) {
        lab.carry();
        lab.pass(80ms);
    }
    lab.carry();
    auto receipt = sender.take();
    CHECK(receipt.view.verb == verb::receipt);
    CHECK_FALSE(receipt.view.has(key::code));
    CHECK(receipt.view.text(key::entity).find("@10.0.0.2") != std::string_view::npos);
    REQUIRE(far.heard.size() == 1);

    sender.message("(app:far)", "b()", 2, mbws::flag::reliable);
    for (int i = 0; i < 12; ++i) {
        lab.network.flush();  // lost
        lab.pass(100ms);
    }
    receipt = sender.take();
    CHECK(code_of(receipt) == "not-acknowledged");
    CHECK(receipt.view.integer(key::about) == 2);
    CHECK(sender.nothing());
}

TEST_CASE("what comes from the bus reaches the clients, with the same octets for all") {
    router_lab lab;
    auto& first = lab.client();
    auto& second = lab.client();
    first.attach("(app:r)");
    second.attach("(app:r)");
    auto& far = lab.other_host();
    const auto handle = far.engine.attach(lab.network.at, *mbus::address::parse("(app:far)"), 1);
    REQUIRE(handle);
    const auto to = *mbus::address::parse("(app:r)");
    REQUIRE(far.engine.send(lab.network.at, {.from = *handle, .destination = &to, .payload = "x(1)", .commands = 1}));
    lab.carry();
    for (auto* each : {&first, &second}) {
        const auto got = each->take();
        CHECK(got.view.text(key::from).find("app:far") != std::string_view::npos);
        CHECK(got.view.body.find("x(1)") == 0);
    }
}

TEST_CASE("what comes from the bus says its number and interface, what comes from this host neither") {
    router_lab lab;
    auto& sender = lab.client();
    auto& receiver = lab.client();
    sender.attach("(app:s)");
    receiver.attach("(app:r)");
    auto& far = lab.other_host();
    const auto handle = far.engine.attach(lab.network.at, *mbus::address::parse("(app:far)"), 1);
    REQUIRE(handle);
    const auto to = *mbus::address::parse("(app:r)");
    for (std::uint64_t number = 0; number < 2; ++number) {
        REQUIRE(far.engine.send(lab.network.at, {.from = *handle, .destination = &to, .payload = "x(1)", .commands = 1}));
        lab.carry();
        const auto got = receiver.take();
        REQUIRE(got.view.has(key::sequence));  // also the first one, which is 0
        CHECK(got.view.integer(key::sequence) == number);
        CHECK(got.view.text(key::interface) == "eth0");
    }
    sender.message("(app:r)", "y()");
    const auto local = receiver.take();
    CHECK_FALSE(local.view.has(key::sequence));
    CHECK_FALSE(local.view.has(key::interface));
}

TEST_CASE("a client's ping is answered by the matching entities of this host (RFC 3259 s9.3)") {
    router_lab lab;
    auto& sender = lab.client();
    auto& receiver = lab.client();
    sender.attach("(app:s)");
    const auto address = receiver.attach("(app:r)");
    lab.pass(3s);  // the hellos of joining
    lab.network.flush();
    const auto hellos_after = [&](std::string_view to, std::uint64_t number, std::uint8_t flags) {
        const auto before = lab.network.engine.counters().hellos_sent;
        sender.message(to, "mbus.ping()", number, flags);
        lab.turn();
        lab.network.at.now += 990ms;
        lab.network.engine.advance(lab.network.at);
        const auto said = lab.network.engine.counters().hellos_sent - before;
        lab.pass(10s);
        lab.network.engine.advance(lab.network.at);
        lab.network.flush();
        return said;
    };
    const auto silent = hellos_after("(app:nobody)", 0, 0);
    CHECK(hellos_after("(app:r)", 0, 0) == silent + 1);                // on the bus too
    CHECK(hellos_after(address, 0, 0) == silent + 1);                  // stays here
    CHECK(hellos_after(address, 1, mbws::flag::reliable) == silent + 1);
}

TEST_CASE("a full local address goes no further than this host") {
    router_lab lab;
    auto& sender = lab.client();
    auto& receiver = lab.client();
    sender.attach("(app:s)");
    const auto address = receiver.attach("(app:r)");
    lab.network.flush();
    const auto before = lab.network.engine.counters().messages_out;
    sender.message(address, "a()");
    receiver.take();
    lab.network.flush();
    CHECK(lab.network.engine.counters().messages_out == before);
    sender.message("(app:r)", "a()");
    receiver.take();
    lab.network.flush();
    CHECK(lab.network.engine.counters().messages_out == before + 1);
}

TEST_CASE("what no datagram holds is refused with both sizes and delivered nowhere") {
    router_lab lab;
    auto& sender = lab.client();
    auto& receiver = lab.client();
    sender.attach("(app:s)");
    receiver.attach("(app:r)");
    const auto body = "a(\"" + std::string(70000, 'x') + "\")";
    sender.message("(app:r)", body, 1, mbws::flag::receipt);
    const auto nak = sender.take();
    CHECK(nak.view.verb == verb::nak);
    CHECK(code_of(nak) == "too-large");
    CHECK(nak.view.text(key::text).find("65507") != std::string_view::npos);
    CHECK(nak.view.text(key::text).find("70") != std::string_view::npos);
    CHECK(receiver.nothing());
    CHECK(lab.hub.counters().refused_size == 1);
}

TEST_CASE("rights decide who connects, attaches, sends and monitors, with a sentence") {
    router_lab lab("[[rights]]\nusers = [\"web\"]\nattach = [\"(app:web)\"]\nsend = [\"(app:player)\"]\n"
                   "[[rights]]\ngroups = [\"mbus-users\"]\nattach = [\"()\"]\nsend = [\"()\"]\n");
    auto& stranger = lab.unconnected(identity(lab.configuration.values.rights, "bob", {"bob"}, 1002, false));
    stranger.connect();
    const auto error = stranger.take();
    CHECK(error.view.verb == verb::error);
    CHECK(code_of(error) == "unauthorized");
    CHECK(error.view.text(key::text) ==
          "refused: user bob is not in group mbus-users; run: sudo adduser bob mbus-users, and log in again");

    auto& web = lab.client_of("web", {});
    web.frame(verb::attach, 0, 0, [](auto& out) { out.set(key::request, std::uint64_t{1}).set(key::entity, "(app:other)"); });
    CHECK(code_of(web.take()) == "forbidden");
    web.attach("(app:web)", 2);
    web.message("()", "a()", 1, mbws::flag::receipt);
    CHECK(code_of(web.take()) == "forbidden");
    web.message("(app:player)", "a()", 2, mbws::flag::receipt);
    CHECK(web.take().view.verb == verb::receipt);
    web.frame(verb::attach, 0, 0, [](auto& out) {
        out.set(key::request, std::uint64_t{3}).set(key::entity, "()").set(key::mode, "monitor");
    });
    CHECK(code_of(web.take()) == "forbidden");
    web.frame(verb::attach, 0, 0, [](auto& out) {
        out.set(key::request, std::uint64_t{4}).set(key::entity, "(app:web)").set(key::policy, "block");
    });
    CHECK(code_of(web.take()) == "forbidden");
}

TEST_CASE("sessions and entities are charged to their user and given back") {
    router_lab lab("[limits]\nsessions_per_user = 2\nentities_per_user = 1\n");
    auto& first = lab.client();
    auto& second = lab.client();
    auto& third = lab.unconnected(identity(lab.configuration.values.rights, "owner", {}, 0, true));
    third.connect();
    CHECK(code_of(third.take()) == "limit");

    first.attach("(app:a)");
    second.frame(verb::attach, 0, 0, [](auto& out) { out.set(key::request, std::uint64_t{1}).set(key::entity, "(app:b)"); });
    const auto nak = second.take();
    CHECK(code_of(nak) == "limit");
    CHECK(nak.view.text(key::text).find("limits.entities_per_user") != std::string_view::npos);
    first.lose();
    lab.turn();
    second.attach("(app:b)", 2);
    CHECK(lab.hub.sessions() == 1);
}

TEST_CASE("what waits for one user is bounded; reliable messages beyond it fail with overflow") {
    router_lab lab("[limits]\nqueue_octets_per_user = 131072\n");
    auto& sender = lab.client();
    auto& receiver = lab.client(16, 60);
    sender.attach("(app:s)");
    const auto address = receiver.attach("(app:r)");
    receiver.lose();
    const auto body = "a(\"" + std::string(30000, 'x') + "\")";
    std::size_t delivered = 0;
    for (std::uint64_t number = 1; number <= 10; ++number) {
        sender.message(address, body, number, mbws::flag::reliable);
        const auto receipt = sender.take();
        REQUIRE(receipt.view.verb == verb::receipt);
        if (!receipt.view.has(key::code)) ++delivered;
        else CHECK(code_of(receipt) == "overflow");
        lab.pass(1ms);
    }
    CHECK(delivered == 4);
    CHECK(lab.hub.counters().dropped_limit == 6);
}

TEST_CASE("what the limit of a user drops is told as missed with the next delivery") {
    router_lab lab("[limits]\nqueue_octets_per_user = 131072\n");
    auto& sender = lab.client();
    auto& away = lab.client(16, 60);
    auto& receiver = lab.client();
    sender.attach("(app:s)");
    const auto full = away.attach("(app:away)");
    receiver.attach("(app:r)");
    away.lose();
    const auto body = "a(\"" + std::string(30000, 'x') + "\")";
    for (int i = 0; i < 4; ++i) sender.message(full, body);
    lab.pass(1ms);
    for (int i = 0; i < 3; ++i) sender.message("(app:r)", body);
    CHECK(receiver.nothing());
    CHECK(lab.hub.counters().dropped_limit == 3);

    lab.pass(61s);  // the one that was away is given up, and what waited for it with it
    sender.message("(app:r)", "b()");
    const auto got = receiver.take();
    CHECK(got.view.body == "b()");
    CHECK(got.view.integer(key::missed) == 3);
}

TEST_CASE("a watch tells who is there, who comes and who goes, here and on the bus") {
    router_lab lab;
    auto& watcher = lab.client();
    auto& other = lab.client();
    const auto present = other.attach("(app:w n:1)");
    watcher.frame(verb::watch, 0, 0, [](auto& out) { out.set(key::request, std::uint64_t{5}).set(key::to, "(app:w)"); });
    auto told = watcher.take();
    CHECK(told.view.text(key::entity) == present);
    CHECK(told.view.text(key::state) == "present");
    CHECK(watcher.take().view.integer(key::matched) == 1);

    auto& third = lab.client();
    const auto joined = third.attach("(app:w n:2)");
    CHECK(watcher.take().view.text(key::state) == "joined");
    third.lose();
    told = watcher.take();
    CHECK(told.view.text(key::entity) == joined);
    CHECK(told.view.text(key::state) == "left");

    auto& far = lab.other_host();
    const auto handle = far.engine.attach(lab.network.at, *mbus::address::parse("(app:w)"), 1);
    REQUIRE(handle);
    for (int i = 0; i < 12; ++i) {
        lab.pass(100ms);
        lab.carry();
    }
    CHECK(watcher.take().view.text(key::state) == "joined");
    far.engine.detach(lab.network.at, *handle);
    lab.carry();
    CHECK(watcher.take().view.text(key::state) == "left");

    watcher.frame(verb::detach, 0, 0, [](auto& out) { out.set(key::request, std::uint64_t{6}).set(key::about, std::uint64_t{5}); });
    CHECK(watcher.take().view.verb == verb::ok);
    other.lose();
    CHECK(watcher.nothing());
}

TEST_CASE("a session is resumed by its own user only, and ends with its expiry") {
    router_lab lab;
    auto& receiver = lab.client(16, 60);
    auto& sender = lab.client();
    sender.attach("(app:s)");
    const auto address = receiver.attach("(app:r)");
    const auto token = receiver.token;
    receiver.lose();
    sender.message(address, "a()", 1, mbws::flag::reliable);
    CHECK_FALSE(sender.take().view.has(key::code));

    auto& foreign = lab.unconnected(identity(lab.configuration.values.rights, "eve", {"mbus-users"}, 1003, false));
    foreign.connect(16, 60, token);
    CHECK(foreign.take().view.integer(key::resumed) == 0);

    auto& again = lab.unconnected(identity(lab.configuration.values.rights, "owner", {}, 0, true));
    again.connect(16, 60, token);
    CHECK(again.take().view.integer(key::resumed) == 1);
    CHECK(again.take().view.body == "a()");
    again.lose();
    lab.pass(61s);
    CHECK(lab.hub.entities() == 1);  // the sender's
    sender.message("(app:r)", "a()", 2, mbws::flag::reliable);
    CHECK(code_of(sender.take()) == "no-match");
}

TEST_CASE("no timer is wanted while nothing waits") {
    router_lab lab;
    auto& idle = lab.client();
    idle.attach("(app:i)");
    lab.turn();
    CHECK(lab.hub.next_deadline() == mbws::never);
    auto& away = lab.client(16, 60);
    away.lose();
    lab.turn();
    CHECK(lab.hub.next_deadline() == lab.network.at.now + 60s);
}

TEST_CASE("policy block holds the sender until the reader has room") {
    router_lab lab("[limits]\nqueue_messages = 16\n");
    auto& receiver = lab.client(4, 60);
    auto& sender = lab.client();
    receiver.attach("(app:r)", 1, [](auto& out) { out.set(key::policy, "block"); });
    sender.attach("(app:s)");
    int sent = 0;
    while (!sender.stopped && sent < 100) {
        sender.message("(app:r)", "a()");
        ++sent;
        lab.turn();
    }
    CHECK(sent < 100);
    sender.again = false;
    for (std::uint64_t number = 1; number <= 4; ++number) CHECK(receiver.take().view.number == number);
    CHECK(receiver.nothing());
    CHECK_FALSE(sender.again);
    for (std::uint64_t acked = 4; acked <= 16; acked += 4) {
        receiver.frame(verb::ack, acked, 0, {});
        lab.turn();
    }
    CHECK(sender.again);
}

TEST_CASE("a reader that its policy disconnects harms nobody") {
    router_lab lab("[limits]\nqueue_messages = 16\n");
    auto& sender = lab.client();
    auto& weak = lab.client(1, 0);
    auto& strong = lab.client();
    sender.attach("(app:s)");
    weak.attach("(app:r)", 1, [](auto& out) { out.set(key::policy, "disconnect"); });
    strong.attach("(app:r)");
    for (int i = 0; i < 40; ++i) {
        sender.message("(app:r)", "a()");
        CHECK(strong.take().view.verb == verb::message);
    }
    CHECK(lab.hub.sessions() == 2);
    sender.message("(app:r)", "b()", 1, mbws::flag::receipt);
    CHECK(sender.take().view.integer(key::matched) == 1);
}

TEST_CASE("shutting down tells every session and withdraws every entity") {
    router_lab lab;
    auto& client = lab.client(16, 60);
    client.attach("(app:c)");
    lab.hub.shut_down();
    const auto error = client.take();
    CHECK(error.view.verb == verb::error);
    CHECK(code_of(error) == "shutting-down");
    CHECK(lab.hub.sessions() == 0);
    CHECK(lab.hub.entities() == 0);
    auto& late = lab.unconnected(identity(lab.configuration.values.rights, "owner", {}, 0, true));
    late.connect();
    CHECK(code_of(late.take()) == "shutting-down");
}
