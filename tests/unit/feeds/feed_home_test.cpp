// Publish-subscribe in the store: what was there is there again.
#include <doctest/doctest.h>

#include "feeds/feed_home.hpp"
#include "unit/store/store_lab.hpp"
#include "xml/reader.hpp"

using namespace mbusd;

namespace {

const pubsub::requester ann{"ann@bus.example/x"};
const pubsub::requester bob{"bob@bus.example/y"};

xml::element parse(std::string_view text) {
    xml::document_reader reader;
    auto out = reader.read(text);
    REQUIRE_MESSAGE(out, reader.fault().text);
    return std::move(*out);
}

xml::element entry(std::string_view title) {
    return parse("<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:1</id><title>" + std::string{title} +
                 "</title><updated>2026-11-21T06:00:00Z</updated></entry>");
}

// One life of the daemon.
struct life {
    explicit life(store_lab& lab) : disk(lab) {
        REQUIRE(feeds.load().has_value());
        kept.start();
    }
    void settle() {
        bool stored = false;
        feeds.when_stored([&] { stored = true; });
        turns.run();
        REQUIRE(disk.thread.run([&] {
            turns.run();
            return stored;
        }));
    }
    store_lab& disk;
    store kept{{.file = disk.where.file()}, disk.thread.post(), disk.log};
    turn_queue turns{[](const std::function<void()>&) {}};
    std::uint64_t now = 1'700'000'000'000;
    feed_home feeds{{.domain = "bus.example"}, kept, turns, [](std::chrono::milliseconds, const std::function<void()>&) {}, [this] { return ++now; },
                    disk.log};
};

}  // namespace

TEST_CASE("nodes, items, subscriptions and affiliations survive") {
    store_lab lab;
    std::uint64_t order = 0;
    {
        life first{lab};
        auto& nodes = first.feeds.nodes();
        REQUIRE(nodes.create(ann, "news", {{"pubsub#title", {"100% new\nlines"}}, {"pubsub#max_items", {"max"}}}));
        REQUIRE(nodes.create(ann, "gone", {}));
        REQUIRE(nodes.publish(ann, "news", "i1", entry("one"), {}));
        REQUIRE(nodes.publish(ann, "news", "i2", entry("two"), {}));
        const auto again = nodes.publish(ann, "news", "i1", entry("one again"), {});
        order = again->entry->order;
        REQUIRE(nodes.publish(ann, "news", "i3", entry("three"), {}));
        REQUIRE(nodes.retract(ann, "news", "i3", true));
        REQUIRE(nodes.subscribe(bob, "news", "bob@bus.example", {{"pubsub#deliver", {"0"}}}));
        REQUIRE(nodes.set_affiliations(ann, "news", {{"news", "bob@bus.example", pubsub::affiliation::publisher}}));
        REQUIRE(nodes.remove(ann, "gone"));
        first.settle();
    }
    life second{lab};
    auto& nodes = second.feeds.nodes();
    const auto config = nodes.configuration(ann, "news");
    REQUIRE(config);
    CHECK(config->title == "100% new\nlines");
    CHECK_FALSE(nodes.options(bob, "news", "bob@bus.example")->deliver);
    CHECK(nodes.options(bob, "news", "bob@bus.example")->include_body);
    CHECK(config->max_items_is_max);
    CHECK_FALSE(nodes.look_at(ann, "gone"));
    CHECK(nodes.look_at(ann, "news")->created_ms > 1'700'000'000'000);
    const auto items = nodes.items(ann, "news", 0, {});
    REQUIRE(items->size() == 2);
    CHECK((*items)[0]->id == "i2");
    CHECK((*items)[1]->id == "i1");
    CHECK((*items)[1]->order == order);
    CHECK(*(*items)[1]->payload == entry("one again"));
    CHECK(nodes.subscriptions(bob, {})->size() == 1);
    CHECK(nodes.publish(bob, "news", "i4", entry("four"), {}));
}

TEST_CASE("nothing is kept without a file, and nobody waits") {
    store_lab lab;
    store kept{{}, lab.thread.post(), lab.log};
    turn_queue turns{[](const std::function<void()>&) {}};
    feed_home feeds{{.domain = "bus.example"}, kept, turns, [](std::chrono::milliseconds, const std::function<void()>&) {}, [] { return 1; }, lab.log};
    REQUIRE(feeds.load().has_value());
    REQUIRE(feeds.nodes().create(ann, "news", {}));
    bool done = false;
    feeds.when_stored([&] { done = true; });
    CHECK(done);
}

TEST_CASE("payloads of feeds are entries, whoever publishes them; other payloads pass [xmpp 92]") {
    store_lab lab;
    life one{lab};
    auto& nodes = one.feeds.nodes();
    REQUIRE(nodes.create(ann, "news", {}));
    REQUIRE(nodes.create(ann, "raw", {{"pubsub#type", {"urn:other"}}}));
    const auto untitled = parse("<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:1</id></entry>");
    const auto refused = nodes.publish(ann, "news", "", untitled, {});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().condition == "bad-request");
    CHECK(refused.error().detail == "invalid-payload");
    CHECK(refused.error().text.find("exactly one title") != std::string::npos);
    CHECK(nodes.publish(ann, "raw", "", untitled, {}));
    CHECK(nodes.publish(ann, "news", "", parse("<tune xmlns='urn:t'/>"), {}));
    one.settle();
}
