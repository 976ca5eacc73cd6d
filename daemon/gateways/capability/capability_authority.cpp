#include "gateways/capability/capability_authority.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "store/grant_rows.hpp"
#include "store/store.hpp"

namespace mbusd {
namespace {

using mbus::errc;

constexpr std::string_view cap_path = "/cap/";

stored_grant row_of(const capability& grant) {
    return {.token_hash = grant.hash, .session = grant.session, .request = grant.request, .entity = grant.entity,
            .commands = grant.commands, .expires_ms = grant.expires_ms, .uses_left = grant.uses_left, .created_ms = grant.created_ms,
            .last_used_ms = grant.last_used_ms};
}

// The shorter of what was asked and what is allowed; 0 is no limit.
std::uint64_t granted_seconds(std::uint64_t asked, std::uint64_t most) noexcept {
    if (asked == 0) return most;
    return most == 0 ? asked : std::min(asked, most);
}

// Of the entity with this full address; nothing when the session has none, or there is no session.
std::optional<std::uint64_t> handle_of(const session_record* session, std::string_view entity) {
    std::optional<std::uint64_t> out;
    if (session == nullptr) return out;
    session->session->for_each_attachment([&](const mbus::mbws::attachment& each) {
        if (each.asked.mode == mbus::mbws::attach_mode::entity && each.entity.text() == entity) out = each.handle;
    });
    return out;
}

}  // namespace

void capability_authority::load(store& kept, const std::function<session_record*(std::uint64_t)>& find_session) {
    const auto now = options_.wall_ms();
    transaction over;
    const auto read = load_grants(kept, [&](stored_grant&& row) {
        const auto handle = handle_of(find_session(row.session), row.entity);
        if (!handle || (row.expires_ms != 0 && row.expires_ms <= now) || row.uses_left == 0U) {
            drop_grant(over, row.token_hash);
            return;
        }
        grants_.add({.hash = std::move(row.token_hash), .session = row.session, .stored = true, .handle = *handle,
                     .request = row.request, .entity = std::move(row.entity), .commands = std::move(row.commands),
                     .expires_ms = row.expires_ms, .uses_left = row.uses_left, .created_ms = row.created_ms,
                     .last_used_ms = row.last_used_ms, .rate = {}});
    });
    if (!read) log_.error("the capability URLs of durable sessions are lost", {{"reason", read.error().text}});
    if (!over.empty()) {
        kept.submit(std::move(over), [this](const mbus::result<void>& written) {
            if (!written) log_.error("capability URLs that are over stay in the store", {{"reason", written.error().text}});
        });
    }
}

mbus::result<mbus::mbws::granted> capability_authority::grant(mbus::mbws::time_point, session_record& session,
                                                              const mbus::mbws::grant_request& request) {
    if (request.entity == nullptr) return {errc::no_entity, "attach an entity first: a capability URL is for one"};
    const auto& limits = options_.configuration().capability;
    withdraw_those([&](const capability& each) { return each.session == session.id && each.request == request.request; });
    const auto held = grants_.those([&](const capability& each) { return each.session == session.id; }).size();
    if (held >= limits.per_session) {
        return {errc::limit, fmt::format("this session has {} capability URLs, as many as capability.per_session allows; revoke one", held)};
    }
    const auto seconds = granted_seconds(request.expiry, limits.expiry_seconds_max);
    const auto now = options_.wall_ms();
    const auto token = random_token(grant_token_octets);
    auto* durable = options_.journal_of(session.id);
    auto& made = grants_.add({.hash = grant_hash(token), .session = session.id, .stored = durable != nullptr,
                              .handle = request.entity->handle, .request = request.request,
                              .entity = std::string{request.entity->entity.text()}, .commands = std::string{request.commands},
                              .expires_ms = seconds == 0 ? 0 : now + seconds * 1000, .uses_left = {}, .created_ms = now,
                              .last_used_ms = 0, .rate = {}});
    if (request.uses != 0) made.uses_left = request.uses;
    if (durable != nullptr) put_grant(durable->now(), row_of(made));
    log_.info("capability URL granted", {{"id", grant_id(made.hash)}, {"entity", made.entity}, {"user", session.who->user.identity()}});
    return mbus::mbws::granted{options_.base_url() + std::string{cap_path} + token,
                               static_cast<std::uint32_t>(std::min<std::uint64_t>(seconds, UINT32_MAX)), request.uses};
}

mbus::result<void> capability_authority::revoke(session_record& session, std::string_view url) {
    const auto slash = url.rfind('/');
    auto* grant = find(slash == std::string_view::npos ? url : url.substr(slash + 1));
    if (grant == nullptr || grant->session != session.id) {
        return {errc::not_found, "this session has no such URL; it may have expired or been used up"};
    }
    withdraw(*grant);
    return {};
}

void capability_authority::detached(session_record& session, std::uint64_t handle) {
    if (stopping_) return;
    withdraw_those([&](const capability& each) { return each.session == session.id && each.handle == handle; });
}

void capability_authority::ended(session_record& session) {
    if (stopping_) return;
    withdraw_those([&](const capability& each) { return each.session == session.id; });
}

std::optional<std::uint64_t> capability_authority::take_use(capability& grant) {
    grant.last_used_ms = options_.wall_ms();
    if (!grant.uses_left) return std::nullopt;  // a crash forgets a time stamp, nothing else
    --*grant.uses_left;
    ++grant.uses_under_way;
    auto* durable = grant.stored ? options_.journal_of(grant.session) : nullptr;
    if (durable != nullptr && *grant.uses_left == 0) drop_grant(durable->now(), grant.hash);
    else if (durable != nullptr) use_grant(durable->now(), grant.hash, grant.last_used_ms);
    return grant.uses_left;
}

void capability_authority::give_use_back(const std::string& hash) {
    auto* grant = grants_.by_hash(hash);
    if (grant == nullptr || !grant->uses_left) return;
    ++*grant->uses_left;
    --grant->uses_under_way;
    if (auto* durable = grant->stored ? options_.journal_of(grant->session) : nullptr) put_grant(durable->now(), row_of(*grant));
}

void capability_authority::use_done(const std::string& hash) {
    auto* grant = grants_.by_hash(hash);
    if (grant == nullptr || !grant->uses_left) return;
    --grant->uses_under_way;
    if (grant->uses_under_way == 0 && *grant->uses_left == 0) grants_.drop(hash);
}

void capability_authority::withdraw(capability& grant) {
    if (auto* durable = grant.stored ? options_.journal_of(grant.session) : nullptr) drop_grant(durable->now(), grant.hash);
    log_.debug("capability URL withdrawn", {{"id", grant_id(grant.hash)}, {"entity", grant.entity}});
    grants_.drop(std::string{grant.hash});
}

void capability_authority::withdraw_those(const std::function<bool(const capability&)>& chosen) {
    for (auto* grant : grants_.those(chosen)) withdraw(*grant);
}

void capability_authority::sweep() {
    const auto now = options_.wall_ms();
    withdraw_those([&](const capability& each) { return each.expires_ms != 0 && each.expires_ms <= now; });
}

void capability_authority::for_each(const std::function<void(const capability&)>& visit) {
    for (const auto* grant : grants_.those([](const capability&) { return true; })) visit(*grant);
}

bool capability_authority::withdraw_id(std::string_view id) {
    const auto named = grants_.those([&](const capability& each) { return grant_id(each.hash) == id; });
    for (auto* grant : named) withdraw(*grant);
    return !named.empty();
}

}  // namespace mbusd
