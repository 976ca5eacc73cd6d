// What mbus doctor concludes.
#include <string>

#include <doctest/doctest.h>

#include "mbus/doctor_checks.hpp"

using namespace mbus::tools;
using mbus::value;
using namespace std::chrono_literals;

namespace {

value pair(std::string name, value what) { return value::list{std::move(name), std::move(what)}; }

value interface(const std::string& name, bool v4, bool v6, int mtu = 1500) {
    return value::list{pair("name", name),        pair("mtu", mtu),  pair("ipv4", v4), pair("ipv6", v6),
                       pair("address-ipv4", v4 ? "10.0.0.1" : ""), pair("address-ipv6", v6 ? "fe80::1" : "")};
}

value::list counters(int bad_mac, int oversized = 0) {
    return {pair("bus-dropped", value::list{pair("bad-mac", bad_mac), pair("duplicate", 77)}),
            pair("sockets", value::list{pair("oversized", oversized)})};
}

// Everything is well.
daemon_facts healthy() {
    daemon_facts facts;
    facts.socket = "/run/mbusd/mbusd.sock";
    facts.user = "ada";
    facts.status = {pair("version", "0.1.0"),     pair("uptime-ms", 90'000), pair("time-ms", std::int64_t{1'795'209'264'123}),
                    pair("scope", "LINKLOCAL"),   pair("families", "auto"),  pair("group-ipv6", "ff02::300"),
                    pair("sessions", 2),          pair("entities", 3),       pair("loopback-heard", true),
                    pair("notes", value::list{})};
    facts.rights = {pair("user", "ada"), pair("send-anywhere", true), pair("monitor", true), pair("administer", true)};
    facts.interfaces = {pair("interfaces", value::list{interface("eth0", true, true)}), pair("skipped", value::list{})};
    facts.counters = counters(0);
    facts.counters_later = counters(0);
    facts.between = 2500ms;
    return facts;
}

value& status_of(daemon_facts& facts, std::string_view name) {
    for (auto& one : facts.status) {
        auto& list = *one.get_if<value::list>();
        if (*list.front().get_if<std::string>() == name) return list[1];
    }
    FAIL("no such status");
    return facts.status.front();
}

clock_facts good_clock() { return {1'795'209'264'000, true}; }

key_facts good_key() { return {"/home/ada/.mbus", "", false, "HMAC-SHA1-96, AES", "0123456789abcdef", false, true}; }

}  // namespace

TEST_CASE("a healthy bus passes every check") {
    const auto checks = examine(healthy(), good_key(), good_clock());
    CHECK(checks.size() == 9);
    for (const auto& one : checks) {
        CAPTURE(one.name);
        CAPTURE(one.text);
        CHECK(one.found == verdict::ok);
        CHECK(one.fix.empty());
    }
}

TEST_CASE("without a daemon the fix says how to start one, and what needs it is left out") {
    daemon_facts facts;
    facts.failure = "no daemon on /run/mbusd/mbusd.sock";
    const auto checks = examine(facts, good_key(), good_clock());
    REQUIRE(checks.size() == 3);
    CHECK(checks[0].found == verdict::failed);
    CHECK(checks[0].fix.find("systemctl start mbusd") != std::string::npos);
}

TEST_CASE("a user without rights is told the group") {
    daemon_facts facts;
    facts.user = "bob";
    facts.failure = "refused";
    facts.refused = true;
    CHECK(examine_daemon(facts).fix.find("sudo adduser bob mbus-users") == 0);
    auto attach = healthy();
    attach.attach_refused = "refused: user bob is not in group mbus-users";
    CHECK(examine_rights(attach).found == verdict::failed);
}

TEST_CASE("a key file that others may read fails; one of the daemon's user is no fault") {
    auto open = good_key();
    open.failure = "/home/ada/.mbus: others may read it";
    CHECK(examine_key(open).found == verdict::failed);
    CHECK(examine_key(open).fix.find("chmod 600") == 0);
    key_facts theirs;
    theirs.path = "/etc/mbusd/mbus.conf";
    theirs.unreadable = true;
    CHECK(examine_key(theirs).found == verdict::ok);
    auto modern = good_key();
    modern.modern = true;
    CHECK(examine_key(modern).text.find("modern profile") != std::string::npos);
    CHECK(examine_key(good_key()).text.find("RFC 3259 profile") != std::string::npos);
}

TEST_CASE("no joined interface fails, with the reasons of those that are not used") {
    auto facts = healthy();
    facts.interfaces = {pair("interfaces", value::list{interface("eth0", false, false)}),
                        pair("skipped", value::list{value{value::list{pair("name", "wg0"), pair("reason", "point-to-point")}}})};
    const auto found = examine_interfaces(facts);
    CHECK(found.found == verdict::failed);
    CHECK(found.text.find("wg0: point-to-point") != std::string::npos);
    CHECK_FALSE(found.fix.empty());
}

TEST_CASE("a group that is not heard fails") {
    auto facts = healthy();
    status_of(facts, "loopback-heard") = value{0};
    CHECK(examine_loopback(facts).found == verdict::failed);
}

TEST_CASE("missing IPv6 is a warning, unless it is meant or required") {
    auto facts = healthy();
    facts.interfaces = {pair("interfaces", value::list{interface("eth0", true, false)})};
    CHECK(examine_ipv6(facts).found == verdict::warning);
    status_of(facts, "scope") = value{"HOSTLOCAL"};
    CHECK(examine_ipv6(facts).found == verdict::ok);
    status_of(facts, "families") = value{"ipv4"};
    CHECK(examine_ipv6(facts).found == verdict::ok);
    status_of(facts, "families") = value{"ipv6"};
    CHECK(examine_ipv6(facts).found == verdict::failed);
}

TEST_CASE("somebody with another key shows as a rising counter of wrong MACs") {
    auto facts = healthy();
    facts.counters = counters(4);
    facts.counters_later = counters(6);
    const auto rising = examine_other_key(facts);
    CHECK(rising.found == verdict::failed);
    CHECK(rising.text.find("2 datagrams") != std::string::npos);
    CHECK(rising.fix.find("mbus key") != std::string::npos);
    facts.counters_later = counters(4);
    CHECK(examine_other_key(facts).found == verdict::ok);
}

TEST_CASE("fragmented datagrams are a warning with the size to stay below") {
    auto facts = healthy();
    facts.counters = counters(0, 3);
    const auto found = examine_mtu(facts);
    CHECK(found.found == verdict::warning);
    CHECK(found.fix.find("1500") != std::string::npos);
}

TEST_CASE("a clock that was never set fails, one that is not synchronised warns") {
    CHECK(examine_clock({}, {1000, true}).found == verdict::failed);
    CHECK(examine_clock(healthy(), {1'795'209'264'000, false}).found == verdict::warning);
    CHECK(examine_clock(healthy(), {1'795'209'364'000, true}).found == verdict::warning);
    CHECK(examine_clock(healthy(), {1'795'209'264'000, std::nullopt}).found == verdict::ok);
}

TEST_CASE("a check prints its fix below it, and as JSON") {
    const check one{"mtu", verdict::warning, "text", "do this"};
    CHECK(check_text(one) == "warning  mtu         text\n                     fix: do this");
    CHECK(check_json(one) == R"({"v":1,"check":"mtu","status":"warning","text":"text","fix":"do this"})");
}
