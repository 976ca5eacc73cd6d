#include "router/durable_sessions.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "config/client_token.hpp"
#include "router/router.hpp"

namespace mbusd {

using mbus::mbws::attachment;
using mbus::mbws::broker_session;
using mbus::mbws::outbox_entry;
using mbus::mbws::watch_request;

void durable_sessions::opened(broker_session& session) {
    auto* record = hub_.find_session(session.id());
    if (record == nullptr) return;
    if (record->token_hash.empty()) record->token_hash = hash_token(session.token());
    const auto& user = record->who->user;
    put_session(changes_.now(), {.id = session.id(), .token_hash = record->token_hash, .uid = user.uid, .user = user.name,
                                 .client = user.client, .name = session.name(), .window = session.window(),
                                 .size = session.size(), .expiry = session.expiry(), .received = session.received(),
                                 .acknowledged = acknowledged_[session.id()], .lost_ms = 0});
}

void durable_sessions::ended(const broker_session& session) {
    drop_session(changes_.now(), session.id());
    acknowledged_.erase(session.id());
    session.for_each_attachment([this](const attachment& each) {
        if (each.asked.mode == mbus::mbws::attach_mode::entity) blocks_.release(mbus::protocol::entity_handle{static_cast<std::uint32_t>(each.handle)});
    });
}

void durable_sessions::disconnected(broker_session& session) { put_session_lost(changes_.now(), session.id(), hub_.wall_ms()); }

std::uint32_t durable_sessions::reserve(std::uint64_t session, std::uint32_t slot, std::uint64_t handle, std::uint32_t first) {
    return blocks_.reserve(mbus::protocol::entity_handle{static_cast<std::uint32_t>(handle)}, first,
                           [session, slot](transaction& to, std::uint32_t bound) { put_attach_sequence(to, session, slot, bound); });
}

void durable_sessions::attached(broker_session& session, const attachment& what) {
    attach_row row{.session = session.id(), .asked = what.asked, .entity = what.entity};
    if (what.asked.mode == mbus::mbws::attach_mode::entity) {
        row.sequence = reserve(session.id(), what.asked.slot, what.handle, hub_.next_sequence_number(what.handle));
    }
    put_attach(changes_.now(), row);
}

void durable_sessions::detached(broker_session& session, const attachment& what) {
    end_attach(changes_.now(), session.id(), what.asked.slot);
    if (what.asked.mode == mbus::mbws::attach_mode::entity) {
        blocks_.release(mbus::protocol::entity_handle{static_cast<std::uint32_t>(what.handle)});
    }
}

void durable_sessions::watched(broker_session& session, const watch_request& what) { put_watch(changes_.now(), session.id(), what); }

void durable_sessions::unwatched(broker_session& session, const watch_request& what) {
    drop_watch(changes_.now(), session.id(), what.slot);
}

void durable_sessions::received(broker_session& session, std::uint64_t number, bool done) {
    put_received(changes_.now(), session.id(), number);
    if (!done) return;
    changes_.after([this, id = session.id(), number] {
        auto* record = hub_.find_session(id);
        if (record == nullptr) return;
        record->session->take_over(hub_.now(), number);
        hub_.touch(*record->session);
    });
}

void durable_sessions::settled(broker_session& session, std::uint64_t about) { routed(session.id(), about); }

void durable_sessions::queued(broker_session& session, const outbox_entry& entry) {
    const auto left = entry.expires == mbus::mbws::never ? std::chrono::milliseconds{}
                                                         : std::chrono::duration_cast<std::chrono::milliseconds>(entry.expires - hub_.now());
    const auto expires = entry.expires == mbus::mbws::never
                             ? 0
                             : hub_.wall_ms() + static_cast<std::uint64_t>(std::max<std::int64_t>(1, left.count()));
    put_entry(changes_.now(), session.id(), entry, expires);
    changes_.after([this, id = session.id(), number = entry.number] {
        auto* record = hub_.find_session(id);
        if (record == nullptr) return;
        record->session->stored(number);
        hub_.touch(*record->session);
    });
}

void durable_sessions::acknowledged(broker_session& session, std::uint64_t number) {
    auto& known = acknowledged_[session.id()];
    known = std::max(known, number);
    put_acknowledged(changes_.now(), session.id(), known);
}

void durable_sessions::confirm(broker_session& session, std::uint64_t position) {
    changes_.after([this, id = session.id(), position] {
        auto* record = hub_.find_session(id);
        if (record == nullptr) return;
        record->session->confirmed(position);
        hub_.touch(*record->session);
    });
}

mbus::result<std::vector<kept_session>> read_durable(store& from) {
    std::vector<kept_session> out;
    std::unordered_map<std::uint64_t, std::size_t> places;
    auto read = load_sessions(from, [&](session_row&& row) {
        places.emplace(row.id, out.size());
        out.push_back({.row = std::move(row)});
    });
    const auto of = [&](std::uint64_t id) -> kept_session* {
        const auto found = places.find(id);
        return found == places.end() ? nullptr : &out[found->second];
    };
    if (read) read = load_attaches(from, [&](attach_row&& row) {
        if (auto* to = of(row.session)) to->attaches.push_back(std::move(row));
    });
    if (read) read = load_watches(from, [&](watch_row&& row) {
        if (auto* to = of(row.session)) to->watches.push_back(std::move(row));
    });
    if (read) read = load_entries(from, [&](entry_row&& row) {
        if (auto* to = of(row.session)) to->entries.push_back(std::move(row));
    });
    if (read) read = load_owed(from, [&](std::uint64_t session, std::uint64_t number, bool receipt) {
        auto* to = of(session);
        if (to == nullptr) return;
        ++to->not_routed;
        if (receipt) to->receipts_owed.push_back(number);
    });
    if (!read) return read.error();
    return out;
}

}  // namespace mbusd
