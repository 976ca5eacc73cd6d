// Nodes and their configuration (XEP-0060, section 8).
#include "pubsub_lab.hpp"

using namespace pubsub_test;
using strings = std::vector<std::string>;

TEST_CASE("a node is created with configuration, once; its creator owns it") {
    lab bus;
    REQUIRE(bus.pubsub.create(bus.ann, "news", {{"pubsub#title", {"News"}}}));
    CHECK(refusal(bus.pubsub.create(bus.bob, "news", {})) == "conflict");
    CHECK(bus.pubsub.affiliations_of(bus.ann, "news")->front().jid == "ann@bus.example");
    const auto listed = bus.pubsub.nodes(bus.eve);
    REQUIRE(listed.size() == 1);
    CHECK(listed.front().title == "News");
    CHECK(bus.heard.kept == strings{"node news News", "affiliation ann@bus.example owner"});
}

TEST_CASE("an instant node has an id of its own, a guest none at all") {
    lab bus;
    const auto first = bus.pubsub.create(bus.ann, "", {});
    const auto second = bus.pubsub.create(bus.ann, "", {});
    REQUIRE(first);
    CHECK_FALSE(first->empty());
    CHECK(*first != *second);
    CHECK(refusal(bus.pubsub.create(bus.guest, "g", {})) == "forbidden");
}

TEST_CASE("a form changes what it names, all or nothing") {
    lab bus;
    bus.make("news");
    REQUIRE(bus.pubsub.configure(bus.ann, "news", {{"FORM_TYPE", {"x"}}, {"pubsub#title", {"T"}}, {"pubsub#max_items", {"max"}}, {"pubsub#notify_delete", {"false"}}}));
    auto now = bus.pubsub.configuration(bus.ann, "news");
    CHECK(now->title == "T");
    CHECK(now->max_items == items_max);
    CHECK_FALSE(now->notify_delete);
    for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{
             {"pubsub#access_model", "presence"}, {"pubsub#max_items", "0"}, {"pubsub#max_items", "x"},
             {"pubsub#persist_items", "yes"}, {"pubsub#nonsense", "1"}, {"pubsub#title", std::string(2000, 'x')}}) {
        CAPTURE(name);
        CHECK(refusal(bus.pubsub.configure(bus.ann, "news", {{"pubsub#description", {"changed"}}, {name, {value}}})) == "not-acceptable");
    }
    CHECK(bus.pubsub.configuration(bus.ann, "news")->description.empty());
}

TEST_CASE("an empty value of a list or number leaves it as it is [xmpp 62]") {
    lab bus;
    bus.make("news", {{"pubsub#access_model", {"whitelist"}}, {"pubsub#max_items", {"7"}}, {"pubsub#title", {"T"}}});
    REQUIRE(bus.pubsub.configure(bus.ann, "news", {{"pubsub#access_model", {""}}, {"pubsub#max_items", {""}}, {"pubsub#title", {""}}, {"pubsub#type", {}}}));
    const auto now = bus.pubsub.configuration(bus.ann, "news");
    CHECK(now->access == access_model::whitelist);
    CHECK(now->max_items == 7);
    CHECK(now->title.empty());
}

TEST_CASE("every field of the form can be set to what it shows") {
    node_config config;
    for (const auto& field : config_fields()) {
        CAPTURE(field.name);
        CHECK(field.set(config, field.value(config)));
        for (const auto option : field.options) CHECK(field.set(config, std::string{option}));
    }
}

TEST_CASE("only owners configure, purge and delete; what is unknown is unknown [xmpp 78] [xmpp 80]") {
    lab bus;
    bus.make("news");
    CHECK(refusal(bus.pubsub.configure(bus.bob, "news", {})) == "forbidden");
    CHECK(refusal(bus.pubsub.configuration(bus.bob, "news")) == "forbidden");
    CHECK(refusal(bus.pubsub.purge(bus.bob, "news")) == "forbidden");
    CHECK(refusal(bus.pubsub.remove(bus.bob, "news")) == "forbidden");
    CHECK(refusal(bus.pubsub.remove(bus.ann, "none")) == "item-not-found");
    CHECK(refusal(bus.pubsub.purge(bus.ann, "")) == "bad-request/nodeid-required");
}

TEST_CASE("a purge is one event, a deletion reaches every subscriber and ends all [xmpp 64] [xmpp 78] [xmpp 80]") {
    lab bus;
    bus.make("news");
    bus.join(bus.bob, "news");
    bus.put(bus.ann, "news", "i1", "one");
    bus.put(bus.ann, "news", "i2", "two");
    bus.heard.events.clear();
    REQUIRE(bus.pubsub.purge(bus.ann, "news"));
    CHECK(bus.heard.events == strings{"bob@bus.example purged"});
    CHECK(bus.ids(bus.bob, "news").empty());
    CHECK(bus.pubsub.count().octets == 0);

    REQUIRE(bus.pubsub.remove(bus.ann, "news"));
    CHECK(bus.heard.events.back() == "bob@bus.example deleted");
    CHECK(refusal(bus.pubsub.remove(bus.ann, "news")) == "item-not-found");
    CHECK(bus.pubsub.subscriptions(bus.bob, "")->empty());
    CHECK(bus.pubsub.nodes(bus.bob).empty());
}

TEST_CASE("a whitelist's node does not exist for strangers [xmpp 77]") {
    lab bus;
    bus.make("secret", {{"pubsub#access_model", {"whitelist"}}});
    CHECK(bus.pubsub.nodes(bus.bob).empty());
    CHECK(refusal(bus.pubsub.look_at(bus.bob, "secret")) == "item-not-found");
    CHECK(refusal(bus.pubsub.subscribe(bus.bob, "secret", "bob@bus.example")) == "not-allowed/closed-node");
    CHECK(refusal(bus.pubsub.items(bus.bob, "secret", 0, {})) == "not-allowed/closed-node");
    CHECK(refusal(bus.pubsub.publish(bus.bob, "secret", "", entry("x"), {})) == "item-not-found");
    REQUIRE(bus.pubsub.set_affiliations(bus.ann, "secret", {{"secret", "bob@bus.example", affiliation::member}}));
    CHECK(bus.pubsub.nodes(bus.bob).size() == 1);
    bus.join(bus.bob, "secret");
    CHECK(bus.ids(bus.bob, "secret").empty());
}

TEST_CASE("a node that becomes a whitelist's loses the strangers among its subscribers") {
    lab bus;
    bus.make("news");
    bus.join(bus.bob, "news");
    REQUIRE(bus.pubsub.configure(bus.ann, "news", {{"pubsub#access_model", {"whitelist"}}}));
    CHECK(bus.pubsub.subscriptions_of(bus.ann, "news")->empty());
}

TEST_CASE("limits on nodes are told, and freed by deleting") {
    lab bus{{.nodes = 3, .nodes_of_one = 2}};
    bus.make("a");
    bus.make("b");
    CHECK(refusal(bus.pubsub.create(bus.ann, "c", {})) == "resource-constraint");
    REQUIRE(bus.pubsub.create(bus.bob, "c", {}));
    CHECK(refusal(bus.pubsub.create(bus.eve, "d", {})) == "resource-constraint");
    REQUIRE(bus.pubsub.remove(bus.ann, "a"));
    CHECK(bus.pubsub.create(bus.ann, "d", {}));
    CHECK(refusal(bus.pubsub.create(bus.eve, std::string(2000, 'x'), {})) == "not-acceptable");
}
