// What each user and each client with a token has in use, so that one can't exhaust the daemon.
//
//     auto account = accounts.of(who.user);
//     if (auto no = account.refuses_session(limits)) return {errc::limit, *no};
//
// One thread. An account lives while something refers to it (shared_ptr).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "config/settings.hpp"
#include "mbws/time.hpp"

namespace mbusd {

struct user_account {
    std::string name;
    std::size_t sessions = 0;
    std::size_t entities = 0;
    // Never below what waits for the user's sessions: grows with each message, and is measured anew
    // when it reaches the limit, once per turn at most.
    std::size_t queued_octets = 0;
    mbus::mbws::time_point measured{};
    std::uint64_t dropped = 0;  // messages over the limit

    // Nothing, or the sentence for the client.
    [[nodiscard]] std::optional<std::string> refuses_session(const settings::limit_settings& limits) const;
    [[nodiscard]] std::optional<std::string> refuses_entity(const settings::limit_settings& limits) const;
};

class user_accounts {
public:
    std::shared_ptr<user_account> of(const user_identity& who);

private:
    std::unordered_map<std::string, std::weak_ptr<user_account>> accounts_;  // by identity()
};

}  // namespace mbusd
