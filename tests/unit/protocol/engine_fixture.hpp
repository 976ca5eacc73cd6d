// One node under test, and a hand-made stranger that feeds it datagrams with a valid MAC.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "support/bus_lab.hpp"

namespace mbus::lab {

using namespace std::chrono_literals;
using protocol::drop_reason;

// The addresses of the RFC's examples (section 4.2).
inline constexpr std::string_view own_text =
    "(app:rat conf:test id:4711-1@192.168.1.1 media:audio module:engine)";
inline constexpr std::string_view peer_text = "(app:rat id:4712-1@192.168.1.1 media:audio module:ui)";

struct engine_fixture {
    explicit engine_fixture(lab_options options = {}, protocol::node_options node_options = {})
        : lab(options), it(lab.add(std::move(node_options))), own(it.attach(own_text)) {}

    // "mbus/1.0 <number> <time> <type> <source> <destination> <acks>" and its commands.
    static std::string message(std::string_view number, std::string_view type, std::string_view destination,
                               std::string_view commands, std::string_view acks = "()",
                               std::string_view source = peer_text,
                               std::string_view timestamp = "1700003600000") {
        std::string out{"mbus/1.0 "};
        out.append(number).append(1, ' ').append(timestamp).append(1, ' ').append(type).append(1, ' ');
        out.append(source).append(1, ' ').append(destination).append(1, ' ').append(acks).append("\r\n");
        return out.append(commands);
    }

    void feed(std::string_view text, const endpoint& from = make_endpoint(200, 50200)) {
        lab.inject(it, text, from);
    }
    void feed(std::uint32_t number, std::string_view type, std::string_view destination,
              std::string_view commands, std::string_view acks = "()", std::string_view source = peer_text) {
        feed(message(std::to_string(number), type, destination, commands, acks, source));
    }

    // The peer says hello, so that it is known; number 1000.
    void meet(std::string_view source = peer_text, const endpoint& from = make_endpoint(200, 50200)) {
        feed(message("1000", "U", "()", "mbus.hello()\r\n", "()", source), from);
    }

    [[nodiscard]] std::vector<std::string> texts() const { return it.texts_for(own); }
    [[nodiscard]] std::uint64_t drops(drop_reason reason) const { return it.node.counters().drops(reason); }

    // What the node sent with acknowledgements in it.
    [[nodiscard]] std::vector<captured> acks() const {
        std::vector<captured> out;
        for (const auto& each : lab.capture())
            if (!each.parsed().header.acknowledgements.empty()) out.push_back(each);
        return out;
    }
    // What the node sent beside hellos.
    [[nodiscard]] std::vector<captured> sent() const {
        std::vector<captured> out;
        for (const auto& each : lab.capture())
            if (!each.presence) out.push_back(each);
        return out;
    }

    bus_lab lab;
    station& it;
    entity_handle own;
};

}  // namespace mbus::lab
