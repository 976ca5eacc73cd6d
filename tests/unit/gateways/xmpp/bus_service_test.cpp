// bus.DOMAIN on a router without sockets: XMPP sessions and MBWS clients talk to each other.
#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gateways/xmpp/bus_service.hpp"
#include "router_lab.hpp"
#include "xmpp_lab.hpp"

using namespace xmpp_test;
using mbus::mbws::verb;

namespace {

constexpr const char* bus_host = "bus.bus.example";
constexpr const char* urn = "urn:x-mbus:1";

struct bus_lab {
    bus_lab()
        : door({.host = bus_host,
                .rights = [this](const xmpp::session& whose) { return rights_of(whose); },
                .after = [this](std::chrono::milliseconds wait, std::function<void()> what) { timers.emplace_back(wait, std::move(what)); }},
               bus.hub, bus.turns, domain.domain) {
        domain.domain.add(door);
    }

    std::shared_ptr<const mbusd::granted_rights> rights_of(const xmpp::session& whose) {
        if (whose.guest()) return nullptr;
        if (whose.bare() != "mute@bus.example") return std::make_shared<const mbusd::granted_rights>(mbusd::granted_rights::all("test"));
        mbusd::rights_rule rule;
        rule.attach.push_back(*mbus::address::parse("()"));
        rule.send.push_back(*mbus::address::parse("(app:chat)"));
        return std::make_shared<const mbusd::granted_rights>(mbusd::rights_table{}.granted_to({.client = "mute", .name = "client:mute", .groups = {}}, rule));
    }

    xmpp_test::client& login(std::string_view user, std::string_view resource = "r") {
        auto& out = domain.login(user, resource);
        bus.turn();
        return out;
    }

    router_test::router_lab bus;
    xmpp_lab domain;
    std::vector<std::pair<std::chrono::milliseconds, std::function<void()>>> timers;
    xmpp::bus_service door;
};

std::string to_bus(std::string_view address, std::string_view inside, std::string_view id = "m1") {
    return "<message xmlns='jabber:client' to='" + std::string{bus_host} + "/" + std::string{address} + "' id='" + std::string{id} + "'>" +
           std::string{inside} + "</message>";
}

constexpr const char* receipt = "<request xmlns='urn:xmpp:receipts'/>";

std::string_view sentence(const xml::element& error) {
    static std::string kept;
    kept = error.child("jabber:client", "error")->child("urn:ietf:params:xml:ns:xmpp-stanzas", "text")->text();
    return kept;
}

const xml::element& fault(const xml::element& error) { return *error.child("jabber:client", "error")->child(urn, "fault"); }

}  // namespace

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
    ann.say(to_bus("(app:player)", "<command xmlns='urn:x-mbus:1' name='gain'><integer>80</integer><symbol>on</symbol></command>"
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
    bob.say("<message xmlns='jabber:client' to='" + std::string{got.value_of("from")} + "'><body>ho(2)</body></message>");
    lab.bus.turn();
    CHECK(ann.take().child("jabber:client", "body")->text() == "ho(2)");
}

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
    CHECK(condition(guest.ask("get", "<query xmlns='http://jabber.org/protocol/disco#items'/>", bus_host)) == "forbidden");
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
    ann.say(to_bus("(app:player)", "<command xmlns='urn:x-mbus:1' name='x'><integer>one</integer></command>"));
    CHECK(condition(ann.take()) == "bad-request");
    ann.say(to_bus("(app:player)", ""));
    CHECK(condition(ann.take()) == "bad-request");
    ann.say("<message xmlns='jabber:client' to='bus.bus.example/(app:player)'><body>x()</body>" + std::string{receipt} + "</message>");
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

TEST_CASE("disco finds the bus and lists its entities") {
    bus_lab lab;
    auto& player = lab.bus.client();
    const auto address = player.attach("(app:player)");
    auto& ann = lab.login("ann");
    const auto services = ann.ask("get", "<query xmlns='http://jabber.org/protocol/disco#items'/>");
    CHECK(services.first()->first()->value_of("jid") == bus_host);
    const auto info = ann.ask("get", "<query xmlns='http://jabber.org/protocol/disco#info'/>", bus_host);
    CHECK(info.first()->child("http://jabber.org/protocol/disco#info", "identity")->value_of("category") == "component");
    CHECK(info.first()->child("http://jabber.org/protocol/disco#info", "feature")->value_of("var") == urn);
    // Converse asks for the items of nobody but servers.
    const auto identities = info.first()->elements("http://jabber.org/protocol/disco#info", "identity");
    REQUIRE(identities.size() == 2);
    CHECK(identities[1]->value_of("category") == "server");

    const auto items = ann.ask("get", "<query xmlns='http://jabber.org/protocol/disco#items'/>", bus_host);
    std::vector<std::string> found;
    for (const auto* each : items.first()->elements()) found.emplace_back(each->value_of("jid"));
    CHECK(found.size() == 3);  // mbusd, the player, ann
    CHECK(std::ranges::count(found, std::string{bus_host} + "/" + address) == 1);

    const auto some = ann.ask("get", "<query xmlns='http://jabber.org/protocol/disco#items'/>", std::string{bus_host} + "/(app:player)");
    CHECK(some.first()->elements().size() == 1);
    const auto one = ann.ask("get", "<query xmlns='http://jabber.org/protocol/disco#info'/>", std::string{bus_host} + "/" + address);
    CHECK(one.value_of("type") == "result");
    CHECK(condition(ann.ask("get", "<query xmlns='http://jabber.org/protocol/disco#info'/>", std::string{bus_host} + "/(app:none)")) == "item-not-found");
    CHECK(condition(ann.ask("get", "<query xmlns='http://jabber.org/protocol/disco#info' node='n'/>", bus_host)) == "item-not-found");
    CHECK(ann.ask("get", "<ping xmlns='urn:xmpp:ping'/>", bus_host).value_of("type") == "result");
    CHECK(condition(ann.ask("get", "<vCard xmlns='vcard-temp'/>", bus_host)) == "service-unavailable");
}

TEST_CASE("entities are listed page by page (XEP-0059)") {
    bus_lab lab;
    auto& ann = lab.login("ann");
    for (const char letter : {'a', 'b', 'c', 'd'}) lab.bus.client().attach(std::string{"(app:"} + letter + ")");
    std::string after;
    std::vector<std::string> seen;
    for (int page = 0; page < 3; ++page) {
        const auto answer = ann.ask("get", "<query xmlns='http://jabber.org/protocol/disco#items'><set xmlns='http://jabber.org/protocol/rsm'><max>2</max>" +
                                               (after.empty() ? "" : "<after>" + after + "</after>") + "</set></query>", bus_host);
        for (const auto* each : answer.first()->elements("http://jabber.org/protocol/disco#items", "item")) seen.emplace_back(each->value_of("name"));
        const auto* set = answer.first()->child("http://jabber.org/protocol/rsm", "set");
        CHECK(set->child("http://jabber.org/protocol/rsm", "count")->text() == "6");
        after = set->child("http://jabber.org/protocol/rsm", "last")->text();
    }
    CHECK(seen.size() == 6);
    CHECK(std::ranges::is_sorted(seen));
}

TEST_CASE("subscribed presence tells who is there, who joins and who leaves") {
    bus_lab lab;
    auto& ann = lab.login("ann");
    ann.say("<presence xmlns='jabber:client' type='subscribe' to='bus.bus.example'/>");
    CHECK(ann.take().value_of("type") == "subscribed");
    CHECK(ann.take().value_of("type").empty());
    CHECK(ann.take().value_of("type").empty());  // mbusd, and ann
    CHECK(ann.nothing());

    auto& player = lab.bus.client();
    const auto address = player.attach("(app:player)");
    lab.bus.turn();
    const auto joined = ann.take();
    CHECK(joined.value_of("from") == std::string{bus_host} + "/" + address);
    CHECK(joined.value_of("type").empty());
    CHECK(joined.child(urn, "entity")->value_of("state") == "joined");
    player.lose();
    lab.bus.turn();
    const auto left = ann.take();
    CHECK(left.value_of("type") == "unavailable");
    CHECK(left.value_of("from") == std::string{bus_host} + "/" + address);

    ann.say("<presence xmlns='jabber:client' type='unsubscribe' to='bus.bus.example'/>");
    CHECK(ann.take().value_of("type") == "unsubscribed");
    lab.bus.client().attach("(app:other)");
    lab.bus.turn();
    CHECK(ann.nothing());
}

TEST_CASE("presence can be limited to some entities, and ends with the session") {
    bus_lab lab;
    auto& ann = lab.login("ann");
    ann.say("<presence xmlns='jabber:client' type='subscribe' to='bus.bus.example/(app:player)'/>");
    CHECK(ann.take().value_of("type") == "subscribed");
    lab.bus.client().attach("(app:other)");
    auto& player = lab.bus.client();
    player.attach("(app:player)");
    lab.bus.turn();
    CHECK(ann.take().value_of("from").find("(app:player") != std::string::npos);
    CHECK(ann.nothing());
    ann.lose();
    lab.bus.turn();
    player.lose();
    lab.bus.turn();
    CHECK(ann.nothing());
}

TEST_CASE("an iq with a command is a request, and its result is the reply") {
    bus_lab lab;
    auto& door = lab.bus.client();
    const auto address = door.attach("(app:door)");
    auto& ann = lab.login("ann");
    ann.say("<iq xmlns='jabber:client' type='set' id='c1' to='bus.bus.example/(app:door)'><command xmlns='urn:x-mbus:1' name='door.open'>"
            "<integer>2</integer></command></iq>");
    lab.bus.turn();
    const auto asked = door.take();
    CHECK(asked.octets.find(R"(door.open((("ID" "1") ("RPC-TYPE" "UNICAST")) (2)))") != std::string::npos);

    SUBCASE("its callee replies") {
        door.message("(user:ann)", R"(door.open.return((("ID" "1") ("RPC-STATUS" "OK")) ((OK OK "fine") ("open" 2))))");
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
            door.message("(user:ann)", std::string{R"(door.open.return((("ID" )"} + id + R"() ("RPC-STATUS" "OK")) ((OK OK "") ())))");
            lab.bus.turn();
            CHECK(ann.take().name() == (std::string_view{id} == "1" ? "iq" : "message"));
        }
    }
    SUBCASE("the reply comes together with something else") {
        door.message("(user:ann)", "state(on)\n" R"(door.open.return((("ID" "1") ("RPC-STATUS" "OK")) ((OK OK "") ())))" "\nstate(off)");
        lab.bus.turn();
        CHECK(ann.take().name() == "iq");
        const auto rest = ann.take();
        CHECK(rest.child("jabber:client", "body")->text() == "state(on)\nstate(off)");
        CHECK(ann.nothing());
    }
    SUBCASE("somebody else replies: a message like any other") {
        auto& other = lab.bus.client();
        other.attach("(app:other)");
        other.message("(user:ann)", R"(door.open.return((("ID" "1") ("RPC-STATUS" "OK")) ((OK OK "fine") ())))");
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
    CHECK(condition(ann.ask("set", "<command xmlns='urn:x-mbus:1' name='x'/>", std::string{bus_host} + "/(app:none)")) == "item-not-found");
    CHECK(condition(ann.ask("set", "<command xmlns='urn:x-mbus:1' name=''/>", std::string{bus_host} + "/(app:none)")) == "bad-request");
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
