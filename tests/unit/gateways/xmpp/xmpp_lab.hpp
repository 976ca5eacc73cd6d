// An XMPP domain without sockets: clients log in, bind, and talk.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateways/xmpp/server.hpp"
#include "sasl/base64_text.hpp"
#include "xml/reader.hpp"
#include "xml/writer.hpp"

namespace xmpp_test {

using namespace std::chrono_literals;
namespace xmpp = mbusd::xmpp;
namespace xml = mbusd::xml;

// Every account has the password "secret"; "nobody" has none.
struct test_accounts final : mbusd::sasl_accounts {
    mbusd::scram_keys keys_of(std::string_view user, mbusd::scram_hash hash) override {
        if (user == "nobody") return mbusd::made_up_keys(hash, user, "s");
        return mbusd::make_scram_keys(hash, "secret", "0123456789abcdef", mbusd::scram_iterations_min);
    }
    [[nodiscard]] bool is_own_name(std::string_view authzid, std::string_view user) const override { return authzid == user; }
};

class xmpp_lab;

class client final : public xmpp::stream_output {
public:
    // Without a resource it does not bind.
    client(xmpp_lab& lab, std::string_view user, std::string_view resource);

    void send(std::string message) override { sent.push_back(std::move(message)); }
    void close() override { closed = true; }
    void login_failed() override {}
    [[nodiscard]] std::chrono::milliseconds login_wait() override { return 0ms; }

    void say(std::string_view text);
    void available(int priority = 0) {
        say("<presence xmlns='jabber:client'><priority>" + std::to_string(priority) + "</priority></presence>");
    }
    // An iq to the domain (or `to`) and its answer.
    xml::element ask(std::string_view type, std::string_view payload, std::string_view to = "bus.example");
    // The next stanza; fails the test when there is none.
    xml::element take();
    std::string take_text();
    [[nodiscard]] bool nothing() const { return sent.empty(); }
    [[nodiscard]] std::string jid() const;
    void lose();

    std::vector<std::string> sent;
    bool closed = false;

private:
    xmpp_lab& lab_;
    std::string user_;
    std::unique_ptr<xmpp::stream> stream_;
    std::string jid_;
    int asked_ = 0;
};

class xmpp_lab {
public:
    explicit xmpp_lab(xmpp::server_options options = {.domain = "bus.example"})
        : domain(std::move(options), accounts, [this](std::size_t) { return "r" + std::to_string(++drawn); }) {}

    client& login(std::string_view user, std::string_view resource = "r") {
        clients.push_back(std::make_unique<client>(*this, user, resource));
        return *clients.back();
    }

    // Logged in, not bound.
    client& unbound(std::string_view user) { return login(user, {}); }

    test_accounts accounts;
    int drawn = 0;
    xmpp::time_point now{};
    xmpp::server domain;
    std::vector<std::unique_ptr<client>> clients;
};

inline client::client(xmpp_lab& lab, std::string_view user, std::string_view resource) : lab_(lab), user_(user) {
    stream_ = std::make_unique<xmpp::stream>(*this, lab.domain, xmpp::stream_options{.plain = true, .anonymous = true}, lab.now);
    const std::string open = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='bus.example' version='1.0'/>";
    say(open);
    if (user == "guest") {
        say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>");
    } else {
        say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" +
            mbusd::to_base64(std::string(1, '\0') + user_ + std::string(1, '\0') + "secret") + "</auth>");
    }
    say(open);
    sent.clear();
    if (resource.empty()) return;
    say("<iq xmlns='jabber:client' type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>" +
        std::string{resource} + "</resource></bind></iq>");
    const auto bound = take();
    if (const auto* bind = bound.child("urn:ietf:params:xml:ns:xmpp-bind", "bind")) jid_ = bind->first()->text();
}

inline void client::say(std::string_view text) { stream_->receive(lab_.now, text); }

inline std::string client::take_text() {
    REQUIRE_FALSE(sent.empty());
    auto text = std::move(sent.front());
    sent.erase(sent.begin());
    return text;
}

inline xml::element client::take() {
    const auto text = take_text();
    xml::document_reader reader;
    auto got = reader.read(text);
    REQUIRE_MESSAGE(got, text);
    return std::move(*got);
}

inline xml::element client::ask(std::string_view type, std::string_view payload, std::string_view to) {
    const auto id = "q" + std::to_string(++asked_);
    std::string iq = "<iq xmlns='jabber:client' type='" + std::string{type} + "' id='" + id + "'";
    if (!to.empty()) {
        iq += " to='";
        xml::append_escaped(iq, to);
        iq += "'";
    }
    say(iq + ">" + std::string{payload} + "</iq>");
    // Events may come before the answer.
    for (std::size_t i = 0; i < sent.size(); ++i) {
        if (sent[i].find("id=\"" + id + "\"") == std::string::npos) continue;
        std::swap(sent[0], sent[i]);
        return take();
    }
    FAIL("no answer to " << iq);
    return {};
}

inline std::string client::jid() const { return jid_; }
inline void client::lose() { stream_->lost(lab_.now); }

// The condition of a stanza error; empty for anything else.
inline std::string condition(const xml::element& stanza) {
    const auto* error = stanza.child("jabber:client", "error");
    return stanza.value_of("type") == "error" && error != nullptr ? error->first()->name() : "";
}

}  // namespace xmpp_test
