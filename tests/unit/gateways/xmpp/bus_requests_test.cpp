// What became of a message: receipts, faults, replies (docs/xmpp.md).
#include "bus_lab.hpp"

using namespace xmpp_test;
using mbus::mbws::verb;

TEST_CASE("a receipt that is asked for tells who took the message (XEP-0184)") {
    bus_lab lab;
    auto& player = lab.bus.client();
    const auto address = player.attach("(app:player)");
    auto& ann = lab.login("ann");
    ann.say(to_bus("(app:player)", std::string{"<body>play()</body>"} + receipt, "r9"));
    lab.bus.turn();
    static_cast<void>(player.take());
    const auto got = ann.take();
    CHECK(got.value_of("from") == std::string{bus_host} + "/(app:player)");
    CHECK(got.child("urn:xmpp:receipts", "received")->value_of("id") == "r9");
    CHECK(got.child(urn, "delivered")->value_of("matched") == "1");
    CHECK(got.child(urn, "delivered")->value_of("entity") == address);
}

TEST_CASE("a reliable message that fails is an error with the daemon's sentence") {
    bus_lab lab;
    auto& ann = lab.login("ann");
    SUBCASE("nobody is there") {
        ann.say(to_bus("(app:nobody)", std::string{"<body>x()</body>"} + receipt));
        lab.bus.turn();
        const auto got = ann.take();
        CHECK(condition(got) == "item-not-found");
        CHECK(got.value_of("id") == "m1");
        CHECK(fault(got).value_of("code") == "no-match");
        CHECK_FALSE(sentence(got).empty());
    }
    SUBCASE("several are there") {
        auto& first = lab.bus.client();
        first.attach("(app:player)");
        auto& second = lab.bus.client();
        second.attach("(app:player)");
        ann.say(to_bus("(app:player)", std::string{"<body>x()</body>"} + receipt));
        lab.bus.turn();
        const auto got = ann.take();
        CHECK(condition(got) == "conflict");
        CHECK(fault(got).value_of("code") == "not-unique");
    }
    SUBCASE("another host does not acknowledge") {
        auto& far = lab.bus.other_host();
        REQUIRE(far.engine.attach(lab.bus.network.at, *mbus::address::parse("(app:far)"), 7));
        for (int i = 0; i < 12; ++i) {
            lab.bus.pass(100ms);
            lab.bus.carry();
        }
        ann.say(to_bus("(app:far)", std::string{"<body>x()</body>"} + receipt));
        for (int i = 0; i < 40; ++i) {
            static_cast<void>(lab.bus.network.flush());  // lost on its way
            lab.bus.pass(80ms);
        }
        REQUIRE_FALSE(ann.nothing());
        CHECK(condition(ann.take()) == "remote-server-timeout");
    }
}

TEST_CASE("an iq with a command is a request, and its result is the reply") {
    bus_lab lab;
    auto& door = lab.bus.client();
    const auto address = door.attach("(app:door)");
    auto& ann = lab.login("ann");
    ann.say(
        "<iq xmlns='jabber:client' type='set' id='c1' to='bus.bus.example/(app:door)'><command xmlns='urn:x-mbus:1' name='door.open'>"
        "<integer>2</integer></command></iq>");
    lab.bus.turn();
    const auto asked = door.take();
    CHECK(asked.octets.find(R"(door.open((("ID" "1") ("RPC-TYPE" "UNICAST")) (2)))") != std::string::npos);

    SUBCASE("its callee replies") {
        door.message("(user:ann)",
                     R"(door.open.return((("ID" "1") ("RPC-STATUS" "OK")) ((OK OK "fine") ("open" 2))))");
        lab.bus.turn();
        const auto got = ann.take();
        CHECK(got.value_of("type") == "result");
        CHECK(got.value_of("id") == "c1");
        const auto* reply = got.child(urn, "reply");
        CHECK(reply->value_of("status") == "OK");
        CHECK(reply->value_of("text") == "fine");
        CHECK(reply->value_of("from") == address);
        CHECK(reply->child(urn, "string")->text() == "open");
        CHECK(reply->child(urn, "integer")->text() == "2");
        lab.timers.front().second();
        CHECK(ann.nothing());
    }
    SUBCASE("its id comes back as a number or a symbol") {
        for (const auto* id : {"1", "x1"}) {
            CAPTURE(id);
            door.message("(user:ann)", std::string{R"(door.open.return((("ID" )"} + id +
                                           R"() ("RPC-STATUS" "OK")) ((OK OK "") ())))");
            lab.bus.turn();
            CHECK(ann.take().name() == (std::string_view{id} == "1" ? "iq" : "message"));
        }
    }
    SUBCASE("the reply comes together with something else") {
        door.message("(user:ann)", "state(on)\n"
                                   R"(door.open.return((("ID" "1") ("RPC-STATUS" "OK")) ((OK OK "") ())))"
                                   "\nstate(off)");
        lab.bus.turn();
        CHECK(ann.take().name() == "iq");
        const auto rest = ann.take();
        CHECK(rest.child("jabber:client", "body")->text() == "state(on)\nstate(off)");
        CHECK(ann.nothing());
    }
    SUBCASE("somebody else replies: a message like any other") {
        auto& other = lab.bus.client();
        other.attach("(app:other)");
        other.message("(user:ann)",
                      R"(door.open.return((("ID" "1") ("RPC-STATUS" "OK")) ((OK OK "fine") ())))");
        lab.bus.turn();
        CHECK(ann.take().name() == "message");
    }
    SUBCASE("nobody replies") {
        lab.timers.front().second();
        const auto got = ann.take();
        CHECK(condition(got) == "remote-server-timeout");
        CHECK(got.value_of("id") == "c1");
    }
    SUBCASE("the session ends first") {
        ann.lose();
        lab.bus.turn();
        lab.timers.front().second();
        CHECK(ann.nothing());
    }
}

TEST_CASE("a request to nobody fails at once") {
    bus_lab lab;
    auto& ann = lab.login("ann");
    CHECK(condition(ann.ask("set", "<command xmlns='urn:x-mbus:1' name='x'/>",
                            std::string{bus_host} + "/(app:none)")) == "item-not-found");
    CHECK(condition(ann.ask("set", "<command xmlns='urn:x-mbus:1' name=''/>",
                            std::string{bus_host} + "/(app:none)")) == "bad-request");
}

TEST_CASE("a session that waits for its client keeps what the bus sends") {
    bus_lab lab;
    auto& player = lab.bus.client();
    player.attach("(app:player)");
    auto& ann = lab.login("ann");
    ann.say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    REQUIRE(ann.take().name() == "enabled");
    ann.lose();
    player.message("(user:ann)", "kept()");
    lab.bus.turn();
    auto* waiting = lab.domain.domain.find(ann.jid());
    REQUIRE(waiting != nullptr);
    REQUIRE(waiting->queue.waiting().size() == 1);
    CHECK(waiting->queue.waiting().front().find("kept()") != std::string::npos);
}
