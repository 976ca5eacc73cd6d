// Makes, keeps and withdraws capability URLs (docs/capabilities.md): the router's grant_authority.
//
//     capability_authority authority{{.configuration = ..., .base_url = ...}, log};
//     hub.use_grants(authority);
//     authority.load(store, find_session);      // those of durable sessions, when these are restored
//     if (auto* grant = authority.find(token)) authority.take_use(*grant);
//
// A grant ends with its session, with the attach of its entity, by revoke, by its expiry or its last
// use. Those of durable sessions stand in the store, the secret part as a hash only. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "config/settings.hpp"
#include "gateways/capability/grant_table.hpp"
#include "router/grant_authority.hpp"
#include "router/journal.hpp"
#include "runtime/log.hpp"

namespace mbusd {

class store;

struct authority_options {
    // As they are now: a reload changes them.
    std::function<const settings&()> configuration;
    // "https://host:8407/prefix", without a '/' at its end: where others reach this daemon.
    std::function<std::string()> base_url;
    // Milliseconds since 1970.
    std::function<std::uint64_t()> wall_ms;
    // router::journal_of(): null for a session that is not durable.
    std::function<journal*(std::uint64_t session)> journal_of;
};

class capability_authority final : public grant_authority {
public:
    capability_authority(authority_options options, logger& log) : options_(std::move(options)), log_(log) {}

    // After the durable sessions are restored, and before the store starts. A grant whose session or
    // entity did not come back is dropped.
    void load(store& kept, const std::function<session_record*(std::uint64_t)>& find_session);
    // The daemon stops: sessions end now, but the stored grants of durable ones stay.
    void stopping() noexcept { stopping_ = true; }
    // Takes out what has expired.
    void sweep();

    // --- for requests over HTTP -----------------------------------------------------------

    // Null for a token that is unknown, expired, used up or revoked: the same work for all.
    capability* find(std::string_view token) { return grants_.find(token, options_.wall_ms()); }
    // One use less, before the message is sent: what is sent at the same time must not use it as well. Of a
    // durable session it is written together with the message. How many are left.
    std::optional<std::uint64_t> take_use(capability& grant);
    // The message was not queued, so this was no use; or it was, and the last one ends the grant. Nothing
    // happens when the grant has gone meanwhile.
    void give_use_back(const std::string& hash);
    void use_done(const std::string& hash);

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
    void withdraw_those(const std::function<bool(const capability&)>& chosen);

    authority_options options_;
    logger& log_;
    grant_table grants_;
    bool stopping_ = false;
};

}  // namespace mbusd
