// bus.DOMAIN on a router without sockets: XMPP sessions and MBWS clients talk to each other.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateways/xmpp/bus_service.hpp"
#include "router_lab.hpp"
#include "xmpp_lab.hpp"

namespace xmpp_test {

inline constexpr const char* bus_host = "bus.bus.example";
inline constexpr const char* urn = "urn:x-mbus:1";

struct bus_lab {
    bus_lab()
        : door({.host = bus_host,
                .rights = [this](const xmpp::session& whose) { return rights_of(whose); },
                .after = [this](std::chrono::milliseconds wait,
                                std::function<void()> what) { timers.emplace_back(wait, std::move(what)); }},
               bus.hub, bus.turns, domain.domain) {
        domain.domain.add(door);
    }

    std::shared_ptr<const mbusd::granted_rights> rights_of(const xmpp::session& whose) {
        if (whose.guest()) return nullptr;
        if (whose.bare() != "mute@bus.example")
            return std::make_shared<const mbusd::granted_rights>(mbusd::granted_rights::all("test"));
        mbusd::rights_rule rule;
        rule.attach.push_back(*mbus::address::parse("()"));
        rule.send.push_back(*mbus::address::parse("(app:chat)"));
        return std::make_shared<const mbusd::granted_rights>(
            mbusd::rights_table{}.granted_to({.client = "mute", .name = "client:mute", .groups = {}}, rule));
    }

    xmpp_test::client& login(std::string_view user, std::string_view resource = "r") {
        auto& out = domain.login(user, resource);
        bus.turn();
        return out;
    }

    router_test::router_lab bus;
    xmpp_lab domain;
    std::vector<std::pair<std::chrono::milliseconds, std::function<void()>>> timers;
    xmpp::bus_service door;
};

inline std::string to_bus(std::string_view address, std::string_view inside, std::string_view id = "m1") {
    return "<message xmlns='jabber:client' to='" + std::string{bus_host} + "/" + std::string{address} +
           "' id='" + std::string{id} + "'>" + std::string{inside} + "</message>";
}

inline constexpr const char* receipt = "<request xmlns='urn:xmpp:receipts'/>";

inline std::string_view sentence(const xml::element& error) {
    static std::string kept;
    kept =
        error.child("jabber:client", "error")->child("urn:ietf:params:xml:ns:xmpp-stanzas", "text")->text();
    return kept;
}

inline const xml::element& fault(const xml::element& error) {
    return *error.child("jabber:client", "error")->child(urn, "fault");
}

}  // namespace xmpp_test
