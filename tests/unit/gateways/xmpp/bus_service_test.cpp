// Messages between XMPP sessions and the bus, and whose they may be (docs/xmpp.md).
#include "bus_lab.hpp"

using namespace xmpp_test;
using mbus::mbws::verb;

TEST_CASE("each bound session is an entity of the bus, until it ends") {
    bus_lab lab;
    CHECK(lab.bus.hub.entities() == 0);
    auto& ann = lab.login("ann", "x7");
    CHECK(lab.bus.hub.entities() == 1);
    auto& player = lab.bus.client();
    player.attach("(app:player)");
    player.message("(app:xmpp user:ann resource:x7)", "hello()");
    lab.bus.turn();
    CHECK(ann.take().name() == "message");
    ann.lose();
    lab.bus.turn();
    CHECK(lab.bus.hub.entities() == 1);  // the player
    CHECK(lab.door.entities() == 0);
}

TEST_CASE("a body in the syntax of RFC 3259 becomes a message on the bus") {
    bus_lab lab;
    auto& player = lab.bus.client();
    player.attach("(app:player media:audio)");
    auto& ann = lab.login("ann", "x7");
    ann.say(to_bus("(app:player media:audio)", "<body>player.play(\"song.mp3\" 3)</body>"));
    lab.bus.turn();
    const auto got = player.take();
    CHECK(got.view.verb == verb::message);
    CHECK(got.octets.find("player.play(\"song.mp3\" 3)") != std::string::npos);
    CHECK(got.octets.find("user:ann") != std::string::npos);
    CHECK(ann.nothing());
}

TEST_CASE("command elements become a message on the bus") {
    bus_lab lab;
    auto& player = lab.bus.client();
    player.attach("(app:player)");
    auto& ann = lab.login("ann");
    ann.say(
        to_bus("(app:player)",
               "<command xmlns='urn:x-mbus:1' name='gain'><integer>80</integer><symbol>on</symbol></command>"
               "<command xmlns='urn:x-mbus:1' name='stop'/>"));
    lab.bus.turn();
    CHECK(player.take().octets.find("gain(80 on)\r\nstop()") != std::string::npos);
}

TEST_CASE("a message of the bus comes with its text and its typed commands") {
    bus_lab lab;
    auto& player = lab.bus.client();
    const auto address = player.attach("(app:player)");
    auto& ann = lab.login("ann");
    player.message("(user:ann)", "state(playing 3 \"a\")\r\nnext()");
    lab.bus.turn();
    const auto got = ann.take();
    CHECK(got.value_of("from") == std::string{bus_host} + "/" + address);
    CHECK(got.value_of("to") == ann.jid());
    CHECK(got.child("jabber:client", "body")->text() == "state(playing 3 \"a\")\nnext()");
    const auto commands = got.elements(urn, "command");
    REQUIRE(commands.size() == 2);
    CHECK(commands[0]->value_of("name") == "state");
    CHECK(commands[0]->child(urn, "symbol")->text() == "playing");
    CHECK(commands[0]->child(urn, "integer")->text() == "3");
    CHECK(got.child(urn, "message")->value_of("to") == "(user:ann)");
    CHECK(got.child(urn, "message")->value_of("from") == address);
}

TEST_CASE("two sessions reach each other over the bus by what they got") {
    bus_lab lab;
    auto& ann = lab.login("ann");
    auto& bob = lab.login("bob");
    ann.say(to_bus("(user:bob)", "<body>hi(1)</body>"));
    lab.bus.turn();
    const auto got = bob.take();
    bob.say("<message xmlns='jabber:client' to='" + std::string{got.value_of("from")} +
            "'><body>ho(2)</body></message>");
    lab.bus.turn();
    CHECK(ann.take().child("jabber:client", "body")->text() == "ho(2)");
}

TEST_CASE("an unreliable message to nobody is no error, as on the bus") {
    bus_lab lab;
    auto& ann = lab.login("ann");
    ann.say(to_bus("(app:nobody)", "<body>x()</body>"));
    lab.bus.turn();
    CHECK(ann.nothing());
}

TEST_CASE("the rights of the account hold") {
    bus_lab lab;
    auto& mute = lab.login("mute");
    mute.say(to_bus("(app:player)", "<body>x()</body>"));
    lab.bus.turn();
    const auto got = mute.take();
    CHECK(condition(got) == "forbidden");
    CHECK(got.child("jabber:client", "error")->value_of("type") == "auth");
    mute.say(to_bus("(app:chat)", "<body>x()</body>"));
    lab.bus.turn();
    CHECK(mute.nothing());
}

TEST_CASE("guests are not on the bus unless they have rights") {
    bus_lab lab;
    auto& guest = lab.login("guest");
    CHECK(lab.bus.hub.entities() == 0);
    guest.say(to_bus("(app:player)", "<body>x()</body>"));
    const auto got = guest.take();
    CHECK(condition(got) == "forbidden");
    CHECK(sentence(got).find("log in") != std::string::npos);
    CHECK(condition(guest.ask("get", "<query xmlns='http://jabber.org/protocol/disco#items'/>", bus_host)) ==
          "forbidden");
}

TEST_CASE("bad addresses and commands are refused with their place [xmpp 53]") {
    bus_lab lab;
    auto& ann = lab.login("ann");
    ann.say(to_bus("(app player)", "<body>x()</body>"));
    CHECK(condition(ann.take()) == "jid-malformed");
    ann.say("<message xmlns='jabber:client' to='bus.bus.example' id='1'><body>x()</body></message>");
    CHECK(condition(ann.take()) == "jid-malformed");
    ann.say(to_bus("(app:player)", "<body>play(1</body>"));
    const auto got = ann.take();
    CHECK(condition(got) == "bad-request");
    CHECK(fault(got).value_of("offset") == "6");
    ann.say(
        to_bus("(app:player)", "<command xmlns='urn:x-mbus:1' name='x'><integer>one</integer></command>"));
    CHECK(condition(ann.take()) == "bad-request");
    ann.say(to_bus("(app:player)", ""));
    CHECK(condition(ann.take()) == "bad-request");
    ann.say("<message xmlns='jabber:client' to='bus.bus.example/(app:player)'><body>x()</body>" +
            std::string{receipt} + "</message>");
    CHECK(condition(ann.take()) == "bad-request");
}

TEST_CASE("typing notifications and errors are not answered") {
    bus_lab lab;
    auto& ann = lab.login("ann");
    ann.say(to_bus("(app:player)", "<composing xmlns='http://jabber.org/protocol/chatstates'/>"));
    ann.say("<message xmlns='jabber:client' type='error' to='bus.bus.example/(app:player)'/>");
    CHECK(ann.nothing());
    CHECK(lab.door.counters().ignored == 2);
}
