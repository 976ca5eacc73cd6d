// The table `grants`: capability URLs of durable sessions. The part of a URL that is secret is stored
// as a hash only.
//
//     put_grant(changes, grant);
//     use_grant(changes, grant.token_hash, now_ms);     // one use less, if they are counted
//     load_grants(kept, [&](stored_grant&& one) { ... });
//
// Thread-safety: plain values; load_grants() like store::load().
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "store/store.hpp"

namespace mbusd {

struct stored_grant {
    std::string token_hash;                   // BLAKE2b-256, 32 octets
    std::uint64_t session = 0;                // number of the durable session in the store
    std::uint32_t request = 0;                // of the frame that asked for it
    std::string entity;                       // full address
    std::string commands;                     // globs, comma-separated; empty: any
    std::uint64_t expires_ms = 0;             // since 1970; 0: with its session
    std::optional<std::uint64_t> uses_left;   // none: not counted
    std::uint64_t created_ms = 0;
    std::uint64_t last_used_ms = 0;           // 0: never

    bool operator==(const stored_grant&) const = default;
};

void put_grant(transaction& to, const stored_grant& grant);
void use_grant(transaction& to, std::string_view token_hash, std::uint64_t now_ms);
void drop_grant(transaction& to, std::string_view token_hash);
void drop_grants_of(transaction& to, std::uint64_t session);
mbus::result<void> load_grants(store& from, const std::function<void(stored_grant&&)>& visit);

}  // namespace mbusd
