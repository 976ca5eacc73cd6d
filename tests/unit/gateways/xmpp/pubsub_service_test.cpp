// Nodes, items and their events as an XMPP client sees them (XEP-0060, XEP-0004).
#include "pubsub_lab.hpp"

using namespace xmpp_test;

TEST_CASE("the service is found by disco, with its features [xmpp 59]") {
    pubsub_lab lab;
    auto& ann = lab.login("ann");
    CHECK(ann.ask("get", "<query xmlns='http://jabber.org/protocol/disco#items'/>")
              .first()
              ->first()
              ->value_of("jid") == host);
    const auto info = ann.ask("get", "<query xmlns='http://jabber.org/protocol/disco#info'/>", host);
    CHECK(info.first()->first()->value_of("category") == "pubsub");
    std::set<std::string, std::less<>> offered;
    for (const auto* each : info.first()->elements()) offered.emplace(each->value_of("var"));
    CHECK(offered.contains("http://jabber.org/protocol/pubsub"));
    for (const auto* each : {"access-open",
                             "access-authorize",
                             "access-whitelist",
                             "config-node",
                             "create-and-configure",
                             "create-nodes",
                             "delete-items",
                             "delete-nodes",
                             "instant-nodes",
                             "item-ids",
                             "manage-subscriptions",
                             "member-affiliation",
                             "meta-data",
                             "modify-affiliations",
                             "multi-items",
                             "outcast-affiliation",
                             "persistent-items",
                             "publish",
                             "publish-options",
                             "publisher-affiliation",
                             "purge-nodes",
                             "retract-items",
                             "retrieve-affiliations",
                             "retrieve-default",
                             "retrieve-items",
                             "retrieve-subscriptions",
                             "rsm",
                             "subscribe",
                             "subscription-options"}) {
        CAPTURE(each);
        CHECK(offered.contains("http://jabber.org/protocol/pubsub#" + std::string{each}));
    }
}

TEST_CASE("a node is created, listed and described; again it is a conflict [xmpp 60] [xmpp 61]") {
    pubsub_lab lab;
    auto& ann = lab.login("ann");
    lab.make(ann, form(field("pubsub#title", "News")));
    CHECK(condition(lab.ask(ann, "set", "<create node='news'/>")) == "conflict");
    CHECK_FALSE(lab.ask(ann, "set", "<create/>").first()->first()->value_of("node").empty());
    const auto items = ann.ask("get", "<query xmlns='http://jabber.org/protocol/disco#items'/>", host);
    bool listed = false;
    for (const auto* each : items.first()->elements())
        listed |= each->value_of("node") == "news" && each->value_of("name") == "News";
    CHECK(listed);
    const auto info =
        ann.ask("get", "<query xmlns='http://jabber.org/protocol/disco#info' node='news'/>", host);
    CHECK(info.first()->first()->value_of("type") == "leaf");
    CHECK(info.first()->child(ns::forms, "x") != nullptr);
    CHECK(condition(ann.ask("get", "<query xmlns='http://jabber.org/protocol/disco#info' node='none'/>",
                            host)) == "item-not-found");
}

TEST_CASE("the configuration form is read and submitted in part [xmpp 62]") {
    pubsub_lab lab;
    auto& ann = lab.login("ann");
    lab.make(ann);
    CHECK(lab.own(ann, "set",
                  "<configure node='news'>" +
                      form(field("pubsub#title", "T") + field("pubsub#access_model", "")) + "</configure>")
              .value_of("type") == "result");
    const auto shown = lab.own(ann, "get", "<configure node='news'/>");
    std::string title;
    std::string access;
    for (const auto* each : shown.first()->first()->first()->elements(ns::forms, "field")) {
        if (each->value_of("var") == "pubsub#title") title = each->first()->text();
        if (each->value_of("var") == "pubsub#access_model") access = each->child(ns::forms, "value")->text();
    }
    CHECK(title == "T");
    CHECK(access == "open");
    CHECK(condition(lab.own(ann, "set",
                            "<configure node='news'>" + form(field("pubsub#access_model", "wrong")) +
                                "</configure>")) == "not-acceptable");
    CHECK(lab.own(ann, "get", "<default/>").first()->first()->first()->is(ns::forms, "x"));
}

TEST_CASE(
    "publish: the id comes back, subscribers get the payload, strangers nothing [xmpp 63] [xmpp 65] [xmpp 66]") {
    pubsub_lab lab;
    auto& ann = lab.login("ann");
    auto& bob = lab.login("bob");
    auto& eve = lab.login("eve");
    bob.available();
    eve.available();
    lab.make(ann);
    const auto subscribed = lab.ask(bob, "set", "<subscribe node='news' jid='bob@bus.example'/>");
    CHECK(subscribed.first()->first()->value_of("subscription") == "subscribed");
    CHECK(detail(lab.ask(bob, "set", "<subscribe node='news' jid='eve@bus.example'/>")) == "invalid-jid");
    const auto put = lab.put(ann, "i1", "one");
    CHECK(put.first()->first()->first()->value_of("id") == "i1");
    const auto event = bob.take();
    CHECK(event.value_of("from") == host);
    CHECK(event.value_of("type") == "headline");
    const auto* item = event.first()->first()->first();
    CHECK(item->value_of("id") == "i1");
    CHECK(item->first()->is("http://www.w3.org/2005/Atom", "entry"));
    CHECK(item->first()->text() == "one");
    CHECK(eve.nothing());
    CHECK(ann.nothing());
    lab.put(ann, "i1", "again");
    CHECK(bob.take().first()->first()->first()->first()->text() == "again");
}

TEST_CASE(
    "an entry's event says the title as text too, for clients that know no events; unless the node says no") {
    pubsub_lab lab;
    auto& ann = lab.login("ann");
    lab.make(ann);
    lab.ask(ann, "set", "<subscribe node='news' jid='" + ann.jid() + "'/>");
    const std::string entry =
        "<id>tag:x,2026:1</id><title>Rain &amp; wind</title><updated>2026-01-01T00:00:00Z</updated><link href='http://x.example/1'/>";
    const auto event_of = [&](const std::string& id) {
        lab.put(ann, id, entry);
        return ann.take();
    };
    const auto told = event_of("i1");
    CHECK(told.first()->is(ns::pubsub_event, "event"));
    REQUIRE(told.child(ns::client, "body") != nullptr);
    CHECK(told.child(ns::client, "body")->text() == "Rain & wind\nhttp://x.example/1");
    CHECK(told.child(ns::client, "subject")->text() == "news");
    REQUIRE(lab.own(ann, "set",
                    "<configure node='news'>" + form(field("pubsub#include_body", "0")) + "</configure>")
                .value_of("type") == "result");
    ann.sent.clear();
    CHECK(event_of("i2").child(ns::client, "body") == nullptr);
}

TEST_CASE("bad publishes have the conditions of the XEP [xmpp 70] [xmpp 71]") {
    pubsub_lab lab;
    auto& ann = lab.login("ann");
    auto& bob = lab.login("bob");
    lab.make(ann);
    const std::string entry = "<entry xmlns='http://www.w3.org/2005/Atom'/>";
    CHECK(condition(lab.put(bob, "x", "")) == "forbidden");
    CHECK(condition(lab.ask(ann, "set", "<publish node='none'><item>" + entry + "</item></publish>")) ==
          "item-not-found");
    CHECK(detail(lab.ask(ann, "set", "<publish><item>" + entry + "</item></publish>")) == "nodeid-required");
    CHECK(detail(lab.ask(ann, "set", "<publish node='news'/>")) == "item-required");
    CHECK(detail(lab.ask(ann, "set", "<publish node='news'><item/></publish>")) == "payload-required");
    CHECK(detail(lab.ask(ann, "set", "<publish node='news'><item>" + entry + entry + "</item></publish>")) ==
          "invalid-payload");
    CHECK(detail(lab.ask(ann, "set",
                         "<publish node='news'><item>" + entry + "</item><item>" + entry +
                             "</item></publish>")) == "invalid-payload");
    CHECK(detail(lab.ask(ann, "set",
                         "<publish node='news'><item>" + entry + "</item></publish><publish-options>" +
                             form(field("pubsub#access_model", "whitelist")) + "</publish-options>")) ==
          "precondition-not-met");
    CHECK(condition(lab.ask(ann, "set", "")) == "bad-request");
    CHECK(condition(lab.ask(ann, "set", "<create xmlns='urn:other' node='x'/>")) == "bad-request");
    CHECK(condition(lab.ask(ann, "set", "<dance node='news'/>")) == "bad-request");
    CHECK(condition(lab.own(ann, "set", "<delete xmlns='http://jabber.org/protocol/pubsub' node='news'/>")) ==
          "bad-request");
    CHECK(condition(ann.ask("get", "<x xmlns='urn:y'/>", host)) == "service-unavailable");
}

TEST_CASE("items come whole, newest k, or by id; payloads namespace-exact [xmpp 68] [xmpp 72]") {
    pubsub_lab lab;
    auto& ann = lab.login("ann");
    lab.make(ann);
    lab.ask(
        ann, "set",
        "<publish node='news'><item id='a &lt;b&gt;'><e:entry xmlns:e='http://www.w3.org/2005/Atom' xml:lang='de'>x <b xmlns=''>y</b></e:entry></item></publish>");
    lab.put(ann, "2", "two");
    lab.put(ann, "3", "three");
    CHECK(lab.ask(ann, "get", "<items node='news'/>").first()->first()->elements().size() == 3);
    CHECK(
        lab.ask(ann, "get", "<items node='news' max_items='2'/>").first()->first()->first()->value_of("id") ==
        "2");
    const auto got = lab.ask(ann, "get", "<items node='news'><item id='a &lt;b&gt;'/></items>");
    const auto* entry = got.first()->first()->first()->first();
    CHECK(entry->get(xml::xml_namespace, "lang") == "de");
    CHECK(entry->child("", "b")->text() == "y");
    CHECK(lab.ask(ann, "get", "<items node='news'><item id='none'/></items>")
              .first()
              ->first()
              ->elements()
              .empty());
    CHECK(condition(lab.ask(ann, "get", "<items node='none'/>")) == "item-not-found");
}

TEST_CASE("retract, purge and delete send their events [xmpp 74] [xmpp 78] [xmpp 80]") {
    pubsub_lab lab;
    auto& ann = lab.login("ann");
    auto& bob = lab.login("bob");
    bob.available();
    lab.make(ann);
    lab.ask(bob, "set", "<subscribe node='news' jid='bob@bus.example'/>");
    lab.put(ann, "1", "x");
    bob.take();
    CHECK(lab.ask(ann, "set", "<retract node='news' notify='1'><item id='1'/></retract>").value_of("type") ==
          "result");
    CHECK(bob.take().first()->first()->first()->name() == "retract");
    CHECK(detail(lab.ask(ann, "set", "<retract node='news'/>")) == "item-required");
    CHECK(detail(lab.ask(ann, "set", "<retract><item id='1'/></retract>")) == "nodeid-required");
    CHECK(condition(lab.ask(ann, "set", "<retract node='news'><item id='1'/></retract>")) ==
          "item-not-found");
    CHECK(condition(lab.ask(ann, "set", "<retract node='news'><item id='1'/><item id='2'/></retract>")) ==
          "bad-request");
    CHECK(condition(lab.ask(bob, "set", "<retract node='news'><item id='1'/></retract>")) == "forbidden");
    CHECK(condition(lab.own(bob, "set", "<purge node='news'/>")) == "forbidden");
    CHECK(lab.own(ann, "set", "<purge node='news'/>").value_of("type") == "result");
    CHECK(bob.take().first()->first()->name() == "purge");
    CHECK(condition(lab.own(bob, "set", "<delete node='news'/>")) == "forbidden");
    CHECK(lab.own(ann, "set", "<delete node='news'/>").value_of("type") == "result");
    CHECK(bob.take().first()->first()->name() == "delete");
    CHECK(condition(lab.own(ann, "set", "<delete node='news'/>")) == "item-not-found");
    CHECK(lab.ask(bob, "get", "<subscriptions/>").first()->first()->elements().empty());
}

TEST_CASE("an item without id gets one, in the result and in the event [xmpp 67]") {
    pubsub_lab lab;
    auto& ann = lab.login("ann");
    ann.available();
    lab.make(ann);
    lab.ask(ann, "set", "<subscribe node='news' jid='ann@bus.example'/>");
    const auto put =
        lab.ask(ann, "set",
                "<publish node='news'><item><entry xmlns='http://www.w3.org/2005/Atom'/></item></publish>");
    const auto id = put.first()->first()->first()->value_of("id");
    CHECK_FALSE(id.empty());
    CHECK(ann.take().first()->first()->first()->value_of("id") == id);
}
