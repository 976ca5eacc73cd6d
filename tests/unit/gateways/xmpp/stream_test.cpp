// One XMPP stream on a WebSocket (RFC 7395, RFC 6120, XEP-0198).
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "gateways/xmpp/namespaces.hpp"
#include "gateways/xmpp/session.hpp"
#include "gateways/xmpp/stream.hpp"
#include "sasl/base64_text.hpp"
#include "xml/reader.hpp"
#include "xml/writer.hpp"

using namespace mbusd;
using namespace std::chrono_literals;
using strings = std::vector<std::string>;

namespace {

const std::string open_text = R"(<open xmlns="urn:ietf:params:xml:ns:xmpp-framing" to="bus.example" version="1.0"/>)";
const std::string close_text = R"(<close xmlns="urn:ietf:params:xml:ns:xmpp-framing" />)";
const std::string older_text = R"(<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='bus.example' version='1.0'>)";

struct socket final : xmpp::stream_output {
    void send(std::string message) override { sent.push_back(std::move(message)); }
    void close() override { closed = true; }
    void login_failed() override { ++failures; }
    [[nodiscard]] std::chrono::milliseconds login_wait() override { return wait; }
    strings sent;
    bool closed = false;
    int failures = 0;
    std::chrono::milliseconds wait{0};
};

struct server final : xmpp::stream_host, sasl_accounts {
    [[nodiscard]] std::string_view domain() const override { return "bus.example"; }
    sasl_accounts& accounts() override { return *this; }
    xml::document_reader& documents(bool logged_in) override { return logged_in ? after : before; }
    std::string random_text(std::size_t) override { return "r" + std::to_string(++drawn); }
    xmpp::session* bind(xmpp::time_point, xmpp::stream&, const std::string& user, bool guest, std::string_view resource) override {
        if (full) return nullptr;
        sessions.push_back(std::make_unique<xmpp::session>(user, guest, "bus.example", resource.empty() ? "made-up" : std::string{resource}));
        return sessions.back().get();
    }
    xmpp::session* resume(xmpp::time_point, xmpp::stream&, const std::string& user, std::string_view id) override {
        for (const auto& each : sessions) {
            if (!id.empty() && each->management_id == id && each->bare().starts_with(user + "@")) return each.get();
        }
        return nullptr;
    }
    [[nodiscard]] xml::limits limits(bool logged_in) const override { return logged_in ? xmpp::limits_after_login : xmpp::limits_before_login; }
    [[nodiscard]] std::chrono::seconds resumption() const override { return xmpp::resumption_usual; }
    void stanza(xmpp::time_point, xmpp::session&, xml::element what) override { stanzas.push_back(xml::to_text(what)); }
    void closed(xmpp::time_point, xmpp::session& which) override { ended.push_back(which.jid()); }
    void lost(xmpp::time_point, xmpp::session& which) override { waiting.push_back(which.jid()); }
    void stream_failed(std::string_view condition) override { counted.emplace_back(condition); }
    void login_refused(std::string_view condition) override { counted.push_back("login " + std::string{condition}); }
    void login_granted(bool) override { counted.emplace_back("login"); }
    scram_keys keys_of(std::string_view user, scram_hash hash) override {
        if (user == "ann" || user == "bob") return make_scram_keys(hash, "secret", "0123456789abcdef", scram_iterations_min);
        return made_up_keys(hash, user, "s");
    }
    [[nodiscard]] bool is_own_name(std::string_view authzid, std::string_view user) const override {
        return authzid == user || authzid == std::string{user} + "@bus.example";
    }

    std::vector<std::unique_ptr<xmpp::session>> sessions;
    xml::document_reader before{xmpp::limits_before_login};
    xml::document_reader after{xmpp::limits_after_login};
    strings stanzas;
    strings ended;
    strings waiting;
    strings counted;
    int drawn = 0;
    bool full = false;
};

struct lab {
    explicit lab(std::shared_ptr<server> with = std::make_shared<server>()) : hub(std::move(with)) {}

    void say(const std::string& text) { stream.receive(now, text); }
    std::string heard() {
        REQUIRE_FALSE(out.sent.empty());
        auto text = std::move(out.sent.front());
        out.sent.erase(out.sent.begin());
        return text;
    }
    void log_in(std::string_view user = "ann") {
        say(open_text);
        heard();
        heard();
        std::string plain(1, '\0');
        plain.append(user).append(1, '\0').append("secret");
        say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" + to_base64(plain) + "</auth>");
        CHECK(heard().starts_with("<success"));
        say(open_text);
        heard();
        heard();
    }
    xmpp::session& bind(std::string_view resource = "x7") {
        log_in();
        say("<iq xmlns='jabber:client' type='set' id='b1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>" + std::string{resource} + "</resource></bind></iq>");
        heard();
        return *hub->sessions.back();
    }
    // The stream error, then the end.
    void expect_error(std::string_view condition) {
        REQUIRE_FALSE(out.sent.empty());
        std::string error;
        while (!out.sent.empty()) {
            auto text = heard();
            if (text.find(":error") != std::string::npos) error = text;
            else if (!error.empty()) CHECK(text == close_text);
        }
        CAPTURE(error);
        CHECK(error.find("<" + std::string{condition} + " xmlns=\"urn:ietf:params:xml:ns:xmpp-streams\"/>") != std::string::npos);
        CHECK_FALSE(out.closed);
        now += 600ms;
        stream.advance(now);
        CHECK(out.closed);
    }

    std::shared_ptr<server> hub;
    socket out;
    xmpp::time_point now{};
    xmpp::stream stream{out, *hub, {.plain = true, .anonymous = true}, now};
};

}  // namespace

TEST_CASE("open is answered by open, then features in a message of their own [xmpp 15] [xmpp 16] [xmpp 17]") {
    lab it;
    it.say(open_text);
    const auto open = it.heard();
    CHECK(open.starts_with("<open xmlns=\"urn:ietf:params:xml:ns:xmpp-framing\" "));
    CHECK(open.find("from=\"bus.example\"") != std::string::npos);
    CHECK(open.find("version=\"1.0\"") != std::string::npos);
    CHECK(open.find("id=\"") != std::string::npos);
    const auto features = it.heard();
    CHECK(features.starts_with("<stream:features xmlns:stream=\"http://etherx.jabber.org/streams\"><mechanisms xmlns=\"urn:ietf:params:xml:ns:xmpp-sasl\"><mechanism>SCRAM-SHA-256</mechanism>"));
    CHECK(features.find("starttls") == std::string::npos);
}

TEST_CASE("open in any spelling of XML is accepted [xmpp 19]") {
    for (const auto* text : {"<open version='1.0'\n to='bus.example' xmlns='urn:ietf:params:xml:ns:xmpp-framing'></open>",
                             "<f:open xmlns:f='urn:ietf:params:xml:ns:xmpp-framing' to='bus.example' version='1.0'/>",
                             "<?xml version='1.0'?><open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='bus.example'/>"}) {
        lab it;
        it.say(text);
        CHECK(it.heard().starts_with("<open "));
        CHECK(it.heard().starts_with("<stream:features"));
    }
}

TEST_CASE("who says who it is hears it again; the domain's case does not matter (RFC 6120 s4.7)") {
    lab it;
    it.say("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='Bus.Example' from='ann@bus.example' version='1.0'/>");
    CHECK(it.heard().find(" to=\"ann@bus.example\"") != std::string::npos);
    lab older;
    older.say("<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='bus.example' from='ann@bus.example/&lt;x&gt;' version='1.0'>");
    CHECK(older.heard().find(" to=\"ann@bus.example/&lt;x&gt;\"") != std::string::npos);
    lab odd;
    odd.say("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='bus.example' from='@' version='1.0'/>");
    CHECK(odd.heard().find(" to=") == std::string::npos);
}

TEST_CASE("faults while opening: open, the error alone, close [xmpp 20] [xmpp 21] [xmpp 22] [xmpp 23]") {
    const auto fails = [](const std::string& text, std::string_view condition) {
        lab it;
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
        lab it;
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
    lab it;
    it.say("");
    it.say(" \n");
    it.say(open_text);
    CHECK(it.heard().starts_with("<open "));
    it.heard();
    it.stream.receive_binary(it.now);
    it.expect_error("unsupported-encoding");
}

TEST_CASE("nothing is served before the login, and the limit is small then [xmpp 29] [xmpp 43]") {
    {
        lab it;
        it.say(open_text);
        it.say("<iq xmlns='jabber:client' type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>");
        it.expect_error("not-authorized");
        CHECK(it.hub->stanzas.empty());
    }
    lab it;
    it.say(open_text);
    it.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" + std::string(10000, 'A') + "</auth>");
    it.expect_error("policy-violation");
    lab after;
    after.bind();
    after.say("<message xmlns='jabber:client'>" + std::string(65536, 'x') + "</message>");
    CHECK(after.hub->stanzas.size() == 1);
}

TEST_CASE("a wrong password, then the right one; endless guessing is ended [xmpp 37] [xmpp 41]") {
    lab it;
    it.say(open_text);
    it.heard();
    it.heard();
    const std::string wrong = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" + to_base64(std::string{"\0ann\0x", 6}) + "</auth>";
    it.say(wrong);
    const auto failure = it.heard();
    CHECK(failure.find("<not-authorized/>") != std::string::npos);
    CHECK(it.out.failures == 1);
    it.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" + to_base64(std::string{"\0ann\0secret", 11}) + "</auth>");
    CHECK(it.heard().starts_with("<success"));

    lab guessing;
    guessing.say(open_text);
    for (int i = 0; i < 5; ++i) guessing.say(wrong);
    guessing.expect_error("policy-violation");
}

TEST_CASE("after the restart: fresh id, bind offered, mechanisms not [xmpp 18] [xmpp 44] [xmpp 45] [xmpp 46]") {
    lab it;
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
    it.say("<iq xmlns='jabber:client' type='set' id='b1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
    const auto bound = it.heard();
    CHECK(bound.find(" from=") == std::string::npos);
    CHECK(bound.find("<jid>guest-") != std::string::npos);
    CHECK(it.hub->sessions.back()->guest());
}

TEST_CASE("a bind that finds no room is an error, and the stream goes on") {
    lab it;
    it.hub->full = true;
    it.log_in();
    const std::string bind = "<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>";
    it.say(bind);
    CHECK(it.heard().find("resource-constraint") != std::string::npos);
    it.hub->full = false;
    it.say(bind);
    CHECK(it.heard().find("made-up") != std::string::npos);
}

TEST_CASE("close is answered at once, spelled as Strophe compares it, then the socket closes [xmpp 32]") {
    lab it;
    it.bind();
    it.say("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>");
    CHECK(it.heard() == close_text);
    CHECK(it.out.closed);
    CHECK(it.hub->ended == strings{"ann@bus.example/x7"});
}

TEST_CASE("a lost socket is told, and nothing follows [xmpp 33]") {
    lab it;
    auto& session = it.bind();
    it.stream.lost(it.now);
    CHECK(it.hub->waiting == strings{"ann@bus.example/x7"});
    CHECK(session.connection() == nullptr);
    it.say("<presence xmlns='jabber:client'/>");
    CHECK(it.hub->stanzas.empty());
}

TEST_CASE("the older framing is served in kind [xmpp 34]") {
    lab it;
    it.say(older_text);
    const auto opened = it.heard();
    CHECK(opened.starts_with("<stream:stream xmlns=\"jabber:client\" xmlns:stream=\"http://etherx.jabber.org/streams\" "));
    CHECK(opened.ends_with("version=\"1.0\">"));
    CHECK(it.heard().starts_with("<stream:features"));
    it.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" + to_base64(std::string{"\0ann\0secret", 11}) + "</auth>");
    CHECK(it.heard().starts_with("<success"));
    it.say(older_text);
    CHECK(it.heard().starts_with("<stream:stream"));
    it.heard();
    // The namespace comes from the stream's tag.
    it.say("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>r</resource></bind></iq>");
    CHECK(it.heard().find("ann@bus.example/r") != std::string::npos);
    it.say("<message to='bob@bus.example'><body>hi</body></message>");
    CHECK(it.hub->stanzas.front().find("<message xmlns=\"jabber:client\"") == 0);
    it.say("</stream:stream>");
    CHECK(it.heard() == "</stream:stream>");
    CHECK(it.out.closed);
}

TEST_CASE("the older framing: half an element is refused, in kind") {
    lab it;
    it.say(older_text);
    it.heard();
    it.heard();
    it.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'");
    const auto error = it.heard();
    CHECK(error.starts_with("<stream:error><not-well-formed"));
    CHECK(it.heard() == "</stream:stream>");
}

TEST_CASE("stream management: enable, count, acknowledge at once [xmpp 56]") {
    lab it;
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
    lab it;
    auto& session = it.bind();
    it.say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    it.heard();
    const auto id = session.management_id;
    REQUIRE_FALSE(id.empty());
    for (const auto* each : {"<message xmlns=\"jabber:client\" id=\"1\"/>", "<message xmlns=\"jabber:client\" id=\"2\"/>"}) session.send_text(each);
    it.stream.lost(it.now);
    session.send_text("<message xmlns=\"jabber:client\" id=\"3\"/>");

    lab again{it.hub};
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
    lab it;
    auto& session = it.bind();
    it.say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    it.stream.lost(it.now);
    lab other{it.hub};
    other.log_in("bob");
    other.say("<resume xmlns='urn:xmpp:sm:3' previd='" + session.management_id + "' h='0'/>");
    CHECK(other.heard().find("<item-not-found") != std::string::npos);
    other.say("<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
    CHECK(other.heard().find("bob@bus.example/made-up") != std::string::npos);
}

TEST_CASE("after many stanzas an acknowledgement is asked for, without management never") {
    lab it;
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

TEST_CASE("stanzas before the binding end the stream, and are not served (RFC 6120 s7.1)") {
    for (const auto* stanza : {"<message xmlns='jabber:client' to='bob@bus.example'/>", "<presence xmlns='jabber:client'/>",
                               "<iq xmlns='jabber:client' type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>"}) {
        CAPTURE(stanza);
        lab it;
        it.log_in();
        it.say(stanza);
        it.expect_error("not-authorized");
        CHECK(it.hub->stanzas.empty());
    }
}

TEST_CASE("what goes wrong between login and restart is answered with open first (RFC 7395 s3.5)") {
    lab it;
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

TEST_CASE("a stream that is open can't be opened again") {
    lab it;
    it.bind();
    it.say(open_text);
    it.expect_error("bad-format");
    CHECK(it.hub->ended.size() == 1);
}

TEST_CASE("the older framing: a fault while opening is one message (draft, section 3.5)") {
    lab it;
    it.say("<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='other' version='1.0'>");
    REQUIRE(it.out.sent.size() == 1);
    CHECK(it.out.sent[0].starts_with("<stream:stream "));
    CHECK(it.out.sent[0].find("<stream:error><host-unknown ") != std::string::npos);
    CHECK(it.out.sent[0].ends_with("</stream:error></stream:stream>"));
    it.now += 600ms;
    it.stream.advance(it.now);
    CHECK(it.out.closed);
}

TEST_CASE("a resource that no address can have is bad-request, and the stream goes on (RFC 6120 s7.7.2)") {
    lab it;
    it.log_in();
    const auto bind = [&](const std::string& resource, const std::string& id = " id='b'") {
        it.say("<iq xmlns='jabber:client' type='set'" + id + "><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>" + resource + "</resource></bind></iq>");
        return it.heard();
    };
    CHECK(bind(std::string(2000, 'r')).find("<bad-request ") != std::string::npos);
    CHECK(bind("a&#9;b").find("<bad-request ") != std::string::npos);
    CHECK(bind("r", "").find("<bad-request ") != std::string::npos);
    CHECK(it.hub->sessions.empty());
    CHECK(bind("r").find("ann@bus.example/r") != std::string::npos);
}

TEST_CASE("an acknowledgement of more than was sent ends the stream, with the counts (XEP-0198 s4)") {
    lab it;
    auto& session = it.bind();
    it.say("<enable xmlns='urn:xmpp:sm:3'/>");
    it.heard();
    session.send_text("<message xmlns=\"jabber:client\"/>");
    it.heard();
    it.say("<a xmlns='urn:xmpp:sm:3' h='2'/>");
    CHECK(it.out.sent.front().find("<handled-count-too-high xmlns=\"urn:xmpp:sm:3\" h=\"2\" send-count=\"1\"/>") != std::string::npos);
    it.expect_error("undefined-condition");
    for (const auto* h : {"", "-1", "x", "99999999999"}) {
        lab other;
        other.bind();
        other.say("<enable xmlns='urn:xmpp:sm:3'/>");
        other.heard();
        other.say("<a xmlns='urn:xmpp:sm:3' h='" + std::string{h} + "'/>");
        other.expect_error("bad-format");
    }
}

TEST_CASE("a resumption that acknowledges too much ends the session; one without a count leaves it") {
    lab it;
    auto& session = it.bind();
    it.say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    it.stream.lost(it.now);
    lab again{it.hub};
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
    lab it;
    it.log_in();
    it.say("<enable xmlns='urn:xmpp:sm:3'/>");
    CHECK(it.heard().find("<unexpected-request ") != std::string::npos);
    lab bound;
    auto& session = bound.bind();
    bound.say("<resume xmlns='urn:xmpp:sm:3' previd='x' h='0'/>");
    CHECK(bound.heard().find("<unexpected-request ") != std::string::npos);
    CHECK(session.connection() == &bound.stream);
}

TEST_CASE("after wrong passwords the next one waits, and what follows waits behind it") {
    lab it;
    it.say(open_text);
    it.heard();
    it.heard();
    it.out.wait = 500ms;
    it.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'/>");
    it.say("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>" + to_base64(std::string{"\0ann\0secret", 11}) + "</response>");
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
    lab it;
    it.say(open_text);
    it.out.wait = 500ms;
    for (int i = 0; i < 5; ++i) it.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'/>");
    it.expect_error("policy-violation");
}

TEST_CASE("what is refused is counted by its condition") {
    lab it;
    it.say(open_text);
    it.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='X-NONE'/>");
    it.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" + to_base64(std::string{"\0ann\0x", 6}) + "</auth>");
    it.say("<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
    it.say("<open");
    CHECK(it.hub->counted == strings{"login invalid-mechanism", "login not-authorized", "login aborted", "not-well-formed"});
}

TEST_CASE("who does not log in and bind in time is closed") {
    lab it;
    it.say(open_text);
    CHECK(it.stream.deadline() == it.now + 60s);
    it.now += 61s;
    it.stream.advance(it.now);
    it.expect_error("connection-timeout");
}
