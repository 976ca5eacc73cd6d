// The domain: sessions, routing, and what it answers itself (RFC 6120, RFC 6121).
#include "xmpp_lab.hpp"

#include "gateways/xmpp/jid.hpp"
#include "gateways/xmpp/namespaces.hpp"
#include "gateways/xmpp/stanza.hpp"

using namespace xmpp_test;

TEST_CASE("addresses are taken apart, malformed ones refused") {
    const auto whom = xmpp::jid::parse("Ann@Bus.Example/(app:x media:y)");
    REQUIRE(whom);
    CHECK(whom->local == "ann");
    CHECK(whom->domain == "bus.example");
    CHECK(whom->resource == "(app:x media:y)");
    CHECK(xmpp::jid::parse("bus.example")->bare() == "bus.example");
    for (const auto* text : {"", "@x", "a@", "a b@x", "a@x/", "a@b@c", "x y", "\x01"}) {
        CAPTURE(text);
        CHECK_FALSE(xmpp::jid::parse(text));
    }
}

TEST_CASE("a message reaches the full address, with its from stamped [xmpp 51] [xmpp 52]") {
    xmpp_lab lab;
    auto& ann = lab.login("ann");
    auto& bob = lab.login("bob");
    ann.say("<message xmlns='jabber:client' to='bob@bus.example/r' from='eve@bus.example'><body>hi</body></message>");
    auto got = bob.take();
    CHECK(got.value_of("from") == "ann@bus.example/r");
    CHECK(got.child("jabber:client", "body")->text() == "hi");
    bob.say("<iq xmlns='jabber:client' type='get' id='i1' to='ann@bus.example/r'><x xmlns='urn:y'/></iq>");
    CHECK(ann.take().value_of("from") == "bob@bus.example/r");
    ann.say("<iq xmlns='jabber:client' type='result' id='i1' to='bob@bus.example/r' from='ann@bus.example'/>");
    CHECK(bob.take().value_of("type") == "result");
}

TEST_CASE("a message to a bare address reaches what is available with a priority of 0 or more") {
    xmpp_lab lab;
    auto& ann = lab.login("ann");
    auto& first = lab.login("bob", "one");
    auto& second = lab.login("bob", "two");
    auto& third = lab.login("bob", "three");
    first.available();
    second.available(-1);
    ann.say("<message xmlns='jabber:client' to='bob@bus.example'><body>hi</body></message>");
    CHECK(first.take().name() == "message");
    CHECK(second.nothing());
    CHECK(third.nothing());
    first.say("<presence xmlns='jabber:client' type='unavailable'/>");
    ann.say("<message xmlns='jabber:client' to='bob@bus.example' id='m'><body>hi</body></message>");
    CHECK(condition(ann.take()) == "service-unavailable");
    ann.say("<message xmlns='jabber:client' to='bob@bus.example' type='headline'/>");
    CHECK(ann.nothing());
}

TEST_CASE("what can't be delivered is answered with an error, never with silence [xmpp 53]") {
    xmpp_lab lab;
    auto& ann = lab.login("ann");
    CHECK(condition(ann.ask("get", "<x xmlns='urn:y'/>", "other.example")) == "remote-server-not-found");
    CHECK(condition(ann.ask("get", "<x xmlns='urn:y'/>", "nobody@bus.example/r")) == "service-unavailable");
    CHECK(condition(ann.ask("get", "<x xmlns='urn:y'/>", "nobody@bus.example")) == "service-unavailable");
    CHECK(condition(ann.ask("get", "<x xmlns='urn:y'/>", "a b@bus.example")) == "jid-malformed");
    ann.say("<message xmlns='jabber:client' to='ann@bus.example/gone' type='chat'><body>x</body></message>");
    CHECK(condition(ann.take()) == "service-unavailable");
}

TEST_CASE("ping is answered, with and without an address [xmpp 47]") {
    xmpp_lab lab;
    auto& ann = lab.login("ann");
    const auto pong = ann.ask("get", "<ping xmlns='urn:xmpp:ping'/>");
    CHECK(pong.value_of("type") == "result");
    CHECK(pong.value_of("from") == "bus.example");
    CHECK_FALSE(ann.ask("get", "<ping xmlns='urn:xmpp:ping'/>", "").get("from"));
}

TEST_CASE("an unknown payload is service-unavailable, the condition first [xmpp 48] [xmpp 55]") {
    xmpp_lab lab;
    auto& ann = lab.login("ann");
    for (const auto* payload : {"<vCard xmlns='vcard-temp'/>", "<query xmlns='jabber:iq:private'/>",
                                "<query xmlns='urn:xmpp:mam:2'/>", "<query xmlns='jabber:iq:version'/>"}) {
        for (const auto* to : {"", "bus.example", "ann@bus.example"}) {
            const auto got = ann.ask("get", payload, to);
            CHECK(condition(got) == "service-unavailable");
            CHECK(got.child("jabber:client", "error")->first()->name() == "service-unavailable");
        }
    }
    CHECK(ann.ask("set", "<enable xmlns='urn:xmpp:carbons:2'/>", "").value_of("type") == "result");
    CHECK(ann.ask("set", "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'/>", "").value_of("type") == "result");
}

TEST_CASE("accounts have no nodes: item-not-found, which clients take for an empty shelf (XEP-0163) [xmpp 55]") {
    xmpp_lab lab;
    auto& ann = lab.login("ann");
    const auto* items = "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:bookmarks:1'/></pubsub>";
    for (const auto* to : {"", "ann@bus.example", "bob@bus.example"}) CHECK(condition(ann.ask("get", items, to)) == "item-not-found");
    CHECK(condition(ann.ask("set", items, "ann@bus.example")) == "service-unavailable");
}

TEST_CASE("an iq outside the rules is bad-request; results and errors are never answered [xmpp 49] [xmpp 50]") {
    xmpp_lab lab;
    auto& ann = lab.login("ann");
    for (const auto* iq : {"<iq xmlns='jabber:client' type='get' id='1'/>", "<iq xmlns='jabber:client' type='get' id='1'><a xmlns='x'/><b xmlns='x'/></iq>",
                           "<iq xmlns='jabber:client' type='wrong' id='1'><a xmlns='x'/></iq>", "<iq xmlns='jabber:client' type='get'><a xmlns='x'/></iq>"}) {
        CAPTURE(iq);
        ann.say(iq);
        CHECK(condition(ann.take()) == "bad-request");
    }
    ann.say("<iq xmlns='jabber:client' type='result' id='1' to='bus.example'/>");
    ann.say("<iq xmlns='jabber:client' type='error' id='1'/>");
    ann.say("<iq xmlns='jabber:client' type='result' id='1' to='nobody@bus.example/x'/>");
    CHECK(ann.nothing());
}

TEST_CASE("disco of the domain and the roster, also with blanks and to the own bare address [xmpp 54]") {
    xmpp_lab lab;
    auto& ann = lab.login("ann");
    const auto info = ann.ask("get", "<query xmlns='http://jabber.org/protocol/disco#info'> \n</query>");
    const auto* identity = info.first()->child(xmpp::ns::disco_info, "identity");
    CHECK(identity->value_of("category") == "server");
    CHECK(ann.ask("get", "<query xmlns='http://jabber.org/protocol/disco#items'/>").value_of("type") == "result");
    CHECK(ann.ask("get", "<query xmlns='http://jabber.org/protocol/disco#info'/>", "ann@bus.example").first()->first()->value_of("category") == "account");
    for (const auto* to : {"", "ann@bus.example"}) {
        CHECK(ann.ask("get", "<query xmlns='jabber:iq:roster'> </query>", to).first()->name() == "query");
    }
    CHECK(condition(ann.ask("get", "<query xmlns='jabber:iq:roster'/>", "bob@bus.example")) == "service-unavailable");
}

TEST_CASE("rooms, errors and subscriptions at a bare address (RFC 6121 s8.5.2)") {
    xmpp_lab lab;
    auto& ann = lab.login("ann");
    auto& bob = lab.login("bob");
    bob.available();
    ann.say("<message xmlns='jabber:client' to='bob@bus.example' type='groupchat' id='g'><body>x</body></message>");
    CHECK(condition(ann.take()) == "service-unavailable");
    const auto before = lab.domain.counters().undeliverable;
    ann.say("<message xmlns='jabber:client' to='bob@bus.example' type='error' id='e'/>");
    ann.say("<presence xmlns='jabber:client' to='bob@bus.example' type='subscribe'/>");
    ann.say("<iq xmlns='jabber:client' to='bob@bus.example' type='result' id='r'/>");
    ann.say("<message xmlns='jabber:client' to='bus.example' type='error'/>");
    ann.say("<presence xmlns='jabber:client' to='bus.example'/>");
    CHECK(lab.domain.counters().undeliverable == before + 5);
    CHECK(ann.nothing());
    CHECK(bob.nothing());
    ann.say("<message xmlns='jabber:client' to='bus.example' id='m'><body>x</body></message>");
    CHECK(condition(ann.take()) == "service-unavailable");
}

TEST_CASE("a session that is unavailable gets no messages to its bare address, and still its own") {
    xmpp_lab lab;
    auto& ann = lab.login("ann");
    auto& bob = lab.login("bob");
    bob.available();
    bob.say("<presence xmlns='jabber:client' type='unavailable'/>");
    ann.say("<message xmlns='jabber:client' to='bob@bus.example' id='m'><body>x</body></message>");
    CHECK(condition(ann.take()) == "service-unavailable");
    ann.say("<message xmlns='jabber:client' to='bob@bus.example/r'><body>x</body></message>");
    CHECK(bob.take().name() == "message");
}

TEST_CASE("old clients ask the domain for a session; nodes that are not there are item-not-found [xmpp 46] [xmpp 54]") {
    xmpp_lab lab;
    auto& ann = lab.login("ann");
    CHECK(ann.ask("set", "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'/>").value_of("type") == "result");
    for (const auto* what : {"info", "items"}) {
        CHECK(condition(ann.ask("get", "<query xmlns='http://jabber.org/protocol/disco#" + std::string{what} + "' node='none'/>")) == "item-not-found");
    }
}

TEST_CASE("two requests of the same id get two answers") {
    xmpp_lab lab;
    auto& ann = lab.login("ann");
    for (int i = 0; i < 2; ++i) ann.say("<iq xmlns='jabber:client' type='get' id='same' to='bus.example'><ping xmlns='urn:xmpp:ping'/></iq>");
    CHECK(ann.take().value_of("id") == "same");
    CHECK(ann.take().value_of("id") == "same");
}

TEST_CASE("errors are counted by condition, and what clients send each other is not") {
    xmpp_lab lab;
    auto& ann = lab.login("ann");
    auto& bob = lab.login("bob");
    ann.ask("get", "<x xmlns='urn:y'/>");
    ann.ask("get", "<x xmlns='urn:y'/>", "other.example");
    bob.say("<iq xmlns='jabber:client' type='error' id='1' to='ann@bus.example/r'><error type='cancel'><made-up xmlns='urn:z'/></error></iq>");
    CHECK(ann.take().name() == "iq");
    const auto& counts = lab.domain.counters().stanza_errors;
    CHECK(counts.size() == 2);
    CHECK(counts.at("service-unavailable") == 1);
    CHECK(counts.at("remote-server-not-found") == 1);
    ann.say("<oops");
    CHECK(lab.domain.counters().stream_errors.at("not-well-formed") == 1);
    CHECK(lab.domain.counters().logins == 2);
}

TEST_CASE("a session is resumed by its own user only, also while its old connection is still there [xmpp 58]") {
    xmpp_lab lab;
    auto& old = lab.login("ann");
    auto& bob = lab.login("bob");
    old.say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    const std::string id{old.take().value_of("id")};
    bob.say("<message xmlns='jabber:client' to='ann@bus.example/r' id='m1'><body>x</body></message>");
    const auto resume = [&](client& who, const std::string& previd, const std::string& h) {
        who.say("<resume xmlns='urn:xmpp:sm:3' previd='" + previd + "' h='" + h + "'/>");
    };
    auto& stranger = lab.unbound("bob");
    resume(stranger, id, "0");
    CHECK(stranger.take_text().find("<item-not-found") != std::string::npos);
    auto& guest = lab.unbound("guest");
    resume(guest, id, "0");
    CHECK(guest.take_text().find("<item-not-found") != std::string::npos);

    auto& again = lab.unbound("ann");
    resume(again, id, "0");
    CHECK(again.take().name() == "resumed");
    CHECK(again.take().value_of("id") == "m1");
    CHECK(old.take().value_of("id") == "m1");
    CHECK(old.take_text().find("<conflict") != std::string::npos);
    CHECK(lab.domain.sessions() == 2);
    bob.say("<message xmlns='jabber:client' to='ann@bus.example/r' id='m2'><body>x</body></message>");
    CHECK(again.take().name() == "r");
    CHECK(again.take().value_of("id") == "m2");
}

TEST_CASE("a session that acknowledged what was never sent does not wait for ever") {
    xmpp_lab lab;
    auto& ann = lab.login("ann");
    ann.say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    const std::string id{ann.take().value_of("id")};
    ann.lose();
    CHECK(lab.domain.sessions_waiting() == 1);
    auto& again = lab.unbound("ann");
    again.say("<resume xmlns='urn:xmpp:sm:3' previd='" + id + "' h='9'/>");
    CHECK(again.take_text().find("handled-count-too-high") != std::string::npos);
    CHECK(lab.domain.sessions() == 0);
    CHECK(lab.domain.sessions_waiting() == 0);
}

TEST_CASE("a second session with the same full address ends the first with conflict [xmpp 45]") {
    xmpp_lab lab;
    auto& old = lab.login("ann", "x");
    auto& fresh = lab.login("ann", "x");
    CHECK(fresh.jid() == "ann@bus.example/x");
    CHECK(old.take_text().find("<conflict") != std::string::npos);
    CHECK(lab.domain.sessions() == 1);
    lab.domain.settle();
    fresh.say("<message xmlns='jabber:client' to='ann@bus.example/x'><body>me</body></message>");
    CHECK(fresh.take().name() == "message");
}

TEST_CASE("a session whose socket was lost ends at once, or waits to be resumed") {
    xmpp_lab lab;
    auto& plain = lab.login("ann", "plain");
    auto& managed = lab.login("ann", "managed");
    managed.say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    plain.lose();
    managed.lose();
    CHECK(lab.domain.sessions() == 1);
    CHECK(lab.domain.deadline() == lab.now + 60s);
    CHECK(lab.domain.deliver(managed.jid(), xml::element{"jabber:client", "message"}));
    lab.now += 61s;
    lab.domain.advance(lab.now);
    CHECK(lab.domain.sessions() == 0);
    CHECK(lab.domain.counters().lost == 1);
    CHECK(lab.domain.deadline() == xmpp::never);
}

TEST_CASE("who wrote to a client that did not come back is told (XEP-0198 s5)") {
    xmpp_lab lab;
    auto& ann = lab.login("ann");
    auto& bob = lab.login("bob");
    bob.available();
    bob.say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    bob.lose();
    for (const auto* attributes : {"to='bob@bus.example/r' id='1'", "to='bob@bus.example/r' id='2' type='headline'", "to='bob@bus.example' id='3'",
                                   "to='bob@bus.example/r' id='4' type='error'", "to='bob@bus.example/r' id='5' type='chat'"}) {
        ann.say("<message xmlns='jabber:client' " + std::string{attributes} + "><body>x</body></message>");
    }
    CHECK(ann.nothing());
    lab.now += 61s;
    lab.domain.advance(lab.now);
    for (const auto* id : {"1", "5"}) {
        const auto got = ann.take();
        CHECK(got.value_of("id") == id);
        CHECK(got.value_of("from") == "bob@bus.example/r");
        CHECK(condition(got) == "recipient-unavailable");
    }
    CHECK(ann.nothing());
    CHECK(lab.domain.counters().lost == 5);
}

TEST_CASE("a session that does not acknowledge ends when too much waits for it") {
    xmpp_lab lab;
    auto& ann = lab.login("ann");
    auto& bob = lab.login("bob");
    bob.say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    bob.lose();
    for (std::size_t i = 0; i <= xmpp::unacknowledged_max; ++i) ann.say("<message xmlns='jabber:client' to='bob@bus.example/r'/>");
    CHECK(lab.domain.sessions() == 1);
    CHECK(lab.domain.counters().overflowed == 1);
}

TEST_CASE("sessions are limited, of all and of one account") {
    xmpp_lab lab{{.domain = "bus.example", .sessions_max = 3, .sessions_of_one = 2}};
    lab.login("ann", "1");
    lab.login("ann", "2");
    CHECK(lab.login("ann", "3").jid().empty());
    CHECK_FALSE(lab.login("bob").jid().empty());
    CHECK(lab.login("eve").jid().empty());
}

TEST_CASE("shutting down and changing an account end sessions with a reason") {
    xmpp_lab lab;
    auto& ann = lab.login("ann");
    auto& bob = lab.login("bob");
    lab.domain.end_sessions_of(lab.now, "ann");
    CHECK(ann.take_text().find("<not-authorized") != std::string::npos);
    lab.domain.shut_down(lab.now);
    CHECK(bob.take_text().find("<system-shutdown") != std::string::npos);
    CHECK(lab.domain.sessions() == 0);
}

TEST_CASE("a service gets what is for its host, and hears of sessions and presence") {
    struct echo final : xmpp::stanza_service {
        explicit echo(xmpp::stanza_sender& by) : out(by) {}
        [[nodiscard]] std::string_view host() const override { return "echo.bus.example"; }
        [[nodiscard]] std::string_view title() const override { return "Echo"; }
        void handle(xmpp::session& from, const xmpp::jid& to, xml::element stanza) override {
            seen.push_back(to.resource);
            if (!xmpp::asks(stanza).empty()) out.send(from, xmpp::result_of(stanza));
        }
        void session_bound(xmpp::session& which) override { seen.push_back("+" + which.jid()); }
        void session_ended(xmpp::session& which) override { seen.push_back("-" + which.jid()); }
        void presence_changed(xmpp::session& which) override { seen.push_back(which.available ? "here" : "away"); }
        xmpp::stanza_sender& out;
        std::vector<std::string> seen;
    };
    xmpp_lab lab;
    echo service{lab.domain};
    lab.domain.add(service);
    auto& ann = lab.login("ann");
    ann.available();
    CHECK(ann.ask("get", "<x xmlns='urn:y'/>", "echo.bus.example/(app:a b:c)").value_of("from") == "echo.bus.example/(app:a b:c)");
    const auto items = ann.ask("get", "<query xmlns='http://jabber.org/protocol/disco#items'/>");
    CHECK(items.first()->first()->value_of("jid") == "echo.bus.example");
    ann.lose();
    CHECK(service.seen == std::vector<std::string>{"+ann@bus.example/r", "here", "(app:a b:c)", "away", "-ann@bus.example/r"});
}
