#include "bus/bus_options.hpp"

#include <doctest/doctest.h>

#include "bus/group_socket.hpp"

using namespace mbusd;
using mbus::protocol::scope;

namespace {

bus_options with(scope where, std::optional<std::string> group = {},
                 family_rule families = family_rule::automatic) {
    bus_options options;
    options.scope = where;
    options.group = std::move(group);
    options.families = families;
    return options;
}

std::string group_text(const bus_options& options, ip_family family) {
    return to_string(group_address(options, family));
}

}  // namespace

TEST_CASE("the IPv4 group is 239.255.255.247 in both scopes (RFC 3259 s6.1.1) [item 54]") {
    CHECK(group_text(with(scope::host_local), ip_family::v4) == "239.255.255.247");
    CHECK(group_text(with(scope::link_local), ip_family::v4) == "239.255.255.247");
}

TEST_CASE("the IPv6 group has the prefix of the scope (RFC 3259 s6.1.2) [item 57] [item 58] [item 59]") {
    CHECK(group_text(with(scope::host_local), ip_family::v6) == "ff01::300");
    CHECK(group_text(with(scope::link_local), ip_family::v6) == "ff02::300");
}

TEST_CASE("ADDRESS sets the group of its family; the other one keeps its default (trap T9)") {
    const auto v4 = with(scope::link_local, "224.255.222.239");
    CHECK(group_text(v4, ip_family::v4) == "224.255.222.239");
    CHECK(group_text(v4, ip_family::v6) == "ff02::300");
    CHECK(main_family(v4) == ip_family::v4);
    const auto v6 = with(scope::link_local, "ff02::1234");
    CHECK(group_text(v6, ip_family::v6) == "ff02::1234");
    CHECK(main_family(v6) == ip_family::v6);
}

TEST_CASE("broadcast is used only where ADDRESS=BROADCAST says so (RFC 3259 s6.1.3) [item 63]") {
    mbus::protocol::session_config session;
    CHECK_FALSE(options_from(session).broadcast);
    CHECK(group_address(options_from(session), ip_family::v4).is_multicast());
    session.broadcast = true;
    CHECK(options_from(session).broadcast);
    CHECK(group_text(options_from(session), ip_family::v6) == "ff01::1");
    session.scope = scope::link_local;
    CHECK(group_text(options_from(session), ip_family::v6) == "ff02::1");
}

TEST_CASE("the session file decides scope, group and port (RFC 3259 s12) [item 53] [item 64]") {
    mbus::protocol::session_config session;
    CHECK(options_from(session).port == 47000);
    session.scope = scope::link_local;
    session.port = 47001;
    session.group = "239.1.1.1";
    const auto options = options_from(session);
    CHECK(options.scope == scope::link_local);
    CHECK(options.port == 47001);
    CHECK(options.group == "239.1.1.1");
}

TEST_CASE("odd combinations of ADDRESS, SCOPE and families are told (trap T9)") {
    CHECK(option_warnings(with(scope::link_local)).empty());
    CHECK(option_warnings(with(scope::link_local, "239.255.255.247")).empty());
    CHECK(option_warnings(with(scope::link_local, "ff02::300")).empty());
    CHECK(option_warnings(with(scope::link_local, "ff05::300")).size() == 1);
    CHECK(option_warnings(with(scope::host_local, "ff02::300")).size() == 1);
    CHECK(option_warnings(with(scope::host_local, "10.0.0.1")).size() == 1);
    CHECK(option_warnings(with(scope::link_local, "ff02::300", family_rule::ipv4)).size() == 1);
}

TEST_CASE("families have names; others are refused with the right ones") {
    for (const auto rule :
         {family_rule::automatic, family_rule::ipv4, family_rule::ipv6, family_rule::both}) {
        const auto read = parse_family_rule(to_string(rule));
        REQUIRE(read);
        CHECK(*read == rule);
    }
    const auto bad = parse_family_rule("v6");
    REQUIRE_FALSE(bad);
    CHECK(bad.error().text.find("\"ipv6\"") != std::string::npos);
}
