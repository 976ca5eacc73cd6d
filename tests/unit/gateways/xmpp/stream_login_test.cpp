// The way of an XMPP stream from its opening to a bound session: SASL, restart, binding (RFC 6120).
#include "stream_lab.hpp"

using namespace xmpp_test;

TEST_CASE("nothing is served before the login, and the limit is small then [xmpp 29] [xmpp 43]") {
    {
        stream_lab it;
        it.say(open_text);
        it.say("<iq xmlns='jabber:client' type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>");
        it.expect_error("not-authorized");
        CHECK(it.hub->stanzas.empty());
    }
    stream_lab it;
    it.say(open_text);
    it.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" + std::string(10000, 'A') +
           "</auth>");
    it.expect_error("policy-violation");
    stream_lab after;
    after.bind();
    after.say("<message xmlns='jabber:client'>" + std::string(65536, 'x') + "</message>");
    CHECK(after.hub->stanzas.size() == 1);
}

TEST_CASE("a wrong password, then the right one; endless guessing is ended [xmpp 37] [xmpp 41]") {
    stream_lab it;
    it.say(open_text);
    it.heard();
    it.heard();
    const std::string wrong = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" +
                              to_base64(std::string{"\0ann\0x", 6}) + "</auth>";
    it.say(wrong);
    const auto failure = it.heard();
    CHECK(failure.find("<not-authorized/>") != std::string::npos);
    CHECK(it.out.failures == 1);
    it.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" +
           to_base64(std::string{"\0ann\0secret", 11}) + "</auth>");
    CHECK(it.heard().starts_with("<success"));

    stream_lab guessing;
    guessing.say(open_text);
    for (int i = 0; i < 5; ++i) guessing.say(wrong);
    guessing.expect_error("policy-violation");
}

TEST_CASE(
    "after the restart: fresh id, bind offered, mechanisms not [xmpp 18] [xmpp 44] [xmpp 45] [xmpp 46]") {
    stream_lab it;
    it.say(open_text);
    const auto first = it.heard();
    it.heard();
    it.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>");
    CHECK(it.heard().starts_with("<success"));
    it.say(open_text);
    CHECK(it.heard() != first);
    const auto features = it.heard();
    CHECK(features.find("<bind xmlns=\"urn:ietf:params:xml:ns:xmpp-bind\"/>") != std::string::npos);
    CHECK(features.find("mechanism") == std::string::npos);
    CHECK(features.find("<optional/>") != std::string::npos);
    it.say(
        "<iq xmlns='jabber:client' type='set' id='b1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
    const auto bound = it.heard();
    CHECK(bound.find(" from=") == std::string::npos);
    CHECK(bound.find("<jid>guest-") != std::string::npos);
    CHECK(it.hub->sessions.back()->guest());
}

TEST_CASE("a bind that finds no room is an error, and the stream goes on") {
    stream_lab it;
    it.hub->full = true;
    it.log_in();
    const std::string bind =
        "<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>";
    it.say(bind);
    CHECK(it.heard().find("resource-constraint") != std::string::npos);
    it.hub->full = false;
    it.say(bind);
    CHECK(it.heard().find("made-up") != std::string::npos);
}

TEST_CASE("stanzas before the binding end the stream, and are not served (RFC 6120 s7.1)") {
    for (const auto* stanza :
         {"<message xmlns='jabber:client' to='bob@bus.example'/>", "<presence xmlns='jabber:client'/>",
          "<iq xmlns='jabber:client' type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>"}) {
        CAPTURE(stanza);
        stream_lab it;
        it.log_in();
        it.say(stanza);
        it.expect_error("not-authorized");
        CHECK(it.hub->stanzas.empty());
    }
}

TEST_CASE("what goes wrong between login and restart is answered with open first (RFC 7395 s3.5)") {
    stream_lab it;
    it.say(open_text);
    it.heard();
    it.heard();
    it.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>");
    it.heard();
    it.say("<iq xmlns='jabber:client'");
    CHECK(it.out.sent.at(0).starts_with("<open "));
    CHECK(it.out.sent.at(1).starts_with("<stream:error "));
    CHECK(it.out.sent.at(2) == close_text);
}

TEST_CASE("a resource that no address can have is bad-request, and the stream goes on (RFC 6120 s7.7.2)") {
    stream_lab it;
    it.log_in();
    const auto bind = [&](const std::string& resource, const std::string& id = " id='b'") {
        it.say("<iq xmlns='jabber:client' type='set'" + id +
               "><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>" + resource +
               "</resource></bind></iq>");
        return it.heard();
    };
    CHECK(bind(std::string(2000, 'r')).find("<bad-request ") != std::string::npos);
    CHECK(bind("a&#9;b").find("<bad-request ") != std::string::npos);
    CHECK(bind("r", "").find("<bad-request ") != std::string::npos);
    CHECK(it.hub->sessions.empty());
    CHECK(bind("r").find("ann@bus.example/r") != std::string::npos);
}

TEST_CASE("after wrong passwords the next one waits, and what follows waits behind it") {
    stream_lab it;
    it.say(open_text);
    it.heard();
    it.heard();
    it.out.wait = 500ms;
    it.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'/>");
    it.say("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>" +
           to_base64(std::string{"\0ann\0secret", 11}) + "</response>");
    CHECK(it.out.sent.empty());
    CHECK(it.stream.deadline() == it.now + 500ms);
    it.out.wait = 0ms;
    it.now += 500ms;
    it.stream.advance(it.now);
    CHECK(it.heard().starts_with("<challenge"));
    CHECK(it.heard().starts_with("<success"));
    CHECK(it.hub->counted == strings{"login"});
    CHECK(it.stream.deadline() == xmpp::time_point{} + 60s);
}

TEST_CASE("who does not wait for the answer to a password is closed") {
    stream_lab it;
    it.say(open_text);
    it.out.wait = 500ms;
    for (int i = 0; i < 5; ++i) it.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'/>");
    it.expect_error("policy-violation");
}

TEST_CASE("what is refused is counted by its condition") {
    stream_lab it;
    it.say(open_text);
    it.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='X-NONE'/>");
    it.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" +
           to_base64(std::string{"\0ann\0x", 6}) + "</auth>");
    it.say("<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
    it.say("<open");
    CHECK(it.hub->counted ==
          strings{"login invalid-mechanism", "login not-authorized", "login aborted", "not-well-formed"});
}

TEST_CASE("who does not log in and bind in time is closed") {
    stream_lab it;
    it.say(open_text);
    CHECK(it.stream.deadline() == it.now + 60s);
    it.now += 61s;
    it.stream.advance(it.now);
    it.expect_error("connection-timeout");
}
