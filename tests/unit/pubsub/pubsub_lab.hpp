// A service that remembers what its listener and its storage heard.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

#include "pubsub/service.hpp"

namespace pubsub_test {

using namespace mbusd::pubsub;

struct recorder final : listener, storage {
    void notify(std::string_view jid, const event& what) override {
        events.push_back(std::string{jid} + ' ' + describe(what));
        if (on_notify) on_notify(jid);
    }
    void changed(const event& what) override { changes.push_back(describe(what)); }
    void approval_wanted(const std::vector<std::string>& owners, const subscription& what) override {
        for (const auto& each : owners) asked.push_back(each + ' ' + what.jid);
    }
    void put_node(std::string_view node, const node_config& config, std::uint64_t, std::string_view) override { kept.push_back("node " + std::string{node} + ' ' + config.title); }
    void drop_node(std::string_view node) override { kept.push_back("-node " + std::string{node}); }
    void put_item(std::string_view node, const item& what) override { kept.push_back("item " + std::string{node} + ' ' + what.id); }
    void drop_item(std::string_view node, std::string_view id) override { kept.push_back("-item " + std::string{node} + ' ' + std::string{id}); }
    void drop_items(std::string_view node) override { kept.push_back("-items " + std::string{node}); }
    void put_subscription(const subscription& what) override { kept.push_back("subscription " + what.jid + ' ' + std::string{to_string(what.state)}); }
    void put_affiliation(const affiliated& what) override { kept.push_back("affiliation " + what.jid + ' ' + std::string{to_string(what.what)}); }

    static std::string describe(const event& what) {
        switch (what.what) {
        case event::kind::published: return "published " + what.item_id + ' ' + what.entry->payload->text() + (what.fresh ? " new" : "");
        case event::kind::retracted: return "retracted " + what.item_id;
        case event::kind::purged: return "purged";
        case event::kind::deleted: return "deleted";
        case event::kind::configured: return "configured";
        case event::kind::subscribed: return "subscription " + std::string{to_string(what.state)};
        }
        return {};
    }

    std::function<void(std::string_view jid)> on_notify{};
    std::vector<std::string> events;
    std::vector<std::string> changes;
    std::vector<std::string> asked;
    std::vector<std::string> kept;
};

inline mbusd::xml::element entry(std::string_view text) {
    mbusd::xml::element out{"http://www.w3.org/2005/Atom", "entry"};
    out.add_text(text);
    return out;
}

struct lab {
    explicit lab(service_limits limits = {}) : pubsub(heard, heard, [this] { return now_ms; }, limits) {}

    void make(const std::string& node, const form_fields& config = {}) { REQUIRE(pubsub.create(ann, node, config)); }
    void join(const requester& who, const std::string& node) {
        REQUIRE(pubsub.subscribe(who, node, bare_jid(who.jid)));
    }
    std::string put(const requester& who, const std::string& node, const std::string& id, std::string_view text) {
        auto made = pubsub.publish(who, node, id, entry(text), {});
        REQUIRE_MESSAGE(made, made.error().text);
        return made->id;
    }
    std::vector<std::string> ids(const requester& who, const std::string& node, std::size_t count = 0) {
        auto got = pubsub.items(who, node, count, {});
        REQUIRE(got);
        std::vector<std::string> out;
        for (const auto& each : *got) out.push_back(each->id);
        return out;
    }

    requester ann{"ann@bus.example/x"};
    requester bob{"bob@bus.example/y"};
    requester eve{"eve@bus.example/z"};
    requester guest{"g1@bus.example/q", true};
    std::uint64_t now_ms = 1'700'000'000'000;
    recorder heard;
    service pubsub;
};

// "forbidden" or "not-allowed/closed-node"; empty when it was done.
template <class T>
std::string refusal(const outcome<T>& what) {
    if (what) return {};
    CHECK_FALSE(what.error().text.empty());
    return std::string{what.error().condition} + (what.error().detail.empty() ? "" : "/" + std::string{what.error().detail});
}

}  // namespace pubsub_test
