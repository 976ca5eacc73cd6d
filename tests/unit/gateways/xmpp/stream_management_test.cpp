// Stream management and resumption (XEP-0198).
#include "stream_lab.hpp"

using namespace xmpp_test;

TEST_CASE("stream management: enable, count, acknowledge at once [xmpp 56]") {
    stream_lab it;
    it.bind();
    it.say("<enable xmlns='urn:xmpp:sm:3' resume='1'/>");
    const auto enabled = it.heard();
    CHECK(enabled.find("resume=\"true\"") != std::string::npos);
    CHECK(enabled.find("max=\"60\"") != std::string::npos);
    it.say("<presence xmlns='jabber:client'/>");
    it.say("<r xmlns='urn:xmpp:sm:3'/>");
    CHECK(it.heard() == "<a xmlns=\"urn:xmpp:sm:3\" h=\"1\"/>");
    it.say("<enable xmlns='urn:xmpp:sm:3'/>");
    CHECK(it.heard().starts_with("<failed"));
    it.say("<a xmlns='urn:xmpp:sm:3' h='7'/>");
    it.expect_error("undefined-condition");
}

TEST_CASE("a resumed stream gets what was not acknowledged, and what came meanwhile [xmpp 58]") {
    stream_lab it;
    auto& session = it.bind();
    it.say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    it.heard();
    const auto id = session.management_id;
    REQUIRE_FALSE(id.empty());
    for (const auto* each :
         {"<message xmlns=\"jabber:client\" id=\"1\"/>", "<message xmlns=\"jabber:client\" id=\"2\"/>"})
        session.send_text(each);
    it.stream.lost(it.now);
    session.send_text("<message xmlns=\"jabber:client\" id=\"3\"/>");

    stream_lab again{it.hub};
    again.log_in();
    again.say("<resume xmlns='urn:xmpp:sm:3' previd='" + id + "' h='1'/>");
    CHECK(again.heard() == "<resumed xmlns=\"urn:xmpp:sm:3\" previd=\"" + id + "\" h=\"0\"/>");
    CHECK(again.heard().find("id=\"2\"") != std::string::npos);
    CHECK(again.heard().find("id=\"3\"") != std::string::npos);
    CHECK(again.heard() == "<r xmlns=\"urn:xmpp:sm:3\"/>");
    again.say("<a xmlns='urn:xmpp:sm:3' h='3'/>");
    CHECK(session.queue.waiting().empty());
}

TEST_CASE("an unknown id or another's gives item-not-found, and bind still works [xmpp 58]") {
    stream_lab it;
    auto& session = it.bind();
    it.say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    it.stream.lost(it.now);
    stream_lab other{it.hub};
    other.log_in("bob");
    other.say("<resume xmlns='urn:xmpp:sm:3' previd='" + session.management_id + "' h='0'/>");
    CHECK(other.heard().find("<item-not-found") != std::string::npos);
    other.say(
        "<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
    CHECK(other.heard().find("bob@bus.example/made-up") != std::string::npos);
}

TEST_CASE("after many stanzas an acknowledgement is asked for, without management never") {
    stream_lab it;
    auto& session = it.bind();
    for (int i = 0; i < 50; ++i) session.send_text("<message xmlns=\"jabber:client\"/>");
    CHECK(it.out.sent.size() == 50);
    it.out.sent.clear();
    it.say("<enable xmlns='urn:xmpp:sm:3'/>");
    it.heard();
    for (int i = 0; i < 16; ++i) session.send_text("<message xmlns=\"jabber:client\"/>");
    CHECK(it.out.sent.size() == 17);
    CHECK(it.out.sent.back() == "<r xmlns=\"urn:xmpp:sm:3\"/>");
}

TEST_CASE("an acknowledgement of more than was sent ends the stream, with the counts (XEP-0198 s4)") {
    stream_lab it;
    auto& session = it.bind();
    it.say("<enable xmlns='urn:xmpp:sm:3'/>");
    it.heard();
    session.send_text("<message xmlns=\"jabber:client\"/>");
    it.heard();
    it.say("<a xmlns='urn:xmpp:sm:3' h='2'/>");
    CHECK(it.out.sent.front().find(
              "<handled-count-too-high xmlns=\"urn:xmpp:sm:3\" h=\"2\" send-count=\"1\"/>") !=
          std::string::npos);
    it.expect_error("undefined-condition");
    for (const auto* h : {"", "-1", "x", "99999999999"}) {
        stream_lab other;
        other.bind();
        other.say("<enable xmlns='urn:xmpp:sm:3'/>");
        other.heard();
        other.say("<a xmlns='urn:xmpp:sm:3' h='" + std::string{h} + "'/>");
        other.expect_error("bad-format");
    }
}

TEST_CASE("a resumption that acknowledges too much ends the session; one without a count leaves it") {
    stream_lab it;
    auto& session = it.bind();
    it.say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    it.stream.lost(it.now);
    stream_lab again{it.hub};
    again.log_in();
    again.say("<resume xmlns='urn:xmpp:sm:3' previd='" + session.management_id + "'/>");
    CHECK(again.heard().find("<bad-request ") != std::string::npos);
    CHECK(it.hub->ended.empty());
    again.say("<resume xmlns='urn:xmpp:sm:3' previd='" + session.management_id + "' h='5'/>");
    CHECK(again.out.sent.front().find("<handled-count-too-high ") != std::string::npos);
    again.expect_error("undefined-condition");
    CHECK(it.hub->ended == strings{"ann@bus.example/x7"});
}

TEST_CASE("resumption is for streams that are not bound, stream management for those that are") {
    stream_lab it;
    it.log_in();
    it.say("<enable xmlns='urn:xmpp:sm:3'/>");
    CHECK(it.heard().find("<unexpected-request ") != std::string::npos);
    stream_lab bound;
    auto& session = bound.bind();
    bound.say("<resume xmlns='urn:xmpp:sm:3' previd='x' h='0'/>");
    CHECK(bound.heard().find("<unexpected-request ") != std::string::npos);
    CHECK(session.connection() == &bound.stream);
}
