// Sending: matching, local delivery, coalescing, limits.
#include <doctest/doctest.h>

#include "support/bus_lab.hpp"

using namespace mbus;
using namespace mbus::lab;
using namespace std::chrono_literals;

TEST_CASE("two nodes meet and a reliable message is acknowledged [item 11] [item 48]") {
    bus_lab lab;
    auto& a = lab.add();
    auto& b = lab.add();
    const auto ui = a.attach("(app:ui)");
    const auto player = b.attach("(app:player)");
    lab.run_for(1500ms);
    REQUIRE(a.changes.size() == 1);
    CHECK(a.node.entities() == 2);

    REQUIRE(a.send(ui, "(app:player)", "demo.text(\"hi\")", true, 5));
    lab.run_for(100ms);

    CHECK(b.texts_for(player) == std::vector<std::string>{"demo.text(\"hi\")\r\n"});
    REQUIRE(a.reports.size() == 1);
    CHECK(a.reports[0].acknowledged);
    CHECK(a.reports[0].token == 5);
    CHECK(a.reports[0].by.text() == b.address_of(player));
}
