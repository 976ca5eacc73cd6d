// One XMPP stream between a socket and a server that write down what they are told.
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateways/xmpp/session.hpp"
#include "gateways/xmpp/stream.hpp"
#include "sasl/base64_text.hpp"
#include "xml/reader.hpp"
#include "xml/writer.hpp"

namespace xmpp_test {

using namespace std::chrono_literals;
namespace xmpp = mbusd::xmpp;
namespace xml = mbusd::xml;
using mbusd::to_base64;
using strings = std::vector<std::string>;

inline const std::string open_text =
    R"(<open xmlns="urn:ietf:params:xml:ns:xmpp-framing" to="bus.example" version="1.0"/>)";
inline const std::string close_text = R"(<close xmlns="urn:ietf:params:xml:ns:xmpp-framing" />)";
inline const std::string older_text =
    R"(<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='bus.example' version='1.0'>)";

struct stream_socket final : xmpp::stream_output {
    void send(std::string message) override { sent.push_back(std::move(message)); }
    void close() override { closed = true; }
    void login_failed() override { ++failures; }
    [[nodiscard]] std::chrono::milliseconds login_wait() override { return wait; }
    strings sent;
    bool closed = false;
    int failures = 0;
    std::chrono::milliseconds wait{0};
};

struct stream_server final : xmpp::stream_host, mbusd::sasl_accounts {
    [[nodiscard]] std::string_view domain() const override { return "bus.example"; }
    mbusd::sasl_accounts& accounts() override { return *this; }
    xml::document_reader& documents(bool logged_in) override { return logged_in ? after : before; }
    std::string random_text(std::size_t) override { return "r" + std::to_string(++drawn); }
    xmpp::session* bind(xmpp::time_point, xmpp::stream&, const std::string& user, bool guest,
                        std::string_view resource) override {
        if (full) return nullptr;
        sessions.push_back(std::make_unique<xmpp::session>(
            user, guest, "bus.example", resource.empty() ? "made-up" : std::string{resource}));
        return sessions.back().get();
    }
    xmpp::session* resume(xmpp::time_point, xmpp::stream&, const std::string& user,
                          std::string_view id) override {
        for (const auto& each : sessions) {
            if (!id.empty() && each->management_id == id && each->bare().starts_with(user + "@"))
                return each.get();
        }
        return nullptr;
    }
    [[nodiscard]] xml::limits limits(bool logged_in) const override {
        return logged_in ? xmpp::limits_after_login : xmpp::limits_before_login;
    }
    [[nodiscard]] std::chrono::seconds resumption() const override { return xmpp::resumption_usual; }
    void stanza(xmpp::time_point, xmpp::session&, xml::element what) override {
        stanzas.push_back(xml::to_text(what));
    }
    void closed(xmpp::time_point, xmpp::session& which) override { ended.push_back(which.jid()); }
    void lost(xmpp::time_point, xmpp::session& which) override { waiting.push_back(which.jid()); }
    void stream_failed(std::string_view condition) override { counted.emplace_back(condition); }
    void login_refused(std::string_view condition) override {
        counted.push_back("login " + std::string{condition});
    }
    void login_granted(bool) override { counted.emplace_back("login"); }
    mbusd::scram_keys keys_of(std::string_view user, mbusd::scram_hash hash) override {
        if (user == "ann" || user == "bob")
            return mbusd::make_scram_keys(hash, "secret", "0123456789abcdef", mbusd::scram_iterations_min);
        return mbusd::made_up_keys(hash, user, "s");
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

struct stream_lab {
    explicit stream_lab(std::shared_ptr<stream_server> with = std::make_shared<stream_server>())
        : hub(std::move(with)) {}

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
        say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" + to_base64(plain) +
            "</auth>");
        CHECK(heard().starts_with("<success"));
        say(open_text);
        heard();
        heard();
    }
    xmpp::session& bind(std::string_view resource = "x7") {
        log_in();
        say("<iq xmlns='jabber:client' type='set' id='b1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>" +
            std::string{resource} + "</resource></bind></iq>");
        heard();
        return *hub->sessions.back();
    }
    // The stream error, then the end.
    void expect_error(std::string_view condition) {
        REQUIRE_FALSE(out.sent.empty());
        std::string error;
        while (!out.sent.empty()) {
            auto text = heard();
            if (text.find(":error") != std::string::npos)
                error = text;
            else if (!error.empty())
                CHECK(text == close_text);
        }
        CAPTURE(error);
        CHECK(error.find("<" + std::string{condition} + " xmlns=\"urn:ietf:params:xml:ns:xmpp-streams\"/>") !=
              std::string::npos);
        CHECK_FALSE(out.closed);
        now += 600ms;
        stream.advance(now);
        CHECK(out.closed);
    }

    std::shared_ptr<stream_server> hub;
    stream_socket out;
    xmpp::time_point now{};
    xmpp::stream stream{out, *hub, {.plain = true, .anonymous = true}, now};
};

}  // namespace xmpp_test
