// The capability URLs that are valid, found by their secret part.
//
//     grant_table grants;
//     auto& made = grants.add({.hash = grant_hash(token), ...});
//     if (auto* grant = grants.find(token, now_ms)) ...      // the same work, whatever the token
//
// Only BLAKE2b-256 hashes are held, so nobody can read a URL out of this process or its store. What has
// expired, was used up or withdrawn is not here any more, like what never was. One thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <mbus/address.hpp>

#include "mbws/time.hpp"

namespace mbusd {

// 256 random bits: 43 URL-safe characters.
inline constexpr std::size_t grant_token_octets = 32;
inline constexpr std::size_t grant_token_characters = 43;

[[nodiscard]] std::string grant_hash(std::string_view token);  // 32 octets
// What people call a grant: the first digits of its hash, which nobody can go back from.
[[nodiscard]] std::string grant_id(std::string_view hash);     // "9f86d081884c"

// How many may come: `rate` a second, as many at once.
class request_rate {
public:
    // Nothing: go on. Else how long to wait.
    std::optional<std::chrono::seconds> take(mbus::mbws::time_point now, std::uint64_t rate);

private:
    double left_ = 0;
    mbus::mbws::time_point since_{};
    bool begun_ = false;
};

struct capability {
    std::string hash;
    std::uint64_t session = 0;  // session_record::id
    bool stored = false;        // of a durable session: in the store, too
    std::uint64_t handle = 0;   // attachment::handle of the entity
    std::uint32_t request = 0;  // of the frame that asked for it
    std::string entity{};       // full address
    std::string commands{};     // globs; empty: all
    std::uint64_t expires_ms = 0;  // since 1970; 0: with its session
    std::optional<std::uint64_t> uses_left{};  // none: not counted
    std::uint64_t uses_under_way = 0;          // taken, and not yet known whether the message was queued
    std::uint64_t created_ms = 0;
    std::uint64_t last_used_ms = 0;
    request_rate rate{};
};

class grant_table {
public:
    capability& add(capability made);
    // Null for all that is not valid.
    capability* find(std::string_view token, std::uint64_t now_ms);
    capability* by_hash(const std::string& hash) {
        const auto found = grants_.find(hash);
        return found == grants_.end() ? nullptr : found->second.get();
    }
    void drop(std::string_view hash) { grants_.erase(std::string{hash}); }

    // Those that `chosen` says true of, in no order; the table may be changed meanwhile.
    template <class Predicate>
    [[nodiscard]] std::vector<capability*> those(Predicate chosen) {
        std::vector<capability*> out;
        for (auto& [hash, grant] : grants_) {
            if (chosen(*grant)) out.push_back(grant.get());
        }
        return out;
    }
    [[nodiscard]] std::size_t size() const noexcept { return grants_.size(); }

private:
    std::unordered_map<std::string, std::unique_ptr<capability>> grants_;
    capability nobody_{.hash = std::string(grant_token_octets, '\0')};
};

}  // namespace mbusd
