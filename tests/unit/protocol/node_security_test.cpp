// Conformance, items 124 to 136 as seen through the engine (RFC 3259, section 11); the algorithms
// have their vectors in envelope_test.cpp.
#include "engine_fixture.hpp"

using namespace mbus;
using namespace mbus::lab;

TEST_CASE(
    "every datagram carries a digest of 16 characters made with the shared key (RFC 3259 s11) [item 124] [item 127]") {
    engine_fixture f;
    f.lab.run_for(1s);
    REQUIRE(f.it.send(f.own, "()", "a.b()"));
    f.it.detach(f.own);
    CHECK(f.lab.capture().size() >= 3);
    for (const auto& each : f.lab.capture()) {
        CHECK(each.datagram.substr(16, 2) == "\r\n");
        CHECK(f.lab.sealed(each.message) == each.datagram);  // the lab's own keys give the same octets
    }
}

TEST_CASE_FIXTURE(engine_fixture,
                  "a datagram with any bit flipped has no effect but a counter (RFC 3259 s11.4) [item 125]") {
    const auto good = lab.sealed(message("1", "R", own_text, "mbus.hello()\r\na.b()\r\n"));
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
        auto flipped = good;
        flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
        lab.inject_datagram(it, flipped);
    }
    for (std::size_t length = 0; length < good.size(); ++length)
        lab.inject_datagram(it, good.substr(0, length));
    lab.run_for(100ms);
    CHECK(texts().empty());
    CHECK(it.node.entities() == 1);
    CHECK(acks().empty());
    CHECK(it.node.counters().messages_in == it.node.counters().drops(drop_reason::own_echo));
    CHECK(drops(drop_reason::bad_mac) + drops(drop_reason::bad_mac_line) + drops(drop_reason::too_short) ==
          good.size() * 9);
}

TEST_CASE("sessions with different keys on one group stay apart (RFC 3259 s11.3) [item 126]") {
    engine_fixture sha1{{.hash = protocol::hash_algorithm::hmac_sha1_96}};
    engine_fixture md5{{.hash = protocol::hash_algorithm::hmac_md5_96}};
    md5.lab.inject_datagram(md5.it, sha1.lab.sealed(engine_fixture::message("1", "U", "()", "mbus.hello()")));
    CHECK(md5.it.node.entities() == 1);
    CHECK(md5.drops(drop_reason::bad_mac) == 1);
}

TEST_CASE(
    "encryption on and off: two nodes talk either way (RFC 3259 s11.1) [item 130] [item 131] [item 135]") {
    for (const auto cipher : {protocol::cipher_algorithm::none, protocol::cipher_algorithm::aes}) {
        engine_fixture f{{.cipher = cipher}};
        auto& other = f.lab.add();
        const auto sender = other.attach("(app:sender)");
        f.lab.run_for(1500ms);
        REQUIRE(other.send(sender, "(module:engine)", "a.b()", true));
        f.lab.run_for(100ms);
        CHECK(f.texts().size() == 1);
        REQUIRE(other.reports.size() == 1);
        CHECK(other.reports[0].acknowledged);
        const bool clear = f.lab.captured_with("a.b").front().datagram.find("a.b") != std::string::npos;
        CHECK(clear == (cipher == protocol::cipher_algorithm::none));
    }
}

TEST_CASE("an extra block of zero octets is stripped (RFC 3259 s11.2, trap C5) [item 134]") {
    engine_fixture f{{.cipher = protocol::cipher_algorithm::aes}};
    f.feed(engine_fixture::message("1", "U", "()", "a.b()") + std::string(32, '\0'));
    CHECK(f.texts() == std::vector<std::string>{"a.b()"});
}

TEST_CASE(
    "text that does not start with mbus/ is discarded, encrypted or not (RFC 3259 s11.4, trap C6) [item 136]") {
    for (const auto cipher : {protocol::cipher_algorithm::none, protocol::cipher_algorithm::aes}) {
        engine_fixture f{{.cipher = cipher}};
        f.feed("nbus/1.0 1 1 U (id:1-1@h) () ()\r\nmbus.hello()");
        CHECK(f.it.node.entities() == 1);
        CHECK(f.drops(drop_reason::not_mbus) == 1);
    }
}

TEST_CASE_FIXTURE(engine_fixture, "a replayed datagram has no effect but a counter (trap C10)") {
    meet();
    const auto recorded = lab.sealed(message("2000", "R", own_text, "a.b()"));
    lab.inject_datagram(it, recorded);
    lab.run_for(20s);  // the sender is gone meanwhile
    lab.inject_datagram(it, recorded);
    feed(message("2001", "U", "()", "c.d()", "()", peer_text, "1700003700000"));
    lab.inject_datagram(it, recorded);
    CHECK(texts() == std::vector<std::string>{"a.b()", "c.d()"});
    CHECK(drops(drop_reason::duplicate) == 2);
}
