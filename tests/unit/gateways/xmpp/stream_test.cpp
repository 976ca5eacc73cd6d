// One XMPP stream on a WebSocket: its opening, both framings, faults and its end (RFC 7395, RFC 6120).
#include "stream_lab.hpp"

using namespace xmpp_test;

TEST_CASE("open is answered by open, then features in a message of their own [xmpp 15] [xmpp 16] [xmpp 17]") {
    stream_lab it;
    it.say(open_text);
    const auto open = it.heard();
    CHECK(open.starts_with("<open xmlns=\"urn:ietf:params:xml:ns:xmpp-framing\" "));
    CHECK(open.find("from=\"bus.example\"") != std::string::npos);
    CHECK(open.find("version=\"1.0\"") != std::string::npos);
    CHECK(open.find("id=\"") != std::string::npos);
    const auto features = it.heard();
    CHECK(features.starts_with(
        "<stream:features xmlns:stream=\"http://etherx.jabber.org/streams\"><mechanisms xmlns=\"urn:ietf:params:xml:ns:xmpp-sasl\"><mechanism>SCRAM-SHA-256</mechanism>"));
    CHECK(features.find("starttls") == std::string::npos);
}

TEST_CASE("open in any spelling of XML is accepted [xmpp 19]") {
    for (const auto* text :
         {"<open version='1.0'\n to='bus.example' xmlns='urn:ietf:params:xml:ns:xmpp-framing'></open>",
          "<f:open xmlns:f='urn:ietf:params:xml:ns:xmpp-framing' to='bus.example' version='1.0'/>",
          "<?xml version='1.0'?><open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='bus.example'/>"}) {
        stream_lab it;
        it.say(text);
        CHECK(it.heard().starts_with("<open "));
        CHECK(it.heard().starts_with("<stream:features"));
    }
}

TEST_CASE("who says who it is hears it again; the domain's case does not matter (RFC 6120 s4.7)") {
    stream_lab it;
    it.say(
        "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='Bus.Example' from='ann@bus.example' version='1.0'/>");
    CHECK(it.heard().find(" to=\"ann@bus.example\"") != std::string::npos);
    stream_lab older;
    older.say(
        "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='bus.example' from='ann@bus.example/&lt;x&gt;' version='1.0'>");
    CHECK(older.heard().find(" to=\"ann@bus.example/&lt;x&gt;\"") != std::string::npos);
    stream_lab odd;
    odd.say("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='bus.example' from='@' version='1.0'/>");
    CHECK(odd.heard().find(" to=") == std::string::npos);
}

TEST_CASE("faults while opening: open, the error alone, close [xmpp 20] [xmpp 21] [xmpp 22] [xmpp 23]") {
    const auto fails = [](const std::string& text, std::string_view condition) {
        stream_lab it;
        it.say(text);
        CHECK(it.out.sent.front().starts_with("<open "));
        it.expect_error(condition);
    };
    fails("<open xmlns='urn:wrong' to='bus.example'/>", "invalid-namespace");
    fails("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='other'/>", "host-unknown");
    fails("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>", "improper-addressing");
    fails("<open", "not-well-formed");
    fails("hello", "not-well-formed");
}

TEST_CASE("two elements, comments, DTD, entities and depth end the stream [xmpp 24] [xmpp 25] [xmpp 30]") {
    const auto fails = [](const std::string& text, std::string_view condition) {
        stream_lab it;
        it.bind();
        it.say(text);
        it.expect_error(condition);
        CHECK(it.hub->ended.size() == 1);
    };
    fails("<presence xmlns='jabber:client'/><presence xmlns='jabber:client'/>", "not-well-formed");
    fails("<message xmlns='jabber:client'><body>", "not-well-formed");
    fails("<message xmlns='jabber:client'><!-- x --></message>", "restricted-xml");
    fails("<!DOCTYPE m><message xmlns='jabber:client'/>", "restricted-xml");
    fails("<message xmlns='jabber:client'>&nbsp;</message>", "restricted-xml");
    std::string deep;
    for (int i = 0; i < 20000; ++i) deep += "<a>";
    fails(deep, "policy-violation");
    fails("<x xmlns='urn:other'/>", "unsupported-stanza-type");
    fails("<message xmlns='jabber:server'/>", "invalid-namespace");
    fails("<presence/>", "invalid-namespace");
    fails("<message xmlns='jabber:client'>" + std::string(300000, 'x') + "</message>", "policy-violation");
}

TEST_CASE("blank messages harm nobody, binary ones are refused [xmpp 27] [xmpp 28]") {
    stream_lab it;
    it.say("");
    it.say(" \n");
    it.say(open_text);
    CHECK(it.heard().starts_with("<open "));
    it.heard();
    it.stream.receive_binary(it.now);
    it.expect_error("unsupported-encoding");
}

TEST_CASE("close is answered at once, spelled as Strophe compares it, then the socket closes [xmpp 32]") {
    stream_lab it;
    it.bind();
    it.say("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>");
    CHECK(it.heard() == close_text);
    CHECK(it.out.closed);
    CHECK(it.hub->ended == strings{"ann@bus.example/x7"});
}

TEST_CASE("a lost socket is told, and nothing follows [xmpp 33]") {
    stream_lab it;
    auto& session = it.bind();
    it.stream.lost(it.now);
    CHECK(it.hub->waiting == strings{"ann@bus.example/x7"});
    CHECK(session.connection() == nullptr);
    it.say("<presence xmlns='jabber:client'/>");
    CHECK(it.hub->stanzas.empty());
}

TEST_CASE("the older framing is served in kind [xmpp 34]") {
    stream_lab it;
    it.say(older_text);
    const auto opened = it.heard();
    CHECK(opened.starts_with(
        "<stream:stream xmlns=\"jabber:client\" xmlns:stream=\"http://etherx.jabber.org/streams\" "));
    CHECK(opened.ends_with("version=\"1.0\">"));
    CHECK(it.heard().starts_with("<stream:features"));
    it.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" +
           to_base64(std::string{"\0ann\0secret", 11}) + "</auth>");
    CHECK(it.heard().starts_with("<success"));
    it.say(older_text);
    CHECK(it.heard().starts_with("<stream:stream"));
    it.heard();
    // The namespace comes from the stream's tag.
    it.say(
        "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>r</resource></bind></iq>");
    CHECK(it.heard().find("ann@bus.example/r") != std::string::npos);
    it.say("<message to='bob@bus.example'><body>hi</body></message>");
    CHECK(it.hub->stanzas.front().find("<message xmlns=\"jabber:client\"") == 0);
    it.say("</stream:stream>");
    CHECK(it.heard() == "</stream:stream>");
    CHECK(it.out.closed);
}

TEST_CASE("the older framing: half an element is refused, in kind") {
    stream_lab it;
    it.say(older_text);
    it.heard();
    it.heard();
    it.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'");
    const auto error = it.heard();
    CHECK(error.starts_with("<stream:error><not-well-formed"));
    CHECK(it.heard() == "</stream:stream>");
}

TEST_CASE("a stream that is open can't be opened again") {
    stream_lab it;
    it.bind();
    it.say(open_text);
    it.expect_error("bad-format");
    CHECK(it.hub->ended.size() == 1);
}

TEST_CASE("the older framing: a fault while opening is one message (draft, section 3.5)") {
    stream_lab it;
    it.say(
        "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='other' version='1.0'>");
    REQUIRE(it.out.sent.size() == 1);
    CHECK(it.out.sent[0].starts_with("<stream:stream "));
    CHECK(it.out.sent[0].find("<stream:error><host-unknown ") != std::string::npos);
    CHECK(it.out.sent[0].ends_with("</stream:error></stream:stream>"));
    it.now += 600ms;
    it.stream.advance(it.now);
    CHECK(it.out.closed);
}
