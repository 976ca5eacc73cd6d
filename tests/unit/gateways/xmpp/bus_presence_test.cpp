// Who is on the bus, as an XMPP client sees it: disco and presence (docs/xmpp.md).
#include "bus_lab.hpp"

using namespace xmpp_test;
using mbus::mbws::verb;

TEST_CASE("disco finds the bus and lists its entities") {
    bus_lab lab;
    auto& player = lab.bus.client();
    const auto address = player.attach("(app:player)");
    auto& ann = lab.login("ann");
    const auto services = ann.ask("get", "<query xmlns='http://jabber.org/protocol/disco#items'/>");
    CHECK(services.first()->first()->value_of("jid") == bus_host);
    const auto info = ann.ask("get", "<query xmlns='http://jabber.org/protocol/disco#info'/>", bus_host);
    CHECK(info.first()->child("http://jabber.org/protocol/disco#info", "identity")->value_of("category") ==
          "component");
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

    const auto some = ann.ask("get", "<query xmlns='http://jabber.org/protocol/disco#items'/>",
                              std::string{bus_host} + "/(app:player)");
    CHECK(some.first()->elements().size() == 1);
    const auto one = ann.ask("get", "<query xmlns='http://jabber.org/protocol/disco#info'/>",
                             std::string{bus_host} + "/" + address);
    CHECK(one.value_of("type") == "result");
    CHECK(condition(ann.ask("get", "<query xmlns='http://jabber.org/protocol/disco#info'/>",
                            std::string{bus_host} + "/(app:none)")) == "item-not-found");
    CHECK(condition(ann.ask("get", "<query xmlns='http://jabber.org/protocol/disco#info' node='n'/>",
                            bus_host)) == "item-not-found");
    CHECK(ann.ask("get", "<ping xmlns='urn:xmpp:ping'/>", bus_host).value_of("type") == "result");
    CHECK(condition(ann.ask("get", "<vCard xmlns='vcard-temp'/>", bus_host)) == "service-unavailable");
}

TEST_CASE("entities are listed page by page (XEP-0059)") {
    bus_lab lab;
    auto& ann = lab.login("ann");
    for (const char letter : {'a', 'b', 'c', 'd'})
        lab.bus.client().attach(std::string{"(app:"} + letter + ")");
    std::string after;
    std::vector<std::string> seen;
    for (int page = 0; page < 3; ++page) {
        const auto answer = ann.ask(
            "get",
            "<query xmlns='http://jabber.org/protocol/disco#items'><set xmlns='http://jabber.org/protocol/rsm'><max>2</max>" +
                (after.empty() ? "" : "<after>" + after + "</after>") + "</set></query>",
            bus_host);
        for (const auto* each : answer.first()->elements("http://jabber.org/protocol/disco#items", "item"))
            seen.emplace_back(each->value_of("name"));
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
