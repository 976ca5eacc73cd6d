#include "gateways/capability/capability_authority.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "store/grant_rows.hpp"
#include "store/store.hpp"

namespace mbusd {
namespace {

using mbus::errc;

constexpr std::string_view cap_path = "/cap/";

stored_grant row_of(const capability& grant) {
    return {.token_hash = grant.hash, .session = grant.stored, .entity = grant.entity, .commands = grant.commands,
            .expires_ms = grant.expires_ms, .uses_left = grant.uses_left, .created_ms = grant.created_ms,
            .last_used_ms = grant.last_used_ms};
}

// The shorter of what was asked and what is allowed; 0 is no limit.
std::uint64_t granted_seconds(std::uint64_t asked, std::uint64_t most) noexcept {
    if (asked == 0) return most;
    return most == 0 ? asked : std::min(asked, most);
}

}  // namespace

capability_authority::capability_authority(authority_options options, store* kept, logger& log)
    : options_(std::move(options)), store_(kept), log_(log) {}

void capability_authority::load() {
    if (store_ == nullptr) return;
    const auto now = options_.wall_ms();
    transaction over;
    const auto read = load_grants(*store_, [&](stored_grant&& row) {
        if ((row.expires_ms != 0 && row.expires_ms <= now) || row.uses_left == 0U) {
            drop_grant(over, row.token_hash);
            return;
        }
        grants_.add({.hash = std::move(row.token_hash), .session = 0, .stored = row.session, .handle = 0, .request = 0,
                     .entity = std::move(row.entity), .commands = std::move(row.commands), .expires_ms = row.expires_ms,
                     .uses_left = row.uses_left, .created_ms = row.created_ms, .last_used_ms = row.last_used_ms, .rate = {}});
    });
    if (!read) log_.error("the capability URLs of durable sessions are lost", {{"reason", read.error().text}});
    if (!over.empty()) write(std::move(over));
}

mbus::result<mbus::mbws::granted> capability_authority::grant(mbus::mbws::time_point, session_record& session,
                                                              const mbus::mbws::grant_request& request) {
    if (request.entity == nullptr) return {errc::no_entity, "attach an entity first: a capability URL is for one"};
    const auto& limits = options_.configuration().capability;
    adopt(session);
    for (auto* before : grants_.those([&](const capability& each) { return each.session == session.id && each.request == request.request; })) {
        withdraw(*before);
    }
    const auto held = grants_.those([&](const capability& each) { return each.session == session.id; }).size();
    if (held >= limits.per_session) {
        return {errc::limit, fmt::format("this session has {} capability URLs, as many as capability.per_session allows; revoke one", held)};
    }
    const auto seconds = granted_seconds(request.expiry, limits.expiry_seconds_max);
    const auto now = options_.wall_ms();
    const auto token = random_token(grant_token_octets);
    auto& made = grants_.add({.hash = grant_hash(token), .session = session.id, .stored = options_.stored_number(session),
                              .handle = request.entity->handle, .request = request.request,
                              .entity = std::string{request.entity->entity.text()}, .commands = std::string{request.commands},
                              .expires_ms = seconds == 0 ? 0 : now + seconds * 1000, .uses_left = {}, .created_ms = now,
                              .last_used_ms = 0, .rate = {}});
    if (request.uses != 0) made.uses_left = request.uses;
    if (made.stored != 0) {
        transaction changes;
        put_grant(changes, row_of(made));
        write(std::move(changes));
    }
    log_.info("capability URL granted", {{"id", grant_id(made.hash)}, {"entity", made.entity}, {"user", session.who->user.identity()}});
    return mbus::mbws::granted{options_.base_url() + std::string{cap_path} + token,
                               static_cast<std::uint32_t>(std::min<std::uint64_t>(seconds, UINT32_MAX)), request.uses};
}

mbus::result<void> capability_authority::revoke(session_record& session, std::string_view url) {
    const auto slash = url.rfind('/');
    adopt(session);
    auto* grant = find(slash == std::string_view::npos ? url : url.substr(slash + 1));
    if (grant == nullptr || grant->session != session.id) {
        return {errc::not_found, "this session has no such URL; it may have expired or been used up"};
    }
    withdraw(*grant);
    return {};
}

void capability_authority::detached(session_record& session, std::uint64_t handle) {
    adopt(session);
    for (auto* grant : grants_.those([&](const capability& each) { return each.session == session.id && each.handle == handle; })) {
        withdraw(*grant);
    }
}

void capability_authority::ended(session_record& session) {
    if (stopping_) return;
    adopt(session);
    for (auto* grant : grants_.those([&](const capability& each) { return each.session == session.id; })) withdraw(*grant);
}

// Stored grants of a session that came back after a restart are its own again: its entities have the
// full addresses that they had.
void capability_authority::adopt(const session_record& session) {
    const auto orphans = grants_.those([](const capability& each) { return each.session == 0; });
    if (orphans.empty()) return;
    session.session->for_each_attachment([&](const mbus::mbws::attachment& each) {
        for (auto* grant : orphans) {
            if (grant->session != 0 || grant->entity != each.entity.text()) continue;
            grant->session = session.id;
            grant->handle = each.handle;
        }
    });
}

void capability_authority::used(capability& grant, std::function<void()> done) {
    grant.last_used_ms = options_.wall_ms();
    if (grant.uses_left && *grant.uses_left > 0) --*grant.uses_left;
    const bool last = grant.uses_left == 0U;
    // What is not counted need not be written: a crash forgets a time stamp, nothing else.
    const bool counted = grant.uses_left.has_value() && grant.stored != 0 && store_ != nullptr;
    if (counted) {
        transaction changes;
        if (last) drop_grant(changes, grant.hash);
        else use_grant(changes, grant.hash, grant.last_used_ms);
        store_->submit(std::move(changes), [after = std::move(done), this](const mbus::result<void>& written) {
            if (!written) log_.limited(level::error, "grant-use", "a use of a capability URL is not stored", {{"reason", written.error().text}});
            after();
        });
    }
    if (last) grants_.drop(std::string{grant.hash});
    if (!counted) done();
}

void capability_authority::withdraw(capability& grant) {
    if (grant.stored != 0) {
        transaction changes;
        drop_grant(changes, grant.hash);
        write(std::move(changes));
    }
    log_.debug("capability URL withdrawn", {{"id", grant_id(grant.hash)}, {"entity", grant.entity}});
    grants_.drop(std::string{grant.hash});
}

void capability_authority::sweep(const std::function<bool(std::string_view)>& hosted) {
    const auto now = options_.wall_ms();
    for (auto* grant : grants_.those([&](const capability& each) { return each.expires_ms != 0 && each.expires_ms <= now; })) withdraw(*grant);
    for (auto* grant : grants_.those([](const capability& each) { return each.session == 0; })) {
        if (!hosted(grant->entity)) withdraw(*grant);
    }
}

void capability_authority::for_each(const std::function<void(const capability&)>& visit) {
    for (const auto* grant : grants_.those([](const capability&) { return true; })) visit(*grant);
}

bool capability_authority::withdraw_id(std::string_view id) {
    const auto named = grants_.those([&](const capability& each) { return grant_id(each.hash) == id; });
    for (auto* grant : named) withdraw(*grant);
    return !named.empty();
}

void capability_authority::write(transaction changes) {
    if (store_ == nullptr) return;
    store_->submit(std::move(changes), [this](const mbus::result<void>& written) {
        if (!written) log_.limited(level::error, "grants", "capability URLs are not stored", {{"reason", written.error().text}});
    });
}

}  // namespace mbusd
