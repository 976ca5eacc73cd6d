// What the tests of the SDK share: a bus, and programs on it.
#pragma once

#include <doctest/doctest.h>

#include <mbus/mbus.hpp>
#include <mbus/testing.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

// A program with one entity.
struct program {
    program(mbus::testing::bus& bus, std::string_view address, std::string_view host = "here",
            const mbus::connect_options& options = {})
        : connection(bus.connect(host, options)), me(attach(connection, address)) {}

    static mbus::entity attach(mbus::connection& over, std::string_view address,
                               const mbus::attach_options& options = {}) {
        auto made = over.attach(address, options).wait();
        REQUIRE_MESSAGE(made, made.error().text);
        return std::move(*made);
    }

    mbus::connection connection;
    mbus::entity me;
};

// The next command that the entity got, as text; "" when there is none.
inline std::string next_command(mbus::entity& who, std::chrono::milliseconds limit = 100ms) {
    const auto got = who.receive(limit);
    if (!got) return {};
    std::string text;
    for (const auto& one : got->commands()) {
        if (!text.empty()) text += ' ';
        (void)mbus::append_command(text, one);
    }
    return text;
}
