// The XMPP domain: its sessions, the way of a stanza among them, and what the domain itself answers.
//
//     server domain{{.domain = "bus.example"}, accounts, random};
//     domain.add(pubsub);                      // a service, with a host of its own
//     stream client{output, domain, options, now};
//     ...
//     domain.settle();                         // end of the turn: sessions that have ended go
//     domain.advance(now);  timer at domain.deadline();
//
// One thread. Accounts and services outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gateways/xmpp/block_lists.hpp"
#include "gateways/xmpp/session.hpp"
#include "gateways/xmpp/stanza.hpp"
#include "gateways/xmpp/stanza_service.hpp"
#include "gateways/xmpp/stream.hpp"

namespace mbusd::xmpp {

struct server_options {
    std::string domain;
    std::size_t sessions_max = 10000;
    std::size_t sessions_of_one = 100;
    std::size_t stanza_octets = octets_max;            // of clients that have logged in
    std::chrono::seconds resumption = resumption_usual; // how long a session waits for its client; 0: not at all
};

struct server_counters {
    // By condition: the words of our own errors, never a client's.
    using by_condition = std::map<std::string, std::uint64_t, std::less<>>;

    std::uint64_t logins = 0;
    std::uint64_t guest_logins = 0;
    by_condition logins_refused{};
    by_condition stream_errors{};
    by_condition stanza_errors{};
    std::uint64_t sessions_bound = 0;
    std::uint64_t sessions_resumed = 0;
    std::uint64_t sessions_ended = 0;
    std::uint64_t stanzas_in = 0;
    std::uint64_t stanzas_out = 0;
    std::uint64_t overflowed = 0;      // sessions that ended because too much waited for them
    std::uint64_t lost = 0;            // stanzas that were kept for a client that did not come back
    std::uint64_t undeliverable = 0;   // stanzas for nobody that are not answered: headlines, results, presence
};

class server final : public stream_host, public stanza_sender {
public:
    using random_source = std::function<std::string(std::size_t octets)>;

    server(server_options options, sasl_accounts& accounts, random_source random);
    ~server();

    void add(stanza_service& service);
    [[nodiscard]] block_lists& blocked() noexcept { return blocked_; }

    // --- stream_host ------------------------------------------------------------------------------

    [[nodiscard]] std::string_view domain() const override { return options_.domain; }
    [[nodiscard]] sasl_accounts& accounts() override { return accounts_; }
    [[nodiscard]] xml::document_reader& documents(bool logged_in) override { return logged_in ? after_login_ : before_login_; }
    [[nodiscard]] xml::limits limits(bool logged_in) const override {
        return {.octets = logged_in ? options_.stanza_octets : octets_before_login};
    }
    [[nodiscard]] std::chrono::seconds resumption() const override { return options_.resumption; }
    [[nodiscard]] std::string random_text(std::size_t octets) override { return random_(octets); }
    session* bind(time_point now, stream& by, const std::string& user, bool guest, std::string_view resource) override;
    session* resume(time_point now, stream& by, const std::string& user, std::string_view id) override;
    void stanza(time_point now, session& from, xml::element what) override;
    void closed(time_point now, session& which) override;
    void lost(time_point now, session& which) override;
    void stream_failed(std::string_view condition) override { ++counted(counters_.stream_errors, condition); }
    void login_refused(std::string_view condition) override { ++counted(counters_.logins_refused, condition); }
    void login_granted(bool guest) override { ++(guest ? counters_.guest_logins : counters_.logins); }

    // --- stanza_sender ----------------------------------------------------------------------------

    bool deliver(const jid& to, xml::element stanza) override;
    bool deliver(std::string_view to, xml::element stanza) override;
    bool deliver_text(std::string_view to, const std::function<std::string(const session&)>& text) override;
    [[nodiscard]] session* find(std::string_view full_jid) override;
    void send(session& to, const xml::element& stanza) override;

    // --- time and life ------------------------------------------------------------------------------

    void advance(time_point now);
    [[nodiscard]] time_point deadline() const noexcept { return waiting_.empty() ? never : waiting_.begin()->first; }
    void settle() { ended_.clear(); }
    // Ends every session with the stream error system-shutdown.
    void shut_down(time_point now);
    // The account was removed or has a new password.
    void end_sessions_of(time_point now, std::string_view user);

    [[nodiscard]] std::size_t sessions() const noexcept { return sessions_.size(); }
    // Those without a connection.
    [[nodiscard]] std::size_t sessions_waiting() const noexcept { return waiting_.size(); }
    [[nodiscard]] const server_counters& counters() const noexcept { return counters_; }

private:
    static std::uint64_t& counted(server_counters::by_condition& in, std::string_view condition);
    void end(session& which);
    void give_back(const session& from);
    void send_text(session& to, std::string stanza);
    [[nodiscard]] std::vector<session*> receivers(const jid& to);
    void refuse(session& from, const xml::element& stanza, const stanza_fault& why);
    [[nodiscard]] bool well_formed(session& from, const xml::element& stanza);
    void to_account(session& from, const jid& to, xml::element stanza);
    void to_domain(session& from, xml::element stanza);
    void presence(session& from, const xml::element& stanza);
    // Queries to the domain and to the own account (server_queries.cpp).
    bool answer_query(session& from, const xml::element& iq, bool to_domain);
    // XEP-0191 (server_blocking.cpp).
    bool answer_blocking(session& from, const xml::element& iq);
    void change_blocks(session& from, const xml::element& iq, const xml::element& change, bool block);
    [[nodiscard]] bool is_own_host(std::string_view host) const;
    bool answer_disco(session& from, const xml::element& iq, bool to_domain);

    server_options options_;
    sasl_accounts& accounts_;
    xml::document_reader before_login_{limits_before_login};
    xml::document_reader after_login_{limits(true)};
    random_source random_;
    std::map<std::string, std::unique_ptr<session>, std::less<>> sessions_;  // by full JID
    std::unordered_map<std::string, std::vector<session*>> by_bare_;
    std::set<std::pair<time_point, session*>> waiting_;                      // without a connection: until when
    std::vector<std::unique_ptr<session>> ended_;                            // until settle()
    std::vector<stanza_service*> services_;
    block_lists blocked_;
    std::uint64_t pushes_ = 0;
    server_counters counters_;
    time_point now_{};
};

}  // namespace mbusd::xmpp
