// Tokens and random numbers of sessions.
#include <doctest/doctest.h>

#include <deque>
#include <set>
#include <string>

#include "router/session_table.hpp"
#include "socket_client.hpp"

TEST_CASE("random tokens are URL-safe, long enough and different") {
    std::set<std::string> seen;
    for (int i = 0; i < 1000; ++i) {
        const auto token = mbusd::random_token(32);
        CHECK(token.size() == 43);
        CHECK(token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == std::string::npos);
        seen.insert(token);
    }
    CHECK(seen.size() == 1000);
}

TEST_CASE("a broker id has 16 lower-case hexadecimal digits") {
    const auto id = mbusd::random_broker_id();
    CHECK(id.size() == 16);
    CHECK(id.find_first_not_of("0123456789abcdef") == std::string::npos);
}

TEST_CASE("what is no token finds no session") {
    mbusd::session_table table;
    CHECK(table.find_token("") == nullptr);
    CHECK(table.find_token("0000000000000001") == nullptr);
    CHECK(table.find_token("000000000000000xABCDEFGHIJKLMNOPQRSTUVWXYZ") == nullptr);
    CHECK(table.find_token("0000000000000001ABCDEFGHIJKLMNOPQRSTUVWXYZ") == nullptr);
}

TEST_CASE("deadlines of many sessions that come and go with every message are all kept") {
    using namespace router_test;
    router_lab lab;
    socket_client receiver{lab};
    const auto to = receiver.attach("(app:r)");
    std::deque<socket_client> senders;
    for (int i = 0; i < 100; ++i) {
        senders.emplace_back(lab, socket_client::habits{.window = 16, .expiry = 60});
        senders.back().attach("(app:s)");
    }
    for (auto& each : senders) static_cast<void>(each.lines());
    for (std::uint64_t number = 1; number <= 3; ++number) {
        for (auto& each : senders) {
            each.read(mail(to, "n()", {}, number));
            lab.pass(1ms);  // an acknowledgement is due after 20 ms: those of the first while the last send
        }
        lab.pass(20ms);
        for (auto& each : senders) {
            each.read("");
            CHECK(each.lines() == strings{std::to_string(number) + " ack"});
        }
        CHECK(lab.hub.next_deadline() > lab.network.at.now + 1s);  // nothing is left
    }
}
