// Makes, keeps and withdraws capability URLs (docs/capabilities.md): the router's grant_authority.
//
//     capability_authority authority{{.settings = ..., .base_url = ...}, &store, log};
//     authority.load();                         // those of durable sessions, from the store
//     hub.use_grants(&authority);
//     if (auto* grant = authority.find(token)) { ...; authority.used(*grant, done); }
//
// A grant ends with its session, with the attach of its entity, by revoke, by its expiry or its last
// use. Those of durable sessions stand in the store, the secret part as a hash only. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "config/settings.hpp"
#include "gateways/capability/grant_table.hpp"
#include "router/grant_authority.hpp"
#include "runtime/log.hpp"

namespace mbusd {

class store;
class transaction;

struct authority_options {
    // As they are now: a reload changes them.
    std::function<const settings&()> configuration;
    // "https://host:8407/prefix", without a '/' at its end: where others reach this daemon.
    std::function<std::string()> base_url;
    // Milliseconds since 1970.
    std::function<std::uint64_t()> wall_ms;
    // The number of a durable session in the store; 0: it is not kept.
    std::function<std::uint64_t(const session_record&)> stored_number;
};

class capability_authority final : public grant_authority {
public:
    capability_authority(authority_options options, store* kept, logger& log);

    // Before the store starts.
    void load();
    // The daemon stops: sessions end now, but the stored grants of durable ones stay.
    void stopping() noexcept { stopping_ = true; }
    // Takes out what has expired. `hosted(address)` tells whether an entity is here: a stored grant whose
    // session did not come back after the restart goes too.
    void sweep(const std::function<bool(std::string_view)>& hosted);

    // --- for requests over HTTP -----------------------------------------------------------

    // Null for a token that is unknown, expired, used up or revoked: the same work for all.
    capability* find(std::string_view token) { return grants_.find(token, options_.wall_ms()); }
    // Null when it has gone meanwhile.
    capability* by_hash(const std::string& hash) { return grants_.by_hash(hash); }
    // One use less. `done` is called when the store, where it is kept there, has it; the grant may be
    // gone then.
    void used(capability& grant, std::function<void()> done);

    // --- for administrators ---------------------------------------------------------------

    void for_each(const std::function<void(const capability&)>& visit);
    // By grant_id(). False: there is none.
    bool withdraw_id(std::string_view id);
    [[nodiscard]] std::size_t size() const noexcept { return grants_.size(); }

    // --- grant_authority ------------------------------------------------------------------

    mbus::result<mbus::mbws::granted> grant(mbus::mbws::time_point now, session_record& session,
                                            const mbus::mbws::grant_request& request) override;
    mbus::result<void> revoke(session_record& session, std::string_view url) override;
    void detached(session_record& session, std::uint64_t handle) override;
    void ended(session_record& session) override;

private:
    void withdraw(capability& grant);
    void adopt(const session_record& session);
    void write(transaction changes);

    authority_options options_;
    store* store_;
    logger& log_;
    grant_table grants_;
    bool stopping_ = false;
};

}  // namespace mbusd
