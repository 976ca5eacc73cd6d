// All sessions of all gateways: who opened them, their tokens, and when the next one is due.
//
//     auto& record = sessions.add(identity, account, settings, host);
//     sessions.touch(record);                       // its deadline may have changed
//     sessions.settle();                            // end of the turn: deadlines, the dead go
//     for (...) sessions.advance(now);  timer.expires_at(sessions.next_deadline());
//
// A session that is over stays until settle(), since it may be in the middle of a call.
// One thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "mbws/broker_session.hpp"
#include "router/accounts.hpp"
#include "router/peer_identity.hpp"

namespace mbusd {

struct session_record {
    std::uint64_t id = 0;
    std::string token_hash;  // of one that was restored: its token is with its client alone
    std::unique_ptr<mbus::mbws::broker_session> session;
    std::shared_ptr<const peer_identity> who;
    std::shared_ptr<user_account> account;
    mbus::mbws::time_point opened{};
    mbus::mbws::time_point deadline = mbus::mbws::never;  // as it stands in the order of deadlines
    std::vector<std::uint64_t> held_senders;              // wait for room here (policy block)
    std::uint64_t connection = 0;                         // its last one, in connection_registry
    bool touched = false;
};

class session_table {
public:
    session_record& add(std::shared_ptr<const peer_identity> who, std::shared_ptr<user_account> account,
                        const mbus::mbws::session_settings& settings, mbus::mbws::session_host& host,
                        mbus::mbws::time_point now);

    // One that was stored: with its old id and the hash of its token.
    session_record& restore(std::uint64_t id, std::string token_hash, std::shared_ptr<const peer_identity> who,
                            std::shared_ptr<user_account> account, const mbus::mbws::session_settings& settings,
                            mbus::mbws::session_host& host, mbus::mbws::time_point now);

    // Null when there is no such session, or it is over.
    [[nodiscard]] session_record* find(std::uint64_t id) noexcept;

    // The session of a token; compared in constant time. Null when unknown.
    [[nodiscard]] session_record* find_token(std::string_view token) noexcept;

    // Takes it out of the table; it is destroyed by settle().
    void remove(session_record& record);

    // Its deadline may have changed: settle() looks. Cheap, and called for every message.
    void touch(session_record& record) {
        if (record.touched) return;
        record.touched = true;
        touched_.push_back(record.id);
    }
    [[nodiscard]] bool settled() const noexcept { return touched_.empty() && removed_.empty(); }
    void settle();

    // Runs the sessions that are due.
    void advance(mbus::mbws::time_point now);
    [[nodiscard]] mbus::mbws::time_point next_deadline() const noexcept {
        return deadlines_.empty() ? mbus::mbws::never : deadlines_.begin()->first;
    }

    void for_each(const std::function<void(session_record&)>& visit);
    [[nodiscard]] std::size_t size() const noexcept { return sessions_.size(); }

private:
    session_record& insert(std::uint64_t id, std::string token, std::shared_ptr<const peer_identity> who,
                           std::shared_ptr<user_account> account, const mbus::mbws::session_settings& settings,
                           mbus::mbws::session_host& host, mbus::mbws::time_point now);
    void set_deadline(session_record& record, mbus::mbws::time_point when);

    std::unordered_map<std::uint64_t, std::unique_ptr<session_record>> sessions_;
    using deadline_set = std::set<std::pair<mbus::mbws::time_point, std::uint64_t>>;
    deadline_set deadlines_;
    // With every message deadlines come and go: what those that are over stood in, for as many sessions as are busy in
    // a turn.
    static constexpr std::size_t spare_deadlines_max = 64;
    std::vector<deadline_set::node_type> spare_deadlines_;
    std::vector<std::uint64_t> touched_;
    std::vector<std::unique_ptr<session_record>> removed_;
    std::uint64_t last_id_ = 0;
    std::array<session_record*, 4> recent_{};  // asked for again at each message
    std::size_t next_recent_ = 0;
};

// `octets` random octets as URL-safe Base64 without padding, from the kernel.
std::string random_token(std::size_t octets);
// Four random octets from the kernel.
std::uint32_t random_number();
// A random id of 16 lower-case hexadecimal digits (docs/mbws.md, field `broker`).
std::string random_broker_id();

}  // namespace mbusd
