// Publish-subscribe on the bus: requests, and the changes that everybody hears.
#include <doctest/doctest.h>

#include "feeds/feed_entity.hpp"
#include "unit/router/router_lab.hpp"
#include "unit/store/store_lab.hpp"
#include "xml/reader.hpp"

using namespace router_test;
using mbws::verb;

namespace {

const std::string entry_text =
    R"(<entry xmlns=\"http://www.w3.org/2005/Atom\"><id>urn:x:1</id><title>Dawn</title><updated>2026-11-21T06:00:00Z</updated></entry>)";

struct feeds_lab {
    feeds_lab() { REQUIRE(door.join().has_value()); }

    std::string ask(test_client& client, const std::string& name, const std::string& arguments) {
        client.message("(service:pubsub)", name + "(((\"ID\" \"7\") (\"RPC-TYPE\" \"UNICAST\")) (" + arguments + "))");
        lab.turn();
        REQUIRE_FALSE(client.nothing());
        return std::string{client.take().view.body};
    }

    router_lab lab;
    mbusd::store kept{{}, [](const std::function<void()>& run) { run(); }, lab.log};
    mbusd::feed_home feeds{{.domain = "bus.example"}, kept, lab.turns, [](std::chrono::milliseconds, const std::function<void()>&) {},
                           [] { return std::uint64_t{1'700'000'000'000}; }, lab.log};
    mbusd::feed_entity door{feeds, lab.hub, lab.turns};
};

// With a store on a disk, which takes its time.
struct stored_lab {
    stored_lab() {
        REQUIRE(feeds.load().has_value());
        kept.start();
        REQUIRE(door.join().has_value());
    }
    mbusd::store_lab disk;
    router_lab lab;
    mbusd::store kept{{.file = disk.where.file()}, disk.thread.post(), lab.log};
    mbusd::feed_home feeds{{.domain = "bus.example"}, kept, lab.turns, [](std::chrono::milliseconds, const std::function<void()>&) {},
                           [] { return std::uint64_t{1'700'000'000'000}; }, lab.log};
    mbusd::feed_entity door{feeds, lab.hub, lab.turns};
};

bool says(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("what is published over the bus is heard at (feed:NODE): new, changed, deleted") {
    feeds_lab lab;
    auto& writer = lab.lab.client();
    writer.attach("(app:writer)");
    auto& reader = lab.lab.client();
    reader.attach("(feed:news)");

    const auto made = lab.ask(writer, "atom.publish", "\"news\" \"i1\" \"" + entry_text + "\"");
    CHECK(says(made, "atom.publish.return"));
    CHECK(says(made, "\"OK\""));
    CHECK(says(made, "\"i1\""));
    const auto first = std::string{reader.take().view.body};
    CHECK(says(first, "atom.published(\"news\" \"i1\" \"Dawn\" <"));
    lab.ask(writer, "atom.publish", "\"news\" \"i1\" \"" + entry_text + "\"");
    CHECK(says(std::string{reader.take().view.body}, "atom.updated(\"news\" \"i1\" \"Dawn\" <"));
    lab.ask(writer, "atom.retract", "\"news\" \"i1\"");
    CHECK(says(std::string{reader.take().view.body}, "atom.deleted(\"news\" \"i1\" \"Dawn\" <"));
    CHECK(lab.door.counters().lost == 0);
}

TEST_CASE("a plain command publishes too, and nobody is answered") {
    feeds_lab lab;
    auto& writer = lab.lab.client();
    writer.attach("(app:writer)");
    writer.message("(service:pubsub)", "atom.publish(\"news\" \"\" \"" + entry_text + "\")");
    lab.lab.turn();
    CHECK(writer.nothing());
    CHECK(lab.feeds.facts_of("news") != nullptr);
}

TEST_CASE("the answer to a change waits for the disk, and later answers to the same program behind it") {
    stored_lab lab;
    auto& writer = lab.lab.client();
    writer.attach("(app:writer)");
    auto& reader = lab.lab.client();
    reader.attach("(app:reader)");
    writer.message("(service:pubsub)", "atom.publish(((\"ID\" \"1\")) (\"news\" \"i1\" \"" + entry_text + "\"))");
    writer.message("(service:pubsub)", "feed.list(((\"ID\" \"2\")) ())");
    reader.message("(service:pubsub)", "feed.list(((\"ID\" \"3\")) ())");
    lab.lab.turn();
    CHECK(writer.nothing());
    CHECK(lab.feeds.waiting_for_store() == 2);
    CHECK(says(std::string{reader.take().view.body}, "feed.list.return"));
    REQUIRE(lab.disk.thread.run([&] {
        lab.lab.turn();
        return !writer.nothing();
    }));
    CHECK(says(std::string{writer.take().view.body}, "atom.publish.return"));
    lab.lab.turn();
    CHECK(says(std::string{writer.take().view.body}, "feed.list.return"));
    CHECK(lab.feeds.waiting_for_store() == 0);
    CHECK(lab.feeds.counters().stored_later == 2);
}

TEST_CASE("requests say what is wrong") {
    feeds_lab lab;
    auto& writer = lab.lab.client();
    writer.attach("(app:writer)");
    CHECK(says(lab.ask(writer, "atom.publish", "\"news\" \"\" \"no xml\""), "one XML element"));
    CHECK(says(lab.ask(writer, "atom.publish", R"("news" "" "<entry xmlns=\"http://www.w3.org/2005/Atom\"/>")"), "exactly one id"));
    CHECK(says(lab.ask(writer, "feed.items", "\"other\""), "there is no node other"));
    CHECK(says(lab.ask(writer, "feed.dance", ""), "UNKNOWN"));
}

TEST_CASE("feeds and entries are listed and shown") {
    feeds_lab lab;
    auto& writer = lab.lab.client();
    writer.attach("(app:writer)");
    lab.ask(writer, "feed.create", "\"news\" \"The news\"");
    lab.ask(writer, "atom.publish", "\"news\" \"i1\" \"" + entry_text + "\"");
    CHECK(says(lab.ask(writer, "feed.list", "0"), "\"The news\""));
    CHECK(says(lab.ask(writer, "feed.items", "\"news\" 0"), "\"Dawn\""));
    CHECK(says(lab.ask(writer, "feed.item", "\"news\" \"i1\""), "\"payload\" <"));
    CHECK(says(lab.ask(writer, "feed.remove", "\"news\""), "\"OK\""));
    CHECK(lab.feeds.facts_of("news") == nullptr);
}

TEST_CASE("rights are those of who sends: strangers do not write, administrators do what owners may") {
    feeds_lab lab;
    REQUIRE(lab.feeds.nodes().create({"ann@bus.example"}, "news", {}));
    auto& stranger = lab.lab.client_of("eve", {"mbus-users"});
    stranger.attach("(app:eve)");
    CHECK(says(lab.ask(stranger, "atom.publish", "\"news\" \"\" \"" + entry_text + "\""), "you may not publish to news"));
    auto& root = lab.lab.client();
    root.attach("(app:root)");
    CHECK(says(lab.ask(root, "atom.publish", "\"news\" \"\" \"" + entry_text + "\""), "\"OK\""));
}

TEST_CASE("who makes a feed names who may publish beside the owner") {
    feeds_lab lab;
    auto& writer = lab.lab.client();
    writer.attach("(app:writer)");
    CHECK(says(lab.ask(writer, "feed.create", "\"news\" \"\" (\"eve\")"), "\"OK\""));
    CHECK(says(lab.ask(writer, "feed.create", "\"other\" \"\" (5)"), "list of names"));
    CHECK(lab.feeds.facts_of("other") == nullptr);
    auto& eve = lab.lab.client_of("eve", {"mbus-users"});
    eve.attach("(app:eve)");
    CHECK(says(lab.ask(eve, "atom.publish", "\"news\" \"\" \"" + entry_text + "\""), "\"OK\""));
    auto& bob = lab.lab.client_of("bob", {"mbus-users"});
    bob.attach("(app:bob)");
    CHECK(says(lab.ask(bob, "atom.publish", "\"news\" \"\" \"" + entry_text + "\""), "you may not publish to news"));
}

TEST_CASE("a node that is not open stays off the bus") {
    feeds_lab lab;
    auto& reader = lab.lab.client();
    reader.attach("(feed:secret)");
    REQUIRE(lab.feeds.nodes().create({"ann@bus.example"}, "secret", {{"pubsub#access_model", {"whitelist"}}}));
    mbusd::xml::document_reader xml;
    REQUIRE(lab.feeds.nodes().publish({"ann@bus.example"}, "secret", "i1", *xml.read("<a xmlns='urn:a'/>"), {}));
    lab.lab.turn();
    CHECK(reader.nothing());
}
