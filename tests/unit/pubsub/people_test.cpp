// Subscriptions and affiliations (XEP-0060, sections 5.6, 5.7, 6 and 8.6 to 8.9).
#include "pubsub_lab.hpp"

using namespace pubsub_test;
using strings = std::vector<std::string>;

TEST_CASE("bare and full addresses are separate subscriptions, and again is harmless [xmpp 63] [xmpp 79]") {
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

TEST_CASE("only oneself can be subscribed, to what exists [xmpp 63]") {
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
    CHECK(refusal(bus.pubsub.subscribe(bus.bob, "club", "bob@bus.example")) == "not-authorized/pending-subscription");
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

TEST_CASE("the newest item comes with a new subscription where the node says so [xmpp 73]") {
    lab bus;
    bus.make("news", {{"pubsub#send_last_published_item", {"on_sub"}}});
    bus.join(bus.eve, "news");
    CHECK(bus.heard.events.empty());
    bus.put(bus.ann, "news", "1", "x");
    bus.join(bus.bob, "news");
    CHECK(bus.heard.events.back() == "bob@bus.example published 1 x");
}

TEST_CASE("an outcast neither reads nor subscribes nor receives [xmpp 75]") {
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

TEST_CASE("affiliations are set all or none, and an owner stays [xmpp 76]") {
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

TEST_CASE("options: a subscription rests, or does without text (section 6.3)") {
    lab bus;
    bus.make("news", {{"pubsub#include_body", {"1"}}});
    REQUIRE(bus.pubsub.subscribe(bus.bob, "news", "bob@bus.example", {{"pubsub#deliver", {"0"}}}));
    bus.put(bus.ann, "news", "1", "x");
    CHECK(bus.heard.events.empty());
    REQUIRE(bus.pubsub.set_options(bus.bob, "news", "bob@bus.example", {{"FORM_TYPE", {"x"}}, {"pubsub#deliver", {"true"}}, {"pubsub#include_body", {"false"}}}));
    bus.put(bus.ann, "news", "2", "x");
    CHECK(bus.heard.events == strings{"bob@bus.example published 2 x new"});
    CHECK(bus.pubsub.options(bus.bob, "news", "bob@bus.example")->deliver);
    CHECK_FALSE(bus.pubsub.options(bus.bob, "news", "bob@bus.example")->include_body);
    CHECK(bus.pubsub.subscriptions(bus.bob, "news")->front().options.deliver);
}

TEST_CASE("options that make no sense are refused whole, and others' are nobody's business") {
    lab bus;
    bus.make("news");
    bus.join(bus.bob, "news");
    for (const form_fields& wrong : {form_fields{{"pubsub#deliver", {"0"}}, {"pubsub#digest", {"1"}}}, form_fields{{"pubsub#deliver", {"maybe"}}},
                                     form_fields{{"pubsub#deliver", {"0", "1"}}}}) {
        CHECK(refusal(bus.pubsub.set_options(bus.bob, "news", "bob@bus.example", wrong)) == "bad-request/invalid-options");
    }
    CHECK(bus.pubsub.options(bus.bob, "news", "bob@bus.example")->deliver);
    CHECK(refusal(bus.pubsub.subscribe(bus.eve, "news", "eve@bus.example", {{"pubsub#digest", {"1"}}})) == "bad-request/invalid-options");
    CHECK(bus.pubsub.subscriptions(bus.eve, "")->empty());
    CHECK(refusal(bus.pubsub.options(bus.eve, "news", "bob@bus.example")) == "forbidden");
    CHECK(refusal(bus.pubsub.options(bus.eve, "news", "eve@bus.example")) == "unexpected-request/not-subscribed");
    CHECK(refusal(bus.pubsub.options(bus.bob, "news", "")) == "bad-request/jid-required");
    CHECK(refusal(bus.pubsub.set_options(bus.bob, "", "bob@bus.example", {})) == "bad-request/nodeid-required");
    CHECK(refusal(bus.pubsub.set_options(bus.bob, "none", "bob@bus.example", {})) == "item-not-found");
}

TEST_CASE("who comes gets the newest item where the node says so, and owners what waits for them") {
    lab bus;
    bus.make("news", {{"pubsub#send_last_published_item", {"on_sub_and_presence"}}});
    bus.make("quiet");
    bus.make("club", {{"pubsub#access_model", {"authorize"}}});
    bus.put(bus.ann, "news", "1", "x");
    bus.put(bus.ann, "quiet", "1", "x");
    bus.join(bus.bob, "news");
    bus.join(bus.bob, "quiet");
    bus.join(bus.bob, "club");
    bus.heard.events.clear();
    bus.heard.asked.clear();
    bus.pubsub.came(bus.bob.jid);
    CHECK(bus.heard.events == strings{"bob@bus.example/y published 1 x"});
    bus.pubsub.came(bus.eve.jid);
    CHECK(bus.heard.events.size() == 1);
    bus.pubsub.came(bus.ann.jid);
    CHECK(bus.heard.asked == strings{"ann@bus.example/x bob@bus.example"});
}

TEST_CASE("a guest has few subscriptions, and leaves none behind while others are told") {
    recorder heard;
    service pubsub{heard, heard, [] { return std::uint64_t{1}; }, {.subscriptions_of_guest = 1}};
    heard.on_notify = [&](std::string_view jid) {
        if (jid == "g1@bus.example") pubsub.forget(jid);
    };
    const requester ann{"ann@bus.example"};
    const requester guest{"g1@bus.example", true};
    REQUIRE(pubsub.create(ann, "a", {}));
    REQUIRE(pubsub.create(ann, "b", {}));
    for (const auto* who : {"f@bus.example", "z@bus.example"}) REQUIRE(pubsub.subscribe({who}, "a", who));
    REQUIRE(pubsub.subscribe(guest, "a", "g1@bus.example"));
    CHECK(refusal(pubsub.subscribe(guest, "b", "g1@bus.example")) == "resource-constraint");
    REQUIRE(pubsub.publish(ann, "a", "1", entry("x"), {}));
    CHECK(heard.events.size() == 3);
    REQUIRE(pubsub.publish(ann, "a", "2", entry("x"), {}));
    CHECK(heard.events.size() == 5);
    CHECK(pubsub.count().subscriptions == 2);
}
