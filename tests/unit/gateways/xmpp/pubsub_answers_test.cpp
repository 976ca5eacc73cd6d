// Answers of publish-subscribe: page by page (XEP-0059), and after what they tell of is stored.
#include "pubsub_lab.hpp"

using namespace xmpp_test;

TEST_CASE("long lists come page by page (XEP-0059)") {
    pubsub_lab lab;
    auto& ann = lab.login("ann");
    lab.make(ann, form(field("pubsub#max_items", "max")));
    for (int i = 0; i < 5; ++i) lab.put(ann, std::to_string(i), "x");
    const auto page = [&](const std::string& set) {
        const auto got = lab.ask(
            ann, "get", "<items node='news'/><set xmlns='http://jabber.org/protocol/rsm'>" + set + "</set>");
        if (got.value_of("type") == "error") return condition(got);
        std::string out;
        for (const auto* each : got.first()->first()->elements()) out += each->value_of("id");
        return out + '/' +
               got.first()->child(ns::result_sets, "set")->child(ns::result_sets, "count")->text();
    };
    CHECK(page("<max>2</max>") == "01/5");
    CHECK(page("<max>2</max><after>1</after>") == "23/5");
    CHECK(page("<max>2</max><after>3</after>") == "4/5");
    CHECK(page("<max>2</max><before/>") == "34/5");
    CHECK(page("<max>2</max><before>3</before>") == "12/5");
    CHECK(page("<max>0</max>") == "/5");
    CHECK(page("<max>2</max><after>nowhere</after>") == "item-not-found");
    const auto nodes = ann.ask(
        "get",
        "<query xmlns='http://jabber.org/protocol/disco#items' node='news'><set xmlns='http://jabber.org/protocol/rsm'><max>1</max></set></query>",
        host);
    CHECK(nodes.first()->first()->value_of("name") == "0");
    CHECK(nodes.first()->child(ns::result_sets, "set")->child(ns::result_sets, "last")->text() == "0");
}

TEST_CASE("items that do not fit into one answer: the newest come, with the number of all") {
    pubsub_lab lab;
    auto& ann = lab.login("ann");
    lab.make(ann);
    for (int i = 0; i < 6; ++i) lab.put(ann, std::to_string(i), std::string(240'000, 'x'));
    ann.say(
        "<iq xmlns='jabber:client' type='get' id='i' to='pubsub.bus.example'><pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='news'/></pubsub></iq>");
    const auto text = ann.take_text();
    for (const auto* id : {"0", "1"}) CHECK(text.find("<item id=\"" + std::string{id}) == std::string::npos);
    for (const auto* id : {"2", "3", "4", "5"})
        CHECK(text.find("<item id=\"" + std::string{id}) != std::string::npos);
    CHECK(text.find("<count>6</count>") != std::string::npos);
}

TEST_CASE("an answer to a change waits until it is stored, and later answers wait behind it") {
    std::vector<std::function<void()>> pending;
    pubsub_lab lab{[&](std::function<void()> then) { pending.push_back(std::move(then)); }};
    auto& ann = lab.login("ann");
    auto& bob = lab.login("bob");
    ann.say(
        "<iq xmlns='jabber:client' type='set' id='1' to='pubsub.bus.example'><pubsub xmlns='http://jabber.org/protocol/pubsub'><create node='news'/></pubsub></iq>");
    ann.say(
        "<iq xmlns='jabber:client' type='get' id='2' to='pubsub.bus.example'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>");
    ann.say(
        "<iq xmlns='jabber:client' type='set' id='3' to='pubsub.bus.example'><pubsub xmlns='http://jabber.org/protocol/pubsub'><create node='news'/></pubsub></iq>");
    ann.say(
        "<iq xmlns='jabber:client' type='get' id='4' to='bus.example'><ping xmlns='urn:xmpp:ping'/></iq>");
    CHECK(ann.take().value_of("id") == "4");
    CHECK(ann.nothing());
    CHECK(lab.door.answers_waiting() == 3);
    CHECK(bob.ask("get", "<query xmlns='http://jabber.org/protocol/disco#items'/>", host).value_of("type") ==
          "result");
    for (const auto& each : std::exchange(pending, {})) each();
    for (const auto* id : {"1", "2", "3"}) CHECK(ann.take().value_of("id") == id);
    CHECK(lab.door.answers_waiting() == 0);
    CHECK(ann.ask("get", "<query xmlns='http://jabber.org/protocol/disco#items'/>", host).value_of("type") ==
          "result");
}

TEST_CASE("an answer that waited for the disk is not given to another session of the same address") {
    std::vector<std::function<void()>> pending;
    pubsub_lab lab{[&](std::function<void()> then) { pending.push_back(std::move(then)); }};
    auto& ann = lab.login("ann");
    ann.say(
        "<iq xmlns='jabber:client' type='set' id='1' to='pubsub.bus.example'><pubsub xmlns='http://jabber.org/protocol/pubsub'><create node='news'/></pubsub></iq>");
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
