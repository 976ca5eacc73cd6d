// Subscriptions and affiliations as an XMPP client sees them (XEP-0060, XEP-0004).
#include "pubsub_lab.hpp"

using namespace xmpp_test;

TEST_CASE("options of a subscription by their form (section 6.3)") {
    pubsub_lab lab;
    auto& ann = lab.login("ann");
    lab.make(ann);
    lab.ask(ann, "set",
            "<subscribe node='news' jid='Ann@Bus.Example/r'/><options>" +
                form(field("pubsub#deliver", "false")) + "</options>");
    const auto shown = lab.ask(ann, "get", "<options node='news' jid='ann@bus.example/r'/>");
    const auto* fields = shown.first()->first()->first();
    REQUIRE(fields->is(ns::forms, "x"));
    std::string deliver;
    for (const auto* each : fields->elements(ns::forms, "field")) {
        if (each->value_of("var") == "pubsub#deliver") deliver = each->first()->text();
    }
    CHECK(deliver == "0");
    lab.put(ann, "1", "x");
    CHECK(ann.nothing());
    CHECK(lab.ask(ann, "set",
                  "<options node='news' jid='ann@bus.example/r'>" + form(field("pubsub#deliver", "1")) +
                      "</options>")
              .value_of("type") == "result");
    lab.put(ann, "2", "x");
    CHECK_FALSE(ann.nothing());
    CHECK(detail(lab.ask(ann, "set", "<options node='news' jid='ann@bus.example/r'/>")) == "invalid-options");
    CHECK(detail(lab.ask(ann, "get", "<options node='news' jid='ann@bus.example'/>")) == "not-subscribed");
    CHECK(lab.ask(ann, "get", "<default/>").first()->first()->first()->is(ns::forms, "x"));
}

TEST_CASE("addresses are compared as addresses, and what is none is invalid-jid") {
    pubsub_lab lab;
    auto& ann = lab.login("ann");
    lab.make(ann);
    CHECK(lab.ask(ann, "set", "<subscribe node='news' jid='ANN@bus.example'/>")
              .first()
              ->first()
              ->value_of("jid") == "ann@bus.example");
    for (const auto* wrong : {"ann@bus.example/", "a b@bus.example", "@bus.example"}) {
        CAPTURE(wrong);
        CHECK(detail(lab.ask(ann, "set", "<subscribe node='news' jid='" + std::string{wrong} + "'/>")) ==
              "invalid-jid");
        CHECK(detail(lab.own(ann, "set",
                             "<affiliations node='news'><affiliation jid='" + std::string{wrong} +
                                 "' affiliation='member'/></affiliations>")) == "invalid-jid");
    }
    CHECK(
        lab.own(
               ann, "set",
               "<affiliations node='news'><affiliation jid='ANN@BUS.example' affiliation='owner'/></affiliations>")
            .value_of("type") == "result");
    CHECK(lab.own(ann, "get", "<affiliations node='news'/>").first()->first()->elements().size() == 1);
}

TEST_CASE("a form for something else is refused, one that does not say what for is taken (XEP-0068)") {
    pubsub_lab lab;
    auto& ann = lab.login("ann");
    lab.make(ann, form(field("pubsub#title", "T")));
    const auto foreign = form(field("FORM_TYPE", "urn:other") + field("pubsub#title", "other"));
    CHECK(condition(lab.own(ann, "set", "<configure node='news'>" + foreign + "</configure>")) ==
          "bad-request");
    CHECK(condition(lab.ask(ann, "set", "<create node='x'/><configure>" + foreign + "</configure>")) ==
          "bad-request");
    CHECK(condition(lab.own(ann, "set", "<configure node='news'/>")) == "bad-request");
    CHECK(lab.own(ann, "set", "<configure node='news'><x xmlns='jabber:x:data' type='cancel'/></configure>")
              .value_of("type") == "result");
    CHECK(lab.nodes.look_at({"ann@bus.example"}, "news")->config->title == "T");
}

TEST_CASE("messages that decide nothing are answered, errors are not") {
    pubsub_lab lab;
    auto& ann = lab.login("ann");
    auto& bob = lab.login("bob");
    lab.make(ann, form(field("pubsub#access_model", "authorize")));
    lab.ask(bob, "set", "<subscribe node='news' jid='bob@bus.example'/>");
    const auto say = [](client& who, const std::string& inside) {
        who.say("<message xmlns='jabber:client' to='pubsub.bus.example' id='m'>" + inside + "</message>");
        return condition(who.take());
    };
    const auto type = field("FORM_TYPE", "http://jabber.org/protocol/pubsub#subscribe_authorization");
    const auto decision = field("pubsub#node", "news") + field("pubsub#subscriber_jid", "bob@bus.example") +
                          field("pubsub#allow", "1");
    CHECK(say(ann, "<body>hello</body>") == "service-unavailable");
    CHECK(say(ann, form(decision)) == "bad-request");
    CHECK(say(ann, form(type + field("pubsub#node", "news"))) == "bad-request");
    CHECK(say(bob, form(type + decision)) == "forbidden");
    CHECK(say(ann, form(type + field("pubsub#node", "none") +
                        field("pubsub#subscriber_jid", "bob@bus.example") + field("pubsub#allow", "1"))) ==
          "item-not-found");
    ann.say("<message xmlns='jabber:client' type='error' to='pubsub.bus.example'>" + form(type + decision) +
            "</message>");
    CHECK(ann.nothing());
    CHECK(lab.nodes.subscriptions({"bob@bus.example"}, "news")->front().state ==
          mbusd::pubsub::subscription_state::pending);
}

TEST_CASE("subscriptions and affiliations are listed and set [xmpp 64] [xmpp 75] [xmpp 76] [xmpp 79]") {
    pubsub_lab lab;
    auto& ann = lab.login("ann");
    auto& bob = lab.login("bob");
    lab.make(ann);
    lab.ask(bob, "set", "<subscribe node='news' jid='bob@bus.example/r'/>");
    CHECK(lab.ask(bob, "get", "<subscriptions node='news'/>").first()->first()->first()->value_of("jid") ==
          "bob@bus.example/r");
    CHECK(lab.own(ann, "get", "<subscriptions node='news'/>").first()->first()->elements().size() == 1);
    CHECK(
        lab.own(
               ann, "set",
               "<affiliations node='news'><affiliation jid='bob@bus.example' affiliation='publisher'/></affiliations>")
            .value_of("type") == "result");
    CHECK(lab.put(bob, "b", "x").value_of("type") == "result");
    CHECK(lab.ask(bob, "get", "<affiliations/>").first()->first()->first()->value_of("affiliation") ==
          "publisher");
    CHECK(
        condition(lab.own(
            ann, "set",
            "<affiliations node='news'><affiliation jid='bob@bus.example' affiliation='king'/></affiliations>")) ==
        "bad-request");
    CHECK(
        condition(lab.own(
            ann, "set",
            "<affiliations node='news'><affiliation jid='ann@bus.example' affiliation='none'/></affiliations>")) ==
        "not-acceptable");
    CHECK(lab.ask(bob, "set", "<unsubscribe node='news' jid='bob@bus.example/r'/>").value_of("type") ==
          "result");
    CHECK(detail(lab.ask(bob, "set", "<unsubscribe node='news' jid='bob@bus.example/r'/>")) ==
          "not-subscribed");
    bob.sent.clear();
    lab.put(ann, "c", "x");
    CHECK(bob.nothing());
}

TEST_CASE("a subscription that needs approval: the owner's form decides (section 8.6)") {
    pubsub_lab lab;
    auto& ann = lab.login("ann");
    auto& bob = lab.login("bob");
    ann.available();
    bob.available();
    lab.make(ann, form(field("pubsub#access_model", "authorize")));
    CHECK(lab.ask(bob, "set", "<subscribe node='news' jid='bob@bus.example'/>")
              .first()
              ->first()
              ->value_of("subscription") == "pending");
    const auto asked = ann.take();
    CHECK(asked.child(ns::forms, "x") != nullptr);
    ann.say("<message xmlns='jabber:client' to='pubsub.bus.example'>" +
            form(field("FORM_TYPE", "http://jabber.org/protocol/pubsub#subscribe_authorization") +
                 field("pubsub#node", "news") + field("pubsub#subscriber_jid", "bob@bus.example") +
                 field("pubsub#allow", "true")) +
            "</message>");
    CHECK(bob.take().first()->first()->value_of("subscription") == "subscribed");
}

TEST_CASE("a guest's subscriptions end with its session, and it creates nothing") {
    pubsub_lab lab;
    auto& ann = lab.login("ann");
    auto& guest = lab.login("guest");
    lab.make(ann);
    CHECK(condition(lab.ask(guest, "set", "<create node='g'/>")) == "forbidden");
    lab.ask(guest, "set", "<subscribe node='news' jid='" + guest.jid() + "'/>");
    CHECK(lab.own(ann, "get", "<subscriptions node='news'/>").first()->first()->elements().size() == 1);
    guest.lose();
    CHECK(lab.own(ann, "get", "<subscriptions node='news'/>").first()->first()->elements().empty());
}
