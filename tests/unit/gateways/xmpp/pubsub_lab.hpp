// An XMPP domain with publish-subscribe that stores nothing, and what its clients ask.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateways/xmpp/namespaces.hpp"
#include "gateways/xmpp/pubsub_service.hpp"
#include "xmpp_lab.hpp"

namespace xmpp_test {

namespace ns = xmpp::ns;

struct no_storage final : mbusd::pubsub::storage {
    void put_node(std::string_view, const mbusd::pubsub::node_config&, std::uint64_t,
                  std::string_view) override {}
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
    void approval_wanted(const std::vector<std::string>& owners,
                         const mbusd::pubsub::subscription& what) override {
        to->approval_wanted(owners, what);
    }
    mbusd::pubsub::listener* to = nullptr;
};

inline constexpr std::string_view host = "pubsub.bus.example";

struct pubsub_lab : xmpp_lab {
    explicit pubsub_lab(std::function<void(std::function<void()>)> when_stored = {})
        : door({.host = std::string{host},
                .when_stored = std::move(when_stored),
                .problem = [this] { return std::string_view{problem}; }},
               nodes, domain) {
        heard.to = &door;
        domain.add(door);
    }
    xml::element ask(client& who, std::string_view type, const std::string& payload) {
        return who.ask(type, "<pubsub xmlns='http://jabber.org/protocol/pubsub'>" + payload + "</pubsub>",
                       host);
    }
    xml::element own(client& who, std::string_view type, const std::string& payload) {
        return who.ask(
            type, "<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'>" + payload + "</pubsub>", host);
    }
    void make(client& who, const std::string& form = "") {
        REQUIRE(
            ask(who, "set", "<create node='news'/><configure>" + form + "</configure>").value_of("type") ==
            "result");
    }
    xml::element put(client& who, const std::string& id, const std::string& text) {
        return ask(who, "set",
                   "<publish node='news'><item id='" + id + "'><entry xmlns='http://www.w3.org/2005/Atom'>" +
                       text + "</entry></item></publish>");
    }

    no_storage nowhere;
    forwarder heard;
    mbusd::pubsub::service nodes{heard, nowhere, [] { return std::uint64_t{1'700'000'000'000}; }};
    std::string problem;
    xmpp::pubsub_service door;
};

inline std::string form(const std::string& fields) {
    return "<x xmlns='jabber:x:data' type='submit'>" + fields + "</x>";
}
inline std::string field(const std::string& name, const std::string& value) {
    return "<field var='" + name + "'><value>" + value + "</value></field>";
}

inline std::string detail(const xml::element& stanza) {
    const auto* error = stanza.child(ns::client, "error");
    if (error == nullptr) return {};
    for (const auto* each : error->elements()) {
        if (each->space() == ns::pubsub_errors) return each->name();
    }
    return {};
}

}  // namespace xmpp_test
