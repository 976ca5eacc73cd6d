// Publishing, retracting, reading (XEP-0060, sections 6.5 and 7).
#include "pubsub_lab.hpp"

using namespace pubsub_test;
using strings = std::vector<std::string>;

TEST_CASE("a publish reaches its subscribers once each, and nobody else") {
    lab bus;
    bus.make("news");
    bus.join(bus.bob, "news");
    REQUIRE(bus.pubsub.subscribe(bus.bob, "news", bus.bob.jid));
    bus.put(bus.ann, "news", "i1", "one");
    CHECK(bus.heard.events == strings{"bob@bus.example published i1 one new", "bob@bus.example/y published i1 one new"});
    CHECK(bus.heard.changes == strings{"published i1 one new"});
}

TEST_CASE("the same id replaces the item, which becomes the newest [xmpp 66]") {
    lab bus;
    bus.make("news");
    bus.put(bus.ann, "news", "i1", "one");
    bus.put(bus.ann, "news", "i2", "two");
    bus.put(bus.ann, "news", "i1", "one again");
    CHECK(bus.ids(bus.bob, "news") == strings{"i2", "i1"});
    CHECK(bus.heard.changes.back() == "published i1 one again");
    CHECK(bus.pubsub.items(bus.bob, "news", 1, {})->front()->payload->text() == "one again");
}

TEST_CASE("an item without id gets one, odd ids are kept as they are [xmpp 68]") {
    lab bus;
    bus.make("news");
    CHECK_FALSE(bus.put(bus.ann, "news", "", "x").empty());
    const std::string odd = "a b<\"'&>\xF0\x9F\x98\x80" + std::string(180, 'y');
    CHECK(bus.put(bus.ann, "news", odd, "x") == odd);
    CHECK(bus.pubsub.items(bus.bob, "news", 0, {odd})->size() == 1);
}

TEST_CASE("items: all, the newest, by id; unknown ids are no error [xmpp 72]") {
    lab bus;
    bus.make("news");
    for (const auto* id : {"1", "2", "3"}) bus.put(bus.ann, "news", id, id);
    CHECK(bus.ids(bus.bob, "news") == strings{"1", "2", "3"});
    CHECK(bus.ids(bus.bob, "news", 2) == strings{"2", "3"});
    CHECK(bus.pubsub.items(bus.bob, "news", 0, {"2", "9"})->size() == 1);
    CHECK(refusal(bus.pubsub.items(bus.bob, "none", 0, {})) == "item-not-found");
}

TEST_CASE("beyond max_items the oldest go [xmpp 72]") {
    lab bus;
    bus.make("news", {{"pubsub#max_items", {"2"}}});
    for (const auto* id : {"1", "2", "3"}) bus.put(bus.ann, "news", id, id);
    CHECK(bus.ids(bus.bob, "news") == strings{"2", "3"});
    REQUIRE(bus.pubsub.configure(bus.ann, "news", {{"pubsub#max_items", {"1"}}}));
    CHECK(bus.ids(bus.bob, "news") == strings{"3"});
    CHECK(bus.heard.kept.size() > 0);
}

TEST_CASE("a node that keeps nothing notifies all the same") {
    lab bus;
    bus.make("ticks", {{"pubsub#persist_items", {"0"}}});
    bus.join(bus.bob, "ticks");
    bus.put(bus.ann, "ticks", "1", "t");
    CHECK(bus.heard.events.size() == 1);
    CHECK(bus.ids(bus.bob, "ticks").empty());
}

TEST_CASE("a node that does not notify changes silently") {
    lab bus;
    bus.make("quiet", {{"pubsub#deliver_notifications", {"0"}}});
    bus.join(bus.bob, "quiet");
    bus.put(bus.ann, "quiet", "1", "t");
    CHECK(bus.heard.events.empty());
    CHECK(bus.heard.changes.size() == 1);
}

TEST_CASE("who may publish follows affiliation and publish model") {
    lab bus;
    bus.make("news");
    CHECK(refusal(bus.pubsub.publish(bus.bob, "news", "", entry("x"), {})) == "forbidden");
    REQUIRE(bus.pubsub.set_affiliations(bus.ann, "news", {{"news", "bob@bus.example", affiliation::publisher}}));
    bus.put(bus.bob, "news", "b", "x");
    REQUIRE(bus.pubsub.configure(bus.ann, "news", {{"pubsub#publish_model", {"subscribers"}}}));
    CHECK(refusal(bus.pubsub.publish(bus.eve, "news", "", entry("x"), {})) == "forbidden");
    bus.join(bus.eve, "news");
    bus.put(bus.eve, "news", "e", "x");
    REQUIRE(bus.pubsub.configure(bus.ann, "news", {{"pubsub#publish_model", {"open"}}}));
    bus.put(requester{"someone@bus.example"}, "news", "s", "x");
    CHECK(refusal(bus.pubsub.publish(bus.guest, "news", "", entry("x"), {})) == "forbidden");
}

TEST_CASE("publish-options must hold (section 7.1.5) [xmpp 70]") {
    lab bus;
    bus.make("news", {{"pubsub#max_items", {"7"}}});
    CHECK(bus.pubsub.publish(bus.ann, "news", "1", entry("x"), {{"FORM_TYPE", {"x"}}, {"pubsub#max_items", {"7"}}, {"pubsub#access_model", {"open"}}}));
    CHECK(refusal(bus.pubsub.publish(bus.ann, "news", "2", entry("x"), {{"pubsub#max_items", {"8"}}})) == "conflict/precondition-not-met");
    CHECK(refusal(bus.pubsub.publish(bus.ann, "news", "2", entry("x"), {{"pubsub#unknown", {"8"}}})) == "conflict/precondition-not-met");
    CHECK(bus.ids(bus.bob, "news") == strings{"1"});
}

TEST_CASE("a retraction removes, and notifies when asked or configured [xmpp 74]") {
    lab bus;
    bus.make("news", {{"pubsub#notify_retract", {"0"}}});
    bus.join(bus.bob, "news");
    bus.put(bus.ann, "news", "1", "x");
    bus.put(bus.ann, "news", "2", "x");
    bus.heard.events.clear();
    REQUIRE(bus.pubsub.retract(bus.ann, "news", "1", false));
    CHECK(bus.heard.events.empty());
    CHECK(bus.heard.changes.back() == "retracted 1");
    REQUIRE(bus.pubsub.retract(bus.ann, "news", "2", true));
    CHECK(bus.heard.events == strings{"bob@bus.example retracted 2"});
    CHECK(refusal(bus.pubsub.retract(bus.ann, "news", "2", true)) == "item-not-found");
    CHECK(refusal(bus.pubsub.retract(bus.ann, "news", "", true)) == "bad-request/item-required");
    CHECK(refusal(bus.pubsub.retract(bus.bob, "news", "1", true)) == "forbidden");
}

TEST_CASE("who published in an open node may retract its own, not others'") {
    lab bus;
    bus.make("wall", {{"pubsub#publish_model", {"open"}}});
    bus.put(bus.bob, "wall", "b", "x");
    bus.put(bus.eve, "wall", "e", "x");
    CHECK(refusal(bus.pubsub.retract(bus.bob, "wall", "e", true)) == "forbidden");
    CHECK(bus.pubsub.retract(bus.bob, "wall", "b", true));
}

TEST_CASE("payloads and their sum are bounded, and what goes is given back") {
    lab bus{{.payload_octets = 200, .octets = 500}};
    bus.make("news");
    CHECK(refusal(bus.pubsub.publish(bus.ann, "news", "", entry(std::string(300, 'x')), {})) == "not-acceptable/payload-too-big");
    for (const auto* id : {"1", "2", "3"}) bus.put(bus.ann, "news", id, std::string(100, 'x'));
    CHECK(refusal(bus.pubsub.publish(bus.ann, "news", "", entry(std::string(100, 'x')), {})) == "resource-constraint");
    REQUIRE(bus.pubsub.retract(bus.ann, "news", "1", false));
    CHECK(bus.pubsub.publish(bus.ann, "news", "", entry(std::string(100, 'x')), {}));
}

TEST_CASE("thirty publishes arrive in order [xmpp 69]") {
    lab bus;
    bus.make("news");
    bus.join(bus.bob, "news");
    strings expected;
    for (int i = 0; i < 30; ++i) {
        bus.put(bus.ann, "news", std::to_string(i), "x");
        expected.push_back("bob@bus.example published " + std::to_string(i) + " x new");
    }
    CHECK(bus.heard.events == expected);
}

TEST_CASE("what was restored goes on as before") {
    lab bus;
    bus.pubsub.restore_node("news", {}, 1, "ann@bus.example");
    bus.pubsub.restore_affiliation({"news", "ann@bus.example", affiliation::owner});
    bus.pubsub.restore_item("news", {"b", std::make_shared<const mbusd::xml::element>(entry("b")), "ann@bus.example", 8, 1, 10});
    bus.pubsub.restore_item("news", {"a", std::make_shared<const mbusd::xml::element>(entry("a")), "ann@bus.example", 7, 1, 10});
    bus.pubsub.restore_subscription({"news", "bob@bus.example", subscription_state::subscribed});
    CHECK(bus.ids(bus.bob, "news") == strings{"a", "b"});
    bus.put(bus.ann, "news", "c", "c");
    CHECK(bus.ids(bus.bob, "news") == strings{"a", "b", "c"});
    CHECK(bus.heard.events.size() == 1);
}
