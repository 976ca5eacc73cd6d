// Publish-subscribe as an XMPP client sees it (XEP-0060, XEP-0004).
#include <set>

#include "xmpp_lab.hpp"

#include "gateways/xmpp/namespaces.hpp"
#include "gateways/xmpp/pubsub_service.hpp"

using namespace xmpp_test;
namespace ns = xmpp::ns;

namespace {

struct no_storage final : mbusd::pubsub::storage {
    void put_node(std::string_view, const mbusd::pubsub::node_config&, std::uint64_t, std::string_view) override {}
    void drop_node(std::string_view) override {}
    void put_item(std::string_view, const mbusd::pubsub::item&) override {}
    void drop_item(std::string_view, std::string_view) override {}
    void drop_items(std::string_view) override {}
    void put_subscription(const mbusd::pubsub::subscription&) override {}
    void put_affiliation(const mbusd::pubsub::affiliated&) override {}
};

struct forwarder final : mbusd::pubsub::listener {
    void notify(std::string_view jid, const mbusd::pubsub::event& what) override { to->notify(jid, what); }
    void changed(const mbusd::pubsub::event&) override {}
    void approval_wanted(const std::vector<std::string>& owners, const mbusd::pubsub::subscription& what) override { to->approval_wanted(owners, what); }
    mbusd::pubsub::listener* to = nullptr;
};

constexpr std::string_view host = "pubsub.bus.example";

struct pubsub_lab : xmpp_lab {
    explicit pubsub_lab(std::function<void(std::function<void()>)> when_stored = {})
        : door({.host = std::string{host}, .when_stored = std::move(when_stored), .problem = [this] { return std::string_view{problem}; }}, nodes, domain) {
        heard.to = &door;
        domain.add(door);
    }
    xml::element ask(client& who, std::string_view type, const std::string& payload) {
        return who.ask(type, "<pubsub xmlns='http://jabber.org/protocol/pubsub'>" + payload + "</pubsub>", host);
    }
    xml::element own(client& who, std::string_view type, const std::string& payload) {
        return who.ask(type, "<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'>" + payload + "</pubsub>", host);
    }
    void make(client& who, const std::string& form = "") {
        REQUIRE(ask(who, "set", "<create node='news'/><configure>" + form + "</configure>").value_of("type") == "result");
    }
    xml::element put(client& who, const std::string& id, const std::string& text) {
        return ask(who, "set", "<publish node='news'><item id='" + id + "'><entry xmlns='http://www.w3.org/2005/Atom'>" + text + "</entry></item></publish>");
    }

    no_storage nowhere;
    forwarder heard;
    mbusd::pubsub::service nodes{heard, nowhere, [] { return std::uint64_t{1'700'000'000'000}; }};
    std::string problem;
    xmpp::pubsub_service door;
};

std::string form(const std::string& fields) { return "<x xmlns='jabber:x:data' type='submit'>" + fields + "</x>"; }
std::string field(const std::string& name, const std::string& value) { return "<field var='" + name + "'><value>" + value + "</value></field>"; }

std::string detail(const xml::element& stanza) {
    const auto* error = stanza.child(ns::client, "error");
    if (error == nullptr) return {};
    for (const auto* each : error->elements()) {
        if (each->space() == ns::pubsub_errors) return each->name();
    }
    return {};
}

}  // namespace

TEST_CASE("the service is found by disco, with its features [xmpp 59]") {
    pubsub_lab lab;
    auto& ann = lab.login("ann");
    CHECK(ann.ask("get", "<query xmlns='http://jabber.org/protocol/disco#items'/>").first()->first()->value_of("jid") == host);
    const auto info = ann.ask("get", "<query xmlns='http://jabber.org/protocol/disco#info'/>", host);
    CHECK(info.first()->first()->value_of("category") == "pubsub");
    std::set<std::string, std::less<>> offered;
    for (const auto* each : info.first()->elements()) offered.emplace(each->value_of("var"));
    CHECK(offered.contains("http://jabber.org/protocol/pubsub"));
    for (const auto* each : {"access-open", "access-authorize", "access-whitelist", "config-node", "create-and-configure", "create-nodes", "delete-items",
                             "delete-nodes", "instant-nodes", "item-ids", "manage-subscriptions", "member-affiliation", "meta-data", "modify-affiliations",
                             "multi-items", "outcast-affiliation", "persistent-items", "publish", "publish-options", "publisher-affiliation", "purge-nodes",
                             "retract-items", "retrieve-affiliations", "retrieve-default", "retrieve-items", "retrieve-subscriptions", "rsm", "subscribe",
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
    for (const auto* each : items.first()->elements()) listed |= each->value_of("node") == "news" && each->value_of("name") == "News";
    CHECK(listed);
    const auto info = ann.ask("get", "<query xmlns='http://jabber.org/protocol/disco#info' node='news'/>", host);
    CHECK(info.first()->first()->value_of("type") == "leaf");
    CHECK(info.first()->child(ns::forms, "x") != nullptr);
    CHECK(condition(ann.ask("get", "<query xmlns='http://jabber.org/protocol/disco#info' node='none'/>", host)) == "item-not-found");
}

TEST_CASE("the configuration form is read and submitted in part [xmpp 62]") {
    pubsub_lab lab;
    auto& ann = lab.login("ann");
    lab.make(ann);
    CHECK(lab.own(ann, "set", "<configure node='news'>" + form(field("pubsub#title", "T") + field("pubsub#access_model", "")) + "</configure>").value_of("type") == "result");
    const auto shown = lab.own(ann, "get", "<configure node='news'/>");
    std::string title;
    std::string access;
    for (const auto* each : shown.first()->first()->first()->elements(ns::forms, "field")) {
        if (each->value_of("var") == "pubsub#title") title = each->first()->text();
        if (each->value_of("var") == "pubsub#access_model") access = each->child(ns::forms, "value")->text();
    }
    CHECK(title == "T");
    CHECK(access == "open");
    CHECK(condition(lab.own(ann, "set", "<configure node='news'>" + form(field("pubsub#access_model", "wrong")) + "</configure>")) == "not-acceptable");
    CHECK(lab.own(ann, "get", "<default/>").first()->first()->first()->is(ns::forms, "x"));
}

TEST_CASE("publish: the id comes back, subscribers get the payload, strangers nothing [xmpp 63] [xmpp 65] [xmpp 66]") {
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

TEST_CASE("an entry's event says the title as text too, for clients that know no events; unless the node says no") {
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
    REQUIRE(lab.own(ann, "set", "<configure node='news'>" + form(field("pubsub#include_body", "0")) + "</configure>").value_of("type") == "result");
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
    CHECK(condition(lab.ask(ann, "set", "<publish node='none'><item>" + entry + "</item></publish>")) == "item-not-found");
    CHECK(detail(lab.ask(ann, "set", "<publish><item>" + entry + "</item></publish>")) == "nodeid-required");
    CHECK(detail(lab.ask(ann, "set", "<publish node='news'/>")) == "item-required");
    CHECK(detail(lab.ask(ann, "set", "<publish node='news'><item/></publish>")) == "payload-required");
    CHECK(detail(lab.ask(ann, "set", "<publish node='news'><item>" + entry + entry + "</item></publish>")) == "invalid-payload");
    CHECK(detail(lab.ask(ann, "set", "<publish node='news'><item>" + entry + "</item><item>" + entry + "</item></publish>")) == "invalid-payload");
    CHECK(detail(lab.ask(ann, "set", "<publish node='news'><item>" + entry + "</item></publish><publish-options>" +
                                         form(field("pubsub#access_model", "whitelist")) + "</publish-options>")) == "precondition-not-met");
    CHECK(condition(lab.ask(ann, "set", "")) == "bad-request");
    CHECK(condition(lab.ask(ann, "set", "<create xmlns='urn:other' node='x'/>")) == "bad-request");
    CHECK(condition(lab.ask(ann, "set", "<dance node='news'/>")) == "bad-request");
    CHECK(condition(lab.own(ann, "set", "<delete xmlns='http://jabber.org/protocol/pubsub' node='news'/>")) == "bad-request");
    CHECK(condition(ann.ask("get", "<x xmlns='urn:y'/>", host)) == "service-unavailable");
}

TEST_CASE("items come whole, newest k, or by id; payloads namespace-exact [xmpp 68] [xmpp 72]") {
    pubsub_lab lab;
    auto& ann = lab.login("ann");
    lab.make(ann);
    lab.ask(ann, "set", "<publish node='news'><item id='a &lt;b&gt;'><e:entry xmlns:e='http://www.w3.org/2005/Atom' xml:lang='de'>x <b xmlns=''>y</b></e:entry></item></publish>");
    lab.put(ann, "2", "two");
    lab.put(ann, "3", "three");
    CHECK(lab.ask(ann, "get", "<items node='news'/>").first()->first()->elements().size() == 3);
    CHECK(lab.ask(ann, "get", "<items node='news' max_items='2'/>").first()->first()->first()->value_of("id") == "2");
    const auto got = lab.ask(ann, "get", "<items node='news'><item id='a &lt;b&gt;'/></items>");
    const auto* entry = got.first()->first()->first()->first();
    CHECK(entry->get(xml::xml_namespace, "lang") == "de");
    CHECK(entry->child("", "b")->text() == "y");
    CHECK(lab.ask(ann, "get", "<items node='news'><item id='none'/></items>").first()->first()->elements().empty());
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
    CHECK(lab.ask(ann, "set", "<retract node='news' notify='1'><item id='1'/></retract>").value_of("type") == "result");
    CHECK(bob.take().first()->first()->first()->name() == "retract");
    CHECK(detail(lab.ask(ann, "set", "<retract node='news'/>")) == "item-required");
    CHECK(detail(lab.ask(ann, "set", "<retract><item id='1'/></retract>")) == "nodeid-required");
    CHECK(condition(lab.ask(ann, "set", "<retract node='news'><item id='1'/></retract>")) == "item-not-found");
    CHECK(condition(lab.ask(ann, "set", "<retract node='news'><item id='1'/><item id='2'/></retract>")) == "bad-request");
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
    const auto put = lab.ask(ann, "set", "<publish node='news'><item><entry xmlns='http://www.w3.org/2005/Atom'/></item></publish>");
    const auto id = put.first()->first()->first()->value_of("id");
    CHECK_FALSE(id.empty());
    CHECK(ann.take().first()->first()->first()->value_of("id") == id);
}

TEST_CASE("options of a subscription by their form (section 6.3)") {
    pubsub_lab lab;
    auto& ann = lab.login("ann");
    lab.make(ann);
    lab.ask(ann, "set", "<subscribe node='news' jid='Ann@Bus.Example/r'/><options>" + form(field("pubsub#deliver", "false")) + "</options>");
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
    CHECK(lab.ask(ann, "set", "<options node='news' jid='ann@bus.example/r'>" + form(field("pubsub#deliver", "1")) + "</options>").value_of("type") == "result");
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
    CHECK(lab.ask(ann, "set", "<subscribe node='news' jid='ANN@bus.example'/>").first()->first()->value_of("jid") == "ann@bus.example");
    for (const auto* wrong : {"ann@bus.example/", "a b@bus.example", "@bus.example"}) {
        CAPTURE(wrong);
        CHECK(detail(lab.ask(ann, "set", "<subscribe node='news' jid='" + std::string{wrong} + "'/>")) == "invalid-jid");
        CHECK(detail(lab.own(ann, "set", "<affiliations node='news'><affiliation jid='" + std::string{wrong} + "' affiliation='member'/></affiliations>")) == "invalid-jid");
    }
    CHECK(lab.own(ann, "set", "<affiliations node='news'><affiliation jid='ANN@BUS.example' affiliation='owner'/></affiliations>").value_of("type") == "result");
    CHECK(lab.own(ann, "get", "<affiliations node='news'/>").first()->first()->elements().size() == 1);
}

TEST_CASE("a form for something else is refused, one that does not say what for is taken (XEP-0068)") {
    pubsub_lab lab;
    auto& ann = lab.login("ann");
    lab.make(ann, form(field("pubsub#title", "T")));
    const auto foreign = form(field("FORM_TYPE", "urn:other") + field("pubsub#title", "other"));
    CHECK(condition(lab.own(ann, "set", "<configure node='news'>" + foreign + "</configure>")) == "bad-request");
    CHECK(condition(lab.ask(ann, "set", "<create node='x'/><configure>" + foreign + "</configure>")) == "bad-request");
    CHECK(condition(lab.own(ann, "set", "<configure node='news'/>")) == "bad-request");
    CHECK(lab.own(ann, "set", "<configure node='news'><x xmlns='jabber:x:data' type='cancel'/></configure>").value_of("type") == "result");
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
    const auto decision = field("pubsub#node", "news") + field("pubsub#subscriber_jid", "bob@bus.example") + field("pubsub#allow", "1");
    CHECK(say(ann, "<body>hello</body>") == "service-unavailable");
    CHECK(say(ann, form(decision)) == "bad-request");
    CHECK(say(ann, form(type + field("pubsub#node", "news"))) == "bad-request");
    CHECK(say(bob, form(type + decision)) == "forbidden");
    CHECK(say(ann, form(type + field("pubsub#node", "none") + field("pubsub#subscriber_jid", "bob@bus.example") + field("pubsub#allow", "1"))) == "item-not-found");
    ann.say("<message xmlns='jabber:client' type='error' to='pubsub.bus.example'>" + form(type + decision) + "</message>");
    CHECK(ann.nothing());
    CHECK(lab.nodes.subscriptions({"bob@bus.example"}, "news")->front().state == mbusd::pubsub::subscription_state::pending);
}

TEST_CASE("long lists come page by page (XEP-0059)") {
    pubsub_lab lab;
    auto& ann = lab.login("ann");
    lab.make(ann, form(field("pubsub#max_items", "max")));
    for (int i = 0; i < 5; ++i) lab.put(ann, std::to_string(i), "x");
    const auto page = [&](const std::string& set) {
        const auto got = lab.ask(ann, "get", "<items node='news'/><set xmlns='http://jabber.org/protocol/rsm'>" + set + "</set>");
        if (got.value_of("type") == "error") return condition(got);
        std::string out;
        for (const auto* each : got.first()->first()->elements()) out += each->value_of("id");
        return out + '/' + got.first()->child(ns::result_sets, "set")->child(ns::result_sets, "count")->text();
    };
    CHECK(page("<max>2</max>") == "01/5");
    CHECK(page("<max>2</max><after>1</after>") == "23/5");
    CHECK(page("<max>2</max><after>3</after>") == "4/5");
    CHECK(page("<max>2</max><before/>") == "34/5");
    CHECK(page("<max>2</max><before>3</before>") == "12/5");
    CHECK(page("<max>0</max>") == "/5");
    CHECK(page("<max>2</max><after>nowhere</after>") == "item-not-found");
    const auto nodes = ann.ask("get", "<query xmlns='http://jabber.org/protocol/disco#items' node='news'><set xmlns='http://jabber.org/protocol/rsm'><max>1</max></set></query>", host);
    CHECK(nodes.first()->first()->value_of("name") == "0");
    CHECK(nodes.first()->child(ns::result_sets, "set")->child(ns::result_sets, "last")->text() == "0");
}

TEST_CASE("items that do not fit into one answer: the newest come, with the number of all") {
    pubsub_lab lab;
    auto& ann = lab.login("ann");
    lab.make(ann);
    for (int i = 0; i < 6; ++i) lab.put(ann, std::to_string(i), std::string(240'000, 'x'));
    ann.say("<iq xmlns='jabber:client' type='get' id='i' to='pubsub.bus.example'><pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='news'/></pubsub></iq>");
    const auto text = ann.take_text();
    for (const auto* id : {"0", "1"}) CHECK(text.find("<item id=\"" + std::string{id}) == std::string::npos);
    for (const auto* id : {"2", "3", "4", "5"}) CHECK(text.find("<item id=\"" + std::string{id}) != std::string::npos);
    CHECK(text.find("<count>6</count>") != std::string::npos);
}

TEST_CASE("an answer to a change waits until it is stored, and later answers wait behind it") {
    std::vector<std::function<void()>> pending;
    pubsub_lab lab{[&](std::function<void()> then) { pending.push_back(std::move(then)); }};
    auto& ann = lab.login("ann");
    auto& bob = lab.login("bob");
    ann.say("<iq xmlns='jabber:client' type='set' id='1' to='pubsub.bus.example'><pubsub xmlns='http://jabber.org/protocol/pubsub'><create node='news'/></pubsub></iq>");
    ann.say("<iq xmlns='jabber:client' type='get' id='2' to='pubsub.bus.example'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>");
    ann.say("<iq xmlns='jabber:client' type='set' id='3' to='pubsub.bus.example'><pubsub xmlns='http://jabber.org/protocol/pubsub'><create node='news'/></pubsub></iq>");
    ann.say("<iq xmlns='jabber:client' type='get' id='4' to='bus.example'><ping xmlns='urn:xmpp:ping'/></iq>");
    CHECK(ann.take().value_of("id") == "4");
    CHECK(ann.nothing());
    CHECK(lab.door.answers_waiting() == 3);
    CHECK(bob.ask("get", "<query xmlns='http://jabber.org/protocol/disco#items'/>", host).value_of("type") == "result");
    for (const auto& each : std::exchange(pending, {})) each();
    for (const auto* id : {"1", "2", "3"}) CHECK(ann.take().value_of("id") == id);
    CHECK(lab.door.answers_waiting() == 0);
    CHECK(ann.ask("get", "<query xmlns='http://jabber.org/protocol/disco#items'/>", host).value_of("type") == "result");
}

TEST_CASE("an answer that waited for the disk is not given to another session of the same address") {
    std::vector<std::function<void()>> pending;
    pubsub_lab lab{[&](std::function<void()> then) { pending.push_back(std::move(then)); }};
    auto& ann = lab.login("ann");
    ann.say("<iq xmlns='jabber:client' type='set' id='1' to='pubsub.bus.example'><pubsub xmlns='http://jabber.org/protocol/pubsub'><create node='news'/></pubsub></iq>");
    ann.lose();
    lab.domain.settle();
    auto& again = lab.login("ann");
    for (const auto& each : std::exchange(pending, {})) each();
    CHECK(again.nothing());
}

TEST_CASE("what can't be stored is refused, and who sends too much for the disk waits") {
    std::vector<std::function<void()>> pending;
    pubsub_lab lab{[&](std::function<void()> then) { pending.push_back(std::move(then)); }};
    auto& ann = lab.login("ann");
    lab.problem = "the disk is full";
    const auto got = lab.ask(ann, "set", "<create node='news'/>");
    CHECK(condition(got) == "internal-server-error");
    CHECK(lab.ask(ann, "get", "<subscriptions/>").value_of("type") == "result");
    lab.problem.clear();
    REQUIRE(lab.nodes.create({"ann@bus.example"}, "news", {}));
    const std::string again =
        "<iq xmlns='jabber:client' type='set' id='x' to='pubsub.bus.example'><pubsub xmlns='http://jabber.org/protocol/pubsub'>"
        "<subscribe node='news' jid='ann@bus.example'/></pubsub></iq>";
    for (std::size_t i = 0; i < xmpp::pubsub_answers_waiting_max; ++i) ann.say(again);
    CHECK(ann.nothing());
    ann.say(again);
    for (const auto& each : std::exchange(pending, {})) each();
    CHECK(condition(ann.take()).empty());
    std::size_t refused = 0;
    while (!ann.nothing()) refused += condition(ann.take()) == "resource-constraint" ? 1U : 0U;
    CHECK(refused == 1);
}

TEST_CASE("subscriptions and affiliations are listed and set [xmpp 64] [xmpp 75] [xmpp 76] [xmpp 79]") {
    pubsub_lab lab;
    auto& ann = lab.login("ann");
    auto& bob = lab.login("bob");
    lab.make(ann);
    lab.ask(bob, "set", "<subscribe node='news' jid='bob@bus.example/r'/>");
    CHECK(lab.ask(bob, "get", "<subscriptions node='news'/>").first()->first()->first()->value_of("jid") == "bob@bus.example/r");
    CHECK(lab.own(ann, "get", "<subscriptions node='news'/>").first()->first()->elements().size() == 1);
    CHECK(lab.own(ann, "set", "<affiliations node='news'><affiliation jid='bob@bus.example' affiliation='publisher'/></affiliations>").value_of("type") == "result");
    CHECK(lab.put(bob, "b", "x").value_of("type") == "result");
    CHECK(lab.ask(bob, "get", "<affiliations/>").first()->first()->first()->value_of("affiliation") == "publisher");
    CHECK(condition(lab.own(ann, "set", "<affiliations node='news'><affiliation jid='bob@bus.example' affiliation='king'/></affiliations>")) == "bad-request");
    CHECK(condition(lab.own(ann, "set", "<affiliations node='news'><affiliation jid='ann@bus.example' affiliation='none'/></affiliations>")) == "not-acceptable");
    CHECK(lab.ask(bob, "set", "<unsubscribe node='news' jid='bob@bus.example/r'/>").value_of("type") == "result");
    CHECK(detail(lab.ask(bob, "set", "<unsubscribe node='news' jid='bob@bus.example/r'/>")) == "not-subscribed");
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
    CHECK(lab.ask(bob, "set", "<subscribe node='news' jid='bob@bus.example'/>").first()->first()->value_of("subscription") == "pending");
    const auto asked = ann.take();
    CHECK(asked.child(ns::forms, "x") != nullptr);
    ann.say("<message xmlns='jabber:client' to='pubsub.bus.example'>" +
            form(field("FORM_TYPE", "http://jabber.org/protocol/pubsub#subscribe_authorization") + field("pubsub#node", "news") +
                 field("pubsub#subscriber_jid", "bob@bus.example") + field("pubsub#allow", "true")) + "</message>");
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
