// Plain messages that follow each other are handed over together, and nobody can tell but by the time it takes.
#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <array>
#include <deque>
#include <optional>

#include "socket_client.hpp"

using namespace router_test;
using mbws::key;
using mbws::verb;

namespace {

// The lab's clock stands still.
constexpr std::string_view at_now = " at 1700000000000";

std::string line(std::string_view from, std::string_view to, std::string_view body, std::string_view more = {}) {
    return std::string{from} + " -> " + std::string{to} + ": " + std::string{body} + std::string{more} + std::string{at_now};
}

strings bodies(const strings& lines) {
    strings out;
    for (const auto& each : lines) {
        const auto begin = each.find(": ") + 2;
        out.push_back(each.substr(begin, each.rfind(" at ") - begin));
    }
    return out;
}

std::string bodies_text(int first, int count, std::string_view to) {
    std::string octets;
    for (int i = 0; i < count; ++i) octets += mail(to, "n(" + std::to_string(first + i) + ")");
    return octets;
}

strings numbered(int first, int count) {
    strings out;
    for (int i = 0; i < count; ++i) out.push_back("n(" + std::to_string(first + i) + ")");
    return out;
}

// Until both hosts know of each other's entities.
void meet(router_lab& lab) {
    for (int i = 0; i < 12; ++i) {
        lab.pass(100ms);
        lab.carry();
    }
    lab.other_host().heard.clear();
}

// That the other host has heard these bodies once each, in this order; all that it has heard.
std::string check_heard(const router_lab::neighbour& far, const strings& expected) {
    std::string heard;
    for (const auto& each : far.heard) heard += std::string{each->payload} + ' ';
    std::size_t at = 0;
    for (const auto& body : expected) {
        const auto found = heard.find(body, at);
        REQUIRE(found != std::string::npos);
        CHECK(heard.find(body, found + 1) == std::string::npos);
        at = found;
    }
    return heard;
}

// A sender, and two receivers that keep up.
struct trio {
    router_lab lab;
    socket_client sender;
    socket_client first;
    socket_client second;
    std::string from;
    std::string to_first;
    std::string to_second;

    explicit trio(std::string_view toml = {}) : lab(toml), sender(lab), first(lab), second(lab) {
        from = sender.attach("(app:s)");
        to_first = first.attach("(app:r n:1)");
        to_second = second.attach("(app:r n:2)");
    }
};

}  // namespace

TEST_CASE("messages of one read to one receiver arrive as they were sent, and are counted one by one") {
    trio all;
    const auto before = all.lab.hub.counters();
    all.sender.read(bodies_text(1, 50, all.to_first));
    strings expected;
    for (const auto& body : numbered(1, 50)) expected.push_back(line(all.from, all.to_first, body));
    CHECK(all.first.lines() == expected);
    CHECK(all.second.lines().empty());
    CHECK(all.sender.lines().empty());
    CHECK(all.lab.hub.counters().routed - before.routed == 50);
    CHECK(all.lab.hub.counters().delivered - before.delivered == 50);
    CHECK(all.sender.session()->counters().received == 50);
    CHECK(all.first.session()->counters().delivered == 50);
}

TEST_CASE("messages of one read to several receivers reach each of them, but not their sender") {
    trio all;
    all.sender.attach("(app:r n:3)", 2);
    all.sender.read(bodies_text(1, 10, "(app:r)"));
    CHECK(bodies(all.first.lines()) == numbered(1, 10));
    CHECK(bodies(all.second.lines()) == numbered(1, 10));
    CHECK(all.lab.hub.counters().delivered == 30);  // the second entity of the sender's client gets them, too
}

TEST_CASE("given destinations that take turns, then each gets its own in order") {
    trio all;
    std::string octets;
    for (int i = 0; i < 20; ++i) octets += mail(i % 2 == 0 ? all.to_first : all.to_second, "n(" + std::to_string(i) + ")");
    for (int i = 20; i < 40; ++i) octets += mail(i % 7 < 4 ? all.to_first : all.to_second, "n(" + std::to_string(i) + ")");
    all.sender.read(octets);
    strings to_first;
    strings to_second;
    for (int i = 0; i < 40; ++i) ((i < 20 ? i % 2 == 0 : i % 7 < 4) ? to_first : to_second).push_back("n(" + std::to_string(i) + ")");
    CHECK(bodies(all.first.lines()) == to_first);
    CHECK(bodies(all.second.lines()) == to_second);
}

TEST_CASE("what is no plain message keeps its place among them") {
    trio all;
    const auto& to = all.to_first;
    std::string octets = bodies_text(1, 2, to);
    SUBCASE("reliable") { octets += mail(to, "x()", {}, 1, mbws::flag::reliable); }
    SUBCASE("with a receipt") { octets += mail(to, "x()", {}, 1, mbws::flag::receipt); }
    SUBCASE("with a ttl") {
        octets += mail(to, "x()", [](auto& out) { out.set(key::ttl, std::uint64_t{1000}); });
    }
    SUBCASE("of a type") {
        octets += mail(to, "x", [](auto& out) { out.set(key::type, "text/plain"); });
    }
    SUBCASE("with a ping") { octets += mail(to, "mbus.ping()\r\nx()"); }
    SUBCASE("a larger one than runs take") { octets += mail(to, "x(\"" + std::string(17000, 'x') + "\")"); }
    SUBCASE("from another entity of the client") {
        const auto other = all.sender.attach("(app:other)", 2);
        octets += mail(to, "x()", [&](auto& out) { out.set(key::from, other); });
    }
    SUBCASE("to all") { octets += mail("()", "x()"); }
    octets += bodies_text(3, 2, to);
    all.sender.read(octets);
    const auto lines = all.first.lines();
    const auto came = bodies(lines);
    REQUIRE(came.size() == 5);
    CHECK(came[0] == "n(1)");
    CHECK(came[1] == "n(2)");
    CHECK(came[2].find("x") != std::string::npos);
    CHECK(came[3] == "n(3)");
    CHECK(came[4] == "n(4)");
    CHECK(all.lab.hub.counters().routed == 5);
}

TEST_CASE("a bad message between repeated headers is refused, and the next goes where it is meant to") {
    trio all;
    const auto& to = all.to_first;
    SUBCASE("bad commands") { all.sender.read(bodies_text(1, 2, to) + mail(to, "bad") + bodies_text(3, 2, to)); }
    SUBCASE("a command of the broker's own") { all.sender.read(bodies_text(1, 2, to) + mail(to, "mbus.bye()") + bodies_text(3, 2, to)); }
    SUBCASE("bad commands to another, repeated") {
        all.sender.read(bodies_text(1, 2, to) + mail(all.to_second, "bad") + mail(all.to_second, "y(1)") + mail(all.to_second, "y(2)") +
                        bodies_text(3, 2, to));
        CHECK(bodies(all.second.lines()) == strings{"y(1)", "y(2)"});
    }
    SUBCASE("to no address, repeated") {
        all.sender.read(bodies_text(1, 2, to) + mail("(app", "y(1)") + bodies_text(3, 2, to));
        CHECK(all.lab.hub.counters().refused_address == 1);
    }
    SUBCASE("from nobody, repeated") {
        const auto stranger = mail(to, "y(1)", [&](auto& out) { out.set(key::from, all.to_second); });
        all.sender.read(bodies_text(1, 1, to) + stranger + bodies_text(2, 2, to) + bodies_text(4, 1, to));
    }
    CHECK(bodies(all.first.lines()) == numbered(1, 4));
    CHECK(all.sender.session()->counters().refused == 1);
}

TEST_CASE("refused again and again, repeated headers stay refused") {
    trio all;
    all.sender.read(mail(all.to_first, "x()") + mail("(app", "y(1)") + mail("(app", "y(2)") + mail("(app", "y(3)"));
    CHECK(bodies(all.first.lines()) == strings{"x()"});
    CHECK(all.lab.hub.counters().refused_address == 3);
    CHECK(all.sender.session()->counters().refused == 3);
    CHECK(all.sender.session()->counters().received == 4);
}

TEST_CASE("each message has the time that its own header says") {
    trio all;
    const auto& to = all.to_first;
    const auto timed = [&](std::string_view body, std::uint64_t time) {
        return mail(to, body, [&](auto& out) { out.set(key::time, time); });
    };
    const auto way = all.from + " -> " + to + ": ";
    all.sender.read(timed("a()", 5) + timed("b()", 5) + mail(to, "c()") + mail(to, "d()") + mail(to, "e()") + timed("f()", 6) +
                    timed("g()", 6));
    CHECK(all.first.lines() == strings{way + "a() at 5", way + "b() at 5", line(all.from, to, "c()"), line(all.from, to, "d()"),
                                       line(all.from, to, "e()"), way + "f() at 6", way + "g() at 6"});
}

TEST_CASE("repeated headers with a ttl or a type say so each time") {
    trio all;
    const auto& to = all.to_first;
    const auto typed = [&](std::string_view body) { return mail(to, body, [](auto& out) { out.set(key::type, "text/plain"); }); };
    const auto brief = [&](std::string_view body) {
        return mail(to, body, [](auto& out) { out.set(key::ttl, std::uint64_t{1000}); });
    };
    all.sender.read(mail(to, "a()") + typed("b()") + typed("c()") + typed("no command") + brief("d()") + brief("e()") + mail(to, "f()"));
    const auto came = bodies(all.first.lines());
    REQUIRE(came.size() == 7);
    CHECK(came[0] == "a()");
    for (const auto opaque : {1U, 2U, 3U}) CHECK(came[opaque].starts_with("mbws.data("));
    CHECK(came[4] == "d()");
    CHECK(came[5] == "e()");
    CHECK(came[6] == "f()");
}

TEST_CASE("addresses by number, repeated, mean what they meant") {
    trio all;
    std::string octets;
    const auto numbered_mail = [](std::string_view to, std::uint64_t number, std::string_view body) {
        return wish(verb::message, [&](auto& out) { out.set_if(key::to, to).set(key::to_number, number); }).append(body);
    };
    const auto with_body = [&](std::string_view to, std::uint64_t number, std::string_view body) {
        auto out = numbered_mail(to, number, body);
        out[7] = static_cast<char>(body.size());
        return out;
    };
    octets += with_body(all.to_first, 1, "a()") + with_body("", 1, "b()") + with_body("", 1, "c()");
    octets += with_body(all.to_second, 2, "d()") + with_body("", 1, "e()") + with_body("", 2, "f()") + with_body("", 2, "g()");
    octets += with_body(all.to_second, 1, "h()") + with_body("", 1, "i()") + with_body("", 1, "j()");
    all.sender.read(octets);
    CHECK(bodies(all.first.lines()) == strings{"a()", "b()", "c()", "e()"});
    CHECK(bodies(all.second.lines()) == strings{"d()", "f()", "g()", "h()", "i()", "j()"});
}

TEST_CASE("what a sender has sent arrives although it ends in the same read") {
    trio all;
    const auto sent = bodies_text(1, 5, all.to_first);
    SUBCASE("detach") {
        all.sender.read(sent + wish(verb::detach, [](auto& out) { out.set(key::request, std::uint64_t{9}).set(key::about, std::uint64_t{1}); }));
    }
    SUBCASE("close") { all.sender.read(sent + wish(verb::close)); }
    SUBCASE("a frame that is none") { all.sender.read(sent + std::string(16, '\0')); }
    SUBCASE("the end of its connection") {
        all.sender.hear(sent);
        all.sender.lose();
    }
    CHECK(bodies(all.first.lines()) == numbered(1, 5));
}

TEST_CASE("after its entity went, a sender's messages are refused, and no run goes on without it") {
    trio all;
    all.sender.read(bodies_text(1, 2, all.to_first) +
                    wish(verb::detach, [](auto& out) { out.set(key::request, std::uint64_t{9}).set(key::about, std::uint64_t{1}); }) +
                    bodies_text(3, 2, all.to_first));
    CHECK(bodies(all.first.lines()) == numbered(1, 2));
    CHECK(all.sender.session()->counters().refused == 2);
}

TEST_CASE("a receiver that leaves between two reads of a turn has got what came before") {
    trio all;
    all.sender.hear(bodies_text(1, 3, all.to_first));
    all.first.hear(wish(verb::detach, [](auto& out) { out.set(key::request, std::uint64_t{9}).set(key::about, std::uint64_t{1}); }));
    all.sender.hear(bodies_text(4, 3, all.to_first));
    const auto lines = all.first.lines();
    REQUIRE(lines.size() == 4);
    CHECK(lines.back() == "ok");
    CHECK(bodies({lines.begin(), lines.end() - 1}) == numbered(1, 3));
}

TEST_CASE("a receiver that goes while a run for it is gathered takes nothing down with it") {
    trio all;
    std::optional<mbusd::router::gather_scope> scope{std::in_place, all.lab.hub};
    all.sender.hear(mail("(app:r)", "x()"));  // its own scope ends first, so the next is begun by hand
    scope.emplace(all.lab.hub);
    all.first.lose();
    scope.reset();
    CHECK(bodies(all.second.lines()) == strings{"x()"});
}

TEST_CASE("monitors get a copy of each message, also one that comes in the middle") {
    trio all;
    SUBCASE("there before") {
        socket_client monitor{all.lab};
        monitor.attach("()", 1, [](auto& out) { out.set(key::mode, "monitor"); });
        all.sender.read(bodies_text(1, 5, all.to_first));
        const auto lines = monitor.lines();
        REQUIRE(lines.size() == 5);
        CHECK(lines[4] == line(all.from, all.to_first, "n(5)", " monitor"));
    }
    SUBCASE("the sender's own, attached in between") {
        all.sender.read(bodies_text(1, 2, all.to_first) + wish(verb::attach, [](auto& out) {
            out.set(key::request, std::uint64_t{7}).set(key::entity, "()").set(key::mode, "monitor");
        }) + bodies_text(3, 3, all.to_first));
        const auto lines = all.sender.lines();
        REQUIRE(lines.size() == 4);
        CHECK(lines[1] == line(all.from, all.to_first, "n(3)", " monitor"));
        CHECK(lines[3] == line(all.from, all.to_first, "n(5)", " monitor"));
    }
    CHECK(bodies(all.first.lines()) == numbered(1, 5));
}

TEST_CASE("receivers with command globs, a type of their own, or no numbers get what they asked for") {
    trio all;
    socket_client picky{all.lab};
    socket_client typed{all.lab};
    socket_client plain{all.lab, {.remembers = 0}};
    picky.attach("(app:r n:4)", 1, [](auto& out) { out.set(key::command, "m.*"); });
    typed.attach("(app:r n:5)", 1, [](auto& out) { out.set(key::type, "text/plain"); });
    plain.attach("(app:r n:6)");
    all.sender.read(bodies_text(1, 2, "(app:r)") + mail("(app:r)", "m.x()") + mail("(app:r)", "mbws.data(\"text/plain\" <aGk=>)"));
    strings expected = numbered(1, 2);
    expected.emplace_back("m.x()");
    expected.emplace_back("mbws.data(\"text/plain\" <aGk=>)");
    CHECK(bodies(all.first.lines()) == expected);
    CHECK(bodies(plain.lines()) == expected);
    CHECK(bodies(picky.lines()) == strings{"m.x()"});
    expected.back() = "hi text/plain";
    CHECK(bodies(typed.lines()) == expected);
    CHECK(all.lab.hub.counters().filtered == 3);
}

TEST_CASE("rights hold for each message of a run") {
    router_lab lab("[[rights]]\nusers = [\"web\"]\nattach = [\"(app:web)\"]\nsend = [\"(app:player)\"]\n");
    socket_client web{lab, {.who = identity(lab.configuration.values.rights, "web", {}, 1001, false)}};
    socket_client player{lab};
    socket_client other{lab};
    web.attach("(app:web)");
    player.attach("(app:player)");
    other.attach("(app:other)");
    web.read(bodies_text(1, 3, "(app:other)") + bodies_text(4, 3, "(app:player)") + bodies_text(7, 2, "(app:other)") +
             bodies_text(9, 2, "(app:player)"));
    CHECK(bodies(player.lines()) == strings{"n(4)", "n(5)", "n(6)", "n(9)", "n(10)"});
    CHECK(other.lines().empty());
    CHECK(lab.hub.counters().refused_rights == 5);
    CHECK(web.session()->counters().refused == 5);
}

TEST_CASE("what reaches the bus, too, is on it once, message by message") {
    trio all;
    auto& far = all.lab.other_host();
    REQUIRE(far.engine.attach(all.lab.network.at, *mbus::address::parse("(app:r n:9)"), 1));
    meet(all.lab);
    all.sender.read(bodies_text(1, 30, "(app:r)"));
    all.lab.carry();
    static_cast<void>(check_heard(far, numbered(1, 30)));
    CHECK(bodies(all.first.lines()) == numbered(1, 30));
    CHECK(bodies(all.second.lines()) == numbered(1, 30));
}

TEST_CASE("messages to other hosts alone are on the bus once each, in order, and who comes in between gets its share") {
    trio all;
    auto& far = all.lab.other_host();
    REQUIRE(far.engine.attach(all.lab.network.at, *mbus::address::parse("(app:q)"), 1));
    meet(all.lab);
    const auto before = all.lab.hub.counters();
    all.sender.read(bodies_text(1, 20, "(app:q)") + mail("(app:q)", "mbus.quit()") + bodies_text(21, 20, "(app:q)"));
    all.second.attach("(app:q n:2)", 2);
    all.sender.read(bodies_text(41, 20, "(app:q)"));
    all.lab.carry();
    const auto heard = check_heard(far, numbered(1, 60));
    CHECK(heard.find("mbus.quit()") != std::string::npos);
    CHECK(all.first.lines().empty());
    strings got;
    for (const auto& each : all.second.lines()) {
        if (each.find("n(") != std::string::npos) got.push_back(each.substr(each.find("n("), each.find(')') + 1));
    }
    CHECK(got.size() == 20);
    CHECK(all.lab.hub.counters().routed - before.routed == 61);
    CHECK(all.sender.session()->counters().received == 61);
}

TEST_CASE("what the bus does not take in the middle of a run is refused, and nobody here gets it") {
    trio all;
    std::string octets;
    constexpr int sent = 1200;
    const std::string large(15'000, 'x');
    for (int i = 0; i < sent; ++i) octets += mail("(app:r n:1)", "n(" + std::to_string(i) + " \"" + large + "\")");
    all.sender.read(octets);  // more than the engine's queue holds (protocol/limits.hpp)
    const auto& counters = all.lab.hub.counters();
    CHECK(counters.refused_bus > 0);
    CHECK(counters.routed + counters.refused_bus == sent);
    CHECK(counters.delivered + counters.dropped_policy == counters.routed);
    CHECK(all.sender.session()->counters().refused == counters.refused_bus);
}

TEST_CASE("with a window a message without a number is a fault, also when its header repeats") {
    router_lab lab;
    socket_client receiver{lab};
    const auto to = receiver.attach("(app:r)");
    socket_client sender{lab, {.window = 16, .expiry = 60}};
    sender.attach("(app:s)");
    sender.read(mail(to, "n(1)", {}, 1) + mail(to, "n(2)", {}, 2) + mail(to, "n(3)", {}, 0) + mail(to, "n(4)", {}, 3));
    CHECK(bodies(receiver.lines()) == numbered(1, 2));
    const auto told = sender.lines();
    REQUIRE_FALSE(told.empty());
    CHECK(told.back() == "error bad-frame");
}

TEST_CASE("with a window repeated messages are acknowledged by number, and none is routed twice") {
    trio all;
    socket_client sender{all.lab, {.window = 16, .expiry = 60}};
    sender.attach("(app:w)");
    static_cast<void>(sender.lines());
    std::string octets;
    for (int i = 1; i <= 10; ++i) octets += mail(all.to_first, "n(" + std::to_string(i) + ")", {}, static_cast<std::uint64_t>(i));
    sender.read(octets);
    all.lab.pass(20ms);
    sender.read("");
    CHECK(sender.lines() == strings{"10 ack"});
    sender.read(octets + mail(all.to_first, "n(11)", {}, 11));
    all.lab.pass(20ms);
    sender.read("");
    CHECK(sender.lines() == strings{"11 ack"});
    CHECK(bodies(all.first.lines()) == numbered(1, 11));
    CHECK(sender.session()->counters().duplicates == 10);
}

TEST_CASE("what no datagram holds is refused for all its receivers, in the middle of a run") {
    trio all;
    all.sender.read(bodies_text(1, 2, "(app:r)") + mail("(app:r)", "x(\"" + std::string(70000, 'x') + "\")") + bodies_text(3, 2, "(app:r)"));
    CHECK(bodies(all.first.lines()) == numbered(1, 4));
    CHECK(all.lab.hub.counters().refused_size == 1);
    CHECK(all.sender.session()->counters().refused == 1);
}

TEST_CASE("more than a run holds goes on in the next, to the bus once each") {
    trio all;
    std::string octets;
    strings sent;
    for (int i = 0; i < 40; ++i) {
        sent.push_back("n(" + std::to_string(i) + " \"" + std::string(9000, 'x') + "\")");
        octets += mail(i < 20 ? std::string{"(app:r)"} : all.to_first, sent.back());
    }
    all.sender.read(octets);
    CHECK(bodies(all.first.lines()) == sent);
    sent.resize(20);
    CHECK(bodies(all.second.lines()) == sent);
    CHECK(all.lab.hub.counters().routed == 40);
}

TEST_CASE("policy block holds the sender of a run, and lets it go on when there is room") {
    router_lab lab("[limits]\nqueue_messages = 16\n");
    socket_client sender{lab};
    socket_client slow{lab, {.window = 4, .expiry = 60}};
    sender.attach("(app:s)");
    const auto to = slow.attach("(app:slow)", 1, [](auto& out) { out.set(key::policy, "block"); });
    sender.read(bodies_text(1, 30, to));
    sender.read(bodies_text(31, 30, to));
    CHECK(sender.paused());
    strings came;
    for (int rounds = 0; rounds < 100 && came.size() < 60; ++rounds) {
        for (auto& each : bodies(slow.lines())) came.push_back(std::move(each));
        slow.acknowledge(slow.last_number());
        CHECK(sender.lines().empty());
    }
    CHECK(came == numbered(1, 60));
    CHECK_FALSE(sender.paused());
    CHECK(lab.hub.counters().dropped_policy == 0);
}

TEST_CASE("the limit of a user holds for runs, counted and told message by message") {
    router_lab lab("[limits]\nqueue_octets_per_user = 131072\n");
    socket_client sender{lab};
    socket_client away{lab, {.window = 4, .expiry = 60}};
    sender.attach("(app:s)");
    const auto to = away.attach("(app:away)", 1);
    std::string octets;
    for (int i = 0; i < 10; ++i) octets += mail(to, "n(" + std::to_string(i) + " \"" + std::string(15000, 'x') + "\")");
    sender.read(octets);
    sender.read(octets);
    const auto& counters = lab.hub.counters();
    CHECK(counters.delivered + counters.dropped_limit == 20);
    CHECK(counters.delivered == 8);
    std::uint64_t came = 0;
    std::uint64_t missed = 0;
    for (int rounds = 0; rounds < 10; ++rounds) {
        for (const auto& each : away.lines()) {
            ++came;
            if (const auto at = each.find(" missed "); at != std::string::npos) missed += std::stoull(each.substr(at + 8));
        }
        away.acknowledge(away.last_number());
        lab.pass(1ms);
    }
    sender.read(mail(to, "x()"));
    for (const auto& each : away.lines()) {
        if (const auto at = each.find(" missed "); at != std::string::npos) missed += std::stoull(each.substr(at + 8));
    }
    CHECK(came == counters.delivered - 1);
    CHECK(missed == counters.dropped_limit);
}

TEST_CASE("the limit of a user counts a run as it counts its messages, addresses included") {
    std::array<std::uint64_t, 2> delivered{};
    for (const bool together : {false, true}) {
        router_lab lab("[limits]\nqueue_octets_per_user = 131072\n");
        socket_client sender{lab, {.together = together}};
        socket_client away{lab, {.window = 4, .expiry = 60}};
        sender.attach("(app:s)");
        std::string elements;
        for (const char* tag : {"a", "b", "c", "d", "e"}) elements += std::string{tag} + ':' + std::string(64, 'x') + ' ';
        elements.pop_back();
        const auto to = away.attach("(" + elements + ")");
        for (int i = 0; i < 40; ++i) sender.read(bodies_text(10 * i, 10, to));
        const auto& counters = lab.hub.counters();
        CHECK(counters.delivered + counters.dropped_limit == 400);
        delivered[together ? 1 : 0] = counters.delivered;
    }
    // A frame with numbers is a little longer than one without, and runs of ten fit or do not.
    CHECK(delivered[1] <= delivered[0]);
    CHECK(delivered[1] + 20 > delivered[0]);
    CHECK(delivered[0] < 350);
}

// --- the same, whatever happens ---------------------------------------------------------------

namespace {

struct letter {
    int to;
    int kind;
    int extra;
};

struct happening {
    int what;
    int who;
    std::vector<letter> letters;
};

rc::Gen<letter> any_letter() {
    return rc::gen::construct<letter>(rc::gen::weightedElement<int>({{8, 0}, {6, 1}, {4, 2}, {2, 3}, {1, 4}, {1, 5}, {1, 6}}),
                                      rc::gen::weightedElement<int>({{20, 0}, {2, 1}, {2, 2}, {1, 3}, {1, 4}, {1, 5}, {1, 6}, {1, 7}, {1, 8}}),
                                      rc::gen::inRange(0, 4));
}

rc::Gen<happening> any_happening() {
    return rc::gen::construct<happening>(rc::gen::weightedElement<int>({{8, 0}, {4, 1}, {2, 2}, {1, 3}, {1, 4}}), rc::gen::inRange(0, 8),
                                         rc::gen::scale(0.5, rc::gen::container<std::vector<letter>>(any_letter())));
}

// Two senders, one of them with a window, and six receivers of all sorts.
struct city {
    router_lab lab;
    bool together;
    bool windows;
    std::deque<socket_client> senders;
    std::deque<socket_client> receivers;
    std::optional<socket_client> monitor;
    std::vector<std::string> places{"(app:r)", "(app:r n:9)", "()", "(app"};
    int written = 0;
    std::array<std::uint64_t, 2> numbers{};  // last, of each sender
    strings diary;

    city(bool gathers, bool narrow) : lab(narrow ? "[limits]\nqueue_messages = 16\n" : ""), together(gathers), windows(narrow) {
        for (int i = 0; i < 2; ++i) {
            socket_client::habits how{.together = together};
            if (i == 1) how.window = 4096;
            senders.emplace_back(lab, how);
            senders.back().attach("(app:s)");
        }
        open({}, "");
        open({.window = 3, .expiry = 60}, "");
        open({.window = 5, .expiry = 60}, "drop-newest");
        open({.window = 4, .expiry = 60}, "latest");
        open({.remembers = 0}, "");
        open({.window = 2, .expiry = 60, .remembers = 0}, "");
        receivers.front().attach("(app:second)", 2);
        if (windows) receivers.front().read(wish(verb::detach, [](auto& out) {
            out.set(key::request, std::uint64_t{9}).set(key::about, std::uint64_t{2});
        }));
    }
    void open(socket_client::habits how, std::string_view policy) {
        how.together = together;
        if (windows && how.window == 0) how.window = 7;
        receivers.emplace_back(lab, how);
        const auto n = std::to_string(receivers.size());
        places.push_back(receivers.back().attach("(app:r n:" + n + ")", 1, [&](auto& out) { out.set_if(key::policy, policy); }));
    }
    std::string octets_of(const letter& what, std::size_t sender) {
        // Mostly few destinations, so that messages follow each other.
        const auto& to = what.to < 3 ? places[places.size() - 1 - static_cast<std::size_t>(what.to + what.extra)]
                                     : places[static_cast<std::size_t>(what.to - 3)];
        const std::string body = "n" + std::to_string(what.extra) + "(" + std::to_string(++written) + ")";
        // With a window every message has a number, and now and then one comes twice.
        const bool numbered = sender == 1 || what.kind == 3 || what.kind == 4;
        const std::uint64_t number = numbered ? ++numbers[sender] : 0;
        std::string again;
        if (sender == 1 && written % 11 == 0) again = mail(to, body, {}, number);
        switch (what.kind) {
        case 1: return mail(to, body, [](auto& out) { out.set(key::time, std::uint64_t{5}); }, number) + again;
        case 2: return mail(to, body + "\r\n" + body, {}, number) + again;
        case 3: return mail(to, body, {}, number, mbws::flag::receipt) + again;
        case 4: return mail(to, body, {}, number, mbws::flag::reliable) + again;
        case 5: return mail(to, body, [](auto& out) { out.set(key::type, "text/plain"); }, number) + again;
        case 6: return mail(to, "mbus.ping()\r\n" + body, {}, number) + again;
        case 7: return mail(to, what.extra == 0 ? "" : "bad", {}, number) + again;
        case 8: return mail(to, body, [](auto& out) { out.set(key::ttl, std::uint64_t{500}); }, number) + again;
        default: return mail(to, body, {}, number) + again;
        }
    }
    void note() {
        for (auto& each : senders) {
            for (auto& text : each.lines()) diary.push_back("sender " + std::move(text));
        }
        for (auto& each : receivers) {
            for (auto& text : each.lines()) diary.push_back(std::move(text));
        }
        if (monitor) {
            for (auto& text : monitor->lines()) diary.push_back("seen " + std::move(text));
        }
    }
    void play(const happening& next) {
        auto& receiver = receivers[static_cast<std::size_t>(next.who) % receivers.size()];
        switch (next.what) {
        case 0: {
            std::string octets;
            const auto sender = static_cast<std::size_t>(next.who) % 2;
            for (const auto& each : next.letters) octets += octets_of(each, sender);
            senders[sender].read(octets);
            return;
        }
        case 1:
            senders[1].acknowledge(senders[1].last_number());
            if (receiver.session()->window() != 0) receiver.acknowledge(receiver.last_number());
            return;
        case 2: return note();
        case 3: return lab.pass(300ms);
        default:
            if (monitor) {
                note();
                monitor.reset();
            } else {
                monitor.emplace(lab, socket_client::habits{.together = together});
                monitor->attach("(app:s)", 1, [](auto& out) { out.set(key::mode, "monitor"); });
            }
        }
    }
    void finish() {
        for (int i = 0; i < 20; ++i) {
            note();
            for (auto& each : receivers) {
                if (each.session()->window() != 0) each.acknowledge(each.last_number());
            }
            senders[1].acknowledge(senders[1].last_number());
        }
        const auto& counted = lab.hub.counters();
        for (const auto n : {counted.routed, counted.delivered, counted.dropped_policy, counted.dropped_limit, counted.overflowed,
                             counted.refused_address, counted.monitor_copies, counted.filtered, counted.no_match}) {
            diary.push_back(std::to_string(n));
        }
        const auto& on_the_bus = lab.network.engine.counters();
        for (const auto n : {on_the_bus.messages_out, on_the_bus.commands_out, on_the_bus.coalesced})
            diary.push_back(std::to_string(n));
        for (auto* all : {&senders, &receivers}) {
            for (auto& each : *all) {
                const auto& own = each.session()->counters();
                for (const auto n : {own.received, own.duplicates, own.refused, own.delivered, own.dropped_total(), own.undeliverable}) {
                    diary.push_back(std::to_string(n));
                }
            }
        }
    }
};

}  // namespace

TEST_CASE("whatever is sent, all receivers get the same with gathering as without") {
    CHECK(rc::check("together and alone", [] {
        const bool narrow = *rc::gen::arbitrary<bool>();
        const auto story = *rc::gen::container<std::vector<happening>>(any_happening());
        city together{true, narrow};
        city alone{false, narrow};
        for (const auto& next : story) {
            together.play(next);
            alone.play(next);
        }
        together.finish();
        alone.finish();
        RC_ASSERT(together.diary == alone.diary);
    }));
}
