// Block lists (XEP-0191). Some clients open no chat on a server without them.
#include "xmpp_lab.hpp"

#include "gateways/xmpp/block_lists.hpp"
#include "gateways/xmpp/namespaces.hpp"
#include "gateways/xmpp/stanza.hpp"

using namespace xmpp_test;
namespace ns = xmpp::ns;

namespace {

std::string block(std::string_view jid) { return "<block xmlns='urn:xmpp:blocking'><item jid='" + std::string{jid} + "'/></block>"; }
std::string unblock(std::string_view jid) { return "<unblock xmlns='urn:xmpp:blocking'><item jid='" + std::string{jid} + "'/></unblock>"; }
constexpr auto list = "<blocklist xmlns='urn:xmpp:blocking'/>";

std::string hello(std::string_view to) {
    return "<message xmlns='jabber:client' to='" + std::string{to} + "' id='m' type='chat'><body>hi</body></message>";
}

}  // namespace

TEST_CASE("the feature is there, and the list is empty at first") {
    xmpp_lab lab;
    auto& ann = lab.login("ann");
    const auto info = ann.ask("get", "<query xmlns='http://jabber.org/protocol/disco#info'/>");
    bool there = false;
    for (const auto* each : info.first()->elements(ns::disco_info, "feature")) there |= each->value_of("var") == ns::blocking;
    CHECK(there);
    const auto got = ann.ask("get", list, "");
    CHECK(got.first()->is(ns::blocking, "blocklist"));
    CHECK(got.first()->elements().empty());
}

TEST_CASE("who is blocked finds nobody there, and gets nothing (XEP-0191 s3.2, s4)") {
    xmpp_lab lab;
    auto& ann = lab.login("ann");
    auto& eve = lab.login("eve");
    auto& bob = lab.login("bob");
    ann.available();
    eve.available();
    CHECK(ann.ask("set", block("Eve@bus.example"), "").value_of("type") == "result");
    eve.say(hello("ann@bus.example/r"));
    CHECK(condition(eve.take()) == "service-unavailable");
    eve.say(hello("ann@bus.example"));
    CHECK(condition(eve.take()) == "service-unavailable");
    eve.say("<iq xmlns='jabber:client' type='get' id='1' to='ann@bus.example/r'><ping xmlns='urn:xmpp:ping'/></iq>");
    CHECK(condition(eve.take()) == "service-unavailable");
    CHECK(ann.nothing());
    ann.say(hello("eve@bus.example/r"));
    const auto refused = ann.take();
    CHECK(condition(refused) == "not-acceptable");
    CHECK(refused.child(ns::client, "error")->child(ns::blocking_errors, "blocked") != nullptr);
    ann.say("<presence xmlns='jabber:client' to='eve@bus.example/r'/>");
    CHECK(eve.nothing());
    bob.say(hello("ann@bus.example"));
    CHECK(ann.take().value_of("from") == "bob@bus.example/r");

    CHECK(ann.ask("set", unblock("eve@bus.example"), "").value_of("type") == "result");
    eve.say(hello("ann@bus.example/r"));
    CHECK(ann.take().value_of("from") == "eve@bus.example/r");
}

TEST_CASE("sessions that have read the list are told of changes (XEP-0191 s3.3)") {
    xmpp_lab lab;
    auto& one = lab.login("ann", "one");
    auto& two = lab.login("ann", "two");
    auto& three = lab.login("ann", "three");
    one.ask("get", list, "");
    two.ask("get", list, "");
    one.ask("set", block("eve@bus.example"), "");
    for (auto* each : {&one, &two}) {
        const auto push = each->take();
        CHECK(push.value_of("type") == "set");
        CHECK(push.first()->is(ns::blocking, "block"));
        CHECK(push.first()->first()->value_of("jid") == "eve@bus.example");
    }
    CHECK(three.nothing());
    CHECK(three.ask("get", list, "").first()->first()->value_of("jid") == "eve@bus.example");
    one.ask("set", "<unblock xmlns='urn:xmpp:blocking'/>", "");
    CHECK(two.take().first()->is(ns::blocking, "unblock"));
    CHECK(three.take().first()->elements().empty());
    CHECK(lab.domain.blocked().of("ann").empty());
}

TEST_CASE("bad lists are refused, and nothing has changed") {
    xmpp_lab lab;
    auto& ann = lab.login("ann");
    CHECK(condition(ann.ask("set", "<block xmlns='urn:xmpp:blocking'/>", "")) == "bad-request");
    CHECK(condition(ann.ask("set", block("a b"), "")) == "jid-malformed");
    CHECK(condition(ann.ask("set", block("bus.example"), "")) == "not-allowed");
    CHECK(condition(lab.login("guest").ask("set", block("eve@bus.example"), "")) == "not-allowed");
    CHECK(lab.domain.blocked().of("ann").empty());
    for (std::size_t i = 0; i < xmpp::blocked_of_one; ++i) ann.ask("set", block("u" + std::to_string(i) + "@x.example"), "");
    CHECK(condition(ann.ask("set", block("eve@bus.example"), "")) == "resource-constraint");
}

TEST_CASE("a block list holds full addresses, bare ones and domains, and says what to keep") {
    xmpp::block_lists lists;
    std::vector<std::string> kept;
    lists.on_change([&](std::string_view user, std::string_view jid, bool now) { kept.push_back(std::string{user} + (now ? "+" : "-") + std::string{jid}); });
    lists.load("ann", "spam.example");
    const auto eve = *xmpp::jid::parse("eve@x.example/phone");
    CHECK(lists.add("ann", eve));
    CHECK(lists.add("ann", eve));
    CHECK(lists.blocks("ann", "eve@x.example/phone"));
    CHECK_FALSE(lists.blocks("ann", "eve@x.example/desk"));
    CHECK(lists.blocks("ann", "who@spam.example/ever"));
    CHECK_FALSE(lists.blocks("bob", "who@spam.example"));
    lists.remove("ann", eve);
    lists.remove("ann", eve);
    CHECK(kept == std::vector<std::string>{"ann+eve@x.example/phone", "ann-eve@x.example/phone"});
    lists.forget("ann");
    CHECK_FALSE(lists.blocks("ann", "who@spam.example"));
}
