// Subscriptions and affiliations (XEP-0060, sections 5.6, 5.7, 6 and 8.6 to 8.9).
#include "pubsub_lab.hpp"

using namespace pubsub_test;
using strings = std::vector<std::string>;

TEST_CASE("bare and full addresses are separate subscriptions, and again is harmless") {
    lab bus;
    bus.make("news");
    CHECK(bus.pubsub.subscribe(bus.bob, "news", "bob@bus.example")->state == subscription_state::subscribed);
    CHECK(bus.pubsub.subscribe(bus.bob, "news", "bob@bus.example")->state == subscription_state::subscribed);
    CHECK(bus.pubsub.subscribe(bus.bob, "news", bus.bob.jid));
    CHECK(bus.pubsub.subscriptions(bus.bob, "news")->size() == 2);
    CHECK(bus.pubsub.subscriptions(bus.bob, "")->size() == 2);
    CHECK(bus.pubsub.subscriptions_of(bus.ann, "news")->size() == 2);
    REQUIRE(bus.pubsub.unsubscribe(bus.bob, "news", "bob@bus.example"));
    CHECK(refusal(bus.pubsub.unsubscribe(bus.bob, "news", "bob@bus.example")) == "unexpected-request/not-subscribed");
    CHECK(bus.pubsub.subscriptions(bus.bob, "")->size() == 1);
}

TEST_CASE("only oneself can be subscribed, to what exists") {
    lab bus;
    bus.make("news");
    CHECK(refusal(bus.pubsub.subscribe(bus.bob, "news", "eve@bus.example")) == "bad-request/invalid-jid");
    CHECK(refusal(bus.pubsub.subscribe(bus.bob, "none", "bob@bus.example")) == "item-not-found");
    CHECK(refusal(bus.pubsub.subscribe(bus.bob, "news", "")) == "bad-request/jid-required");
    CHECK(refusal(bus.pubsub.subscribe(bus.bob, "", "bob@bus.example")) == "bad-request/nodeid-required");
    CHECK(refusal(bus.pubsub.unsubscribe(bus.eve, "news", "bob@bus.example")) == "forbidden");
    CHECK(refusal(bus.pubsub.subscriptions_of(bus.bob, "news")) == "forbidden");
}

TEST_CASE("authorize: pending until an owner decides (section 8.6)") {
    lab bus;
    bus.make("club", {{"pubsub#access_model", {"authorize"}}, {"pubsub#send_last_published_item", {"on_sub"}}});
    bus.put(bus.ann, "club", "1", "x");
    CHECK(bus.pubsub.subscribe(bus.bob, "club", "bob@bus.example")->state == subscription_state::pending);
    CHECK(bus.heard.asked == strings{"ann@bus.example bob@bus.example"});
    CHECK(refusal(bus.pubsub.items(bus.bob, "club", 0, {})) == "not-authorized/not-subscribed");
    bus.put(bus.ann, "club", "2", "x");
    CHECK(bus.heard.events.empty());
    CHECK(refusal(bus.pubsub.decide(bus.eve, "club", "bob@bus.example", true)) == "forbidden");
    REQUIRE(bus.pubsub.decide(bus.ann, "club", "bob@bus.example", true));
    CHECK(bus.heard.events == strings{"bob@bus.example subscription subscribed", "bob@bus.example published 2 x"});
    CHECK(bus.ids(bus.bob, "club") == strings{"1", "2"});
    // A second decision comes too late.
    REQUIRE(bus.pubsub.decide(bus.ann, "club", "bob@bus.example", false));
    CHECK(bus.pubsub.subscriptions(bus.bob, "club")->size() == 1);
}

TEST_CASE("authorize: who is denied is told and not subscribed") {
    lab bus;
    bus.make("club", {{"pubsub#access_model", {"authorize"}}});
    REQUIRE(bus.pubsub.subscribe(bus.bob, "club", "bob@bus.example"));
    REQUIRE(bus.pubsub.decide(bus.ann, "club", "bob@bus.example", false));
    CHECK(bus.heard.events == strings{"bob@bus.example subscription none"});
    CHECK(bus.pubsub.subscriptions(bus.bob, "club")->empty());
}

TEST_CASE("the newest item comes with a new subscription where the node says so") {
    lab bus;
    bus.make("news", {{"pubsub#send_last_published_item", {"on_sub"}}});
    bus.join(bus.eve, "news");
    CHECK(bus.heard.events.empty());
    bus.put(bus.ann, "news", "1", "x");
    bus.join(bus.bob, "news");
    CHECK(bus.heard.events.back() == "bob@bus.example published 1 x");
}

TEST_CASE("an outcast neither reads nor subscribes nor receives") {
    lab bus;
    bus.make("news");
    bus.join(bus.bob, "news");
    REQUIRE(bus.pubsub.set_affiliations(bus.ann, "news", {{"news", "bob@bus.example", affiliation::outcast}}));
    bus.put(bus.ann, "news", "1", "x");
    CHECK(bus.heard.events.empty());
    CHECK(refusal(bus.pubsub.items(bus.bob, "news", 0, {})) == "forbidden");
    CHECK(refusal(bus.pubsub.subscribe(bus.bob, "news", "bob@bus.example")) == "forbidden");
    CHECK(bus.pubsub.nodes(bus.bob).empty());
}

TEST_CASE("affiliations are set all or none, and an owner stays") {
    lab bus;
    bus.make("news");
    CHECK(refusal(bus.pubsub.set_affiliations(bus.ann, "news", {{"news", "ann@bus.example", affiliation::none}})) == "not-acceptable");
    CHECK(refusal(bus.pubsub.set_affiliations(bus.ann, "news", {{"news", "bob@bus.example", affiliation::owner}, {"news", "eve@bus.example/r", affiliation::member}})) == "bad-request");
    CHECK(refusal(bus.pubsub.set_affiliations(bus.bob, "news", {})) == "forbidden");
    CHECK(bus.pubsub.affiliations_of(bus.ann, "news")->size() == 1);
    REQUIRE(bus.pubsub.set_affiliations(bus.ann, "news", {{"news", "bob@bus.example", affiliation::owner}, {"news", "ann@bus.example", affiliation::none}}));
    CHECK(refusal(bus.pubsub.configure(bus.ann, "news", {})) == "forbidden");
    CHECK(bus.pubsub.affiliations(bus.bob, "")->size() == 1);
    CHECK(bus.pubsub.affiliations(bus.ann, "news")->front().what == affiliation::none);
}

TEST_CASE("an owner ends and confirms subscriptions, and makes none up") {
    lab bus;
    bus.make("news");
    bus.join(bus.bob, "news");
    CHECK(refusal(bus.pubsub.set_subscriptions(bus.ann, "news", {{"news", "eve@bus.example", subscription_state::subscribed}})) == "bad-request");
    REQUIRE(bus.pubsub.set_subscriptions(bus.ann, "news", {{"news", "bob@bus.example", subscription_state::none}}));
    CHECK(bus.heard.events == strings{"bob@bus.example subscription none"});
    CHECK(bus.pubsub.subscriptions(bus.bob, "")->empty());
}

TEST_CASE("who has gone for good is forgotten, and limits count what is there") {
    lab bus{{.subscriptions_of_one = 1}};
    bus.make("a");
    bus.make("b");
    REQUIRE(bus.pubsub.subscribe(bus.guest, "a", bus.guest.jid));
    CHECK(refusal(bus.pubsub.subscribe(bus.guest, "b", bus.guest.jid)) == "resource-constraint");
    bus.pubsub.forget(bus.guest.jid);
    CHECK(bus.pubsub.subscribe(bus.guest, "b", bus.guest.jid));
    REQUIRE(bus.pubsub.remove(bus.ann, "b"));
    CHECK(bus.pubsub.subscribe(bus.guest, "a", bus.guest.jid));
}
