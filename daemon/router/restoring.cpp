// Durable sessions and queues at the start of the daemon (docs/mbws.md, section 3).
#include "router/router.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "router/durability.hpp"

namespace mbusd {
namespace {

using mbus::mbws::attach_mode;
using mbus::mbws::attachment;
using mbus::mbws::entity_state;
using mbus::mbws::never;
using mbus::mbws::time_point;

// A time of the wall clock on the clock that the sessions go by.
time_point on_clock(std::uint64_t wall_ms, const mbus::protocol::instant& at) {
    if (wall_ms == 0) return never;
    const auto ahead = static_cast<std::int64_t>(wall_ms) - static_cast<std::int64_t>(at.wall_ms);
    return at.now + std::chrono::milliseconds{ahead};
}

}  // namespace

void router::use_store(store& kept, journal::commit_function commit) {
    if (!kept.keeps()) {
        refuse_queue_requests(administration_);
        return;
    }
    if (!commit) {
        commit = [&kept](transaction changes, journal::written_function done) { kept.submit(std::move(changes), std::move(done)); };
    }
    durable_ = std::make_unique<durability>(*this, kept, std::move(commit), [this] { work_later(); });
    durable_->blocks.use_legacy_numbers(configuration_.values.bus.compat == "legacy");
    durable_->queues.add_requests(administration_);
    durable_->queues.restore(kept);
    auto sessions = read_durable(kept);
    if (!sessions) {
        warn("durable sessions can't be read", {}, sessions.error().text);
        return;
    }
    std::size_t not_routed = 0;
    for (auto& each : *sessions) {
        not_routed += each.not_routed;
        restore_session(each);
    }
    durable_->queues.restored();
    counters_.not_routed += not_routed;
    if (not_routed != 0) {
        log_.warning("messages that were taken over before the last end, and perhaps not routed", {{"messages", std::to_string(not_routed)}});
    }
    if (!sessions->empty() || durable_->queues.size() != 0) {
        log_.info("restored", {{"sessions", std::to_string(sessions_.size())}, {"queues", std::to_string(durable_->queues.size())}});
    }
    bus_->schedule_flush();
    work_later();
}

std::string_view router::store_problem() const {
    static constexpr std::string_view none = "nothing can be stored: set state.directory in mbusd.toml to a directory of mbusd's user";
    return durable_ == nullptr ? none : std::string_view{durable_->kept.problem()};
}

void router::warn(std::string_view what, std::string_view name, std::string_view reason) {
    log_.warning(what, {{"name", std::string{name}}, {"reason", std::string{reason}}});
}

std::uint32_t router::next_sequence_number(std::uint64_t handle) const {
    return bus_->node().next_sequence_number(mbus::protocol::entity_handle{static_cast<std::uint32_t>(handle)});
}

// Who opened the session, with the rights of today; null when its token was withdrawn since.
std::shared_ptr<const peer_identity> router::identity_of(const session_row& row) const {
    if (!row.client.empty() && clients_ != nullptr) return clients_->find_named(row.client);
    auto out = std::make_shared<peer_identity>();
    out->user.client = row.client;
    out->user.uid = row.uid;
    out->user.name = row.user;
    out->rights = std::make_shared<const granted_rights>(configuration_.values.rights.granted_to(out->user));
    return out;
}

// Sessions whose time was over while the daemon was away end here.
void router::restore_session(kept_session& kept) {
    const auto at = bus_->now();
    const auto expiry_ms = std::uint64_t{kept.row.expiry} * 1000;
    // Connected at the end: its time runs from now.
    const auto ends = kept.row.lost_ms == 0 ? at.wall_ms + expiry_ms : kept.row.lost_ms + expiry_ms;
    auto who = identity_of(kept.row);
    if (ends <= at.wall_ms || who == nullptr) {
        drop_session(durable_->changes.now(), kept.row.id);
        return;
    }
    auto account = accounts_.of(who->user);
    auto& record = sessions_.restore(kept.row.id, kept.row.token_hash, std::move(who), std::move(account), session_settings_, *this, at.now);
    mbus::mbws::stored_session state{.name = kept.row.name, .window = kept.row.window, .size = kept.row.size,
                                     .expiry = kept.row.expiry, .received = kept.row.received,
                                     .last_number = kept.row.acknowledged, .receipts_owed = kept.receipts_owed.size()};
    durable_->sessions.adopt(kept.row.id, kept.row.acknowledged);
    for (auto& each : kept.attaches) state.attaches.push_back(restore_attach(record, each));
    for (auto& each : kept.watches) {
        watchers_.push_back({record.session.get(), each.asked.slot, each.asked.pattern});
        state.watches.push_back(std::move(each.asked));
    }
    for (auto& each : kept.entries) {
        each.entry.expires = on_clock(each.expires_ms, at);
        state.last_number = std::max(state.last_number, each.entry.number);
        restore_holder(state, each.entry);
        state.entries.push_back(std::move(each.entry));
    }
    record.session->restore(std::move(state), on_clock(ends, at), durable_->sessions);
    for (const auto number : kept.receipts_owed) {
        mbus::mbws::route_report report;
        report.failed = true;
        report.code = mbus::errc::internal;
        report.text = "mbusd ended before the outcome was known; the message may have been delivered or not";
        record.session->receipt(number, report);
    }
    touch(*record.session);
}

// A job that the session has not acknowledged is still its own.
void router::restore_holder(const mbus::mbws::stored_session& state, mbus::mbws::outbox_entry& entry) {
    if (entry.job() == 0) return;
    const auto holder = std::ranges::find(state.attaches, entry.slot, [](const attachment& each) { return each.asked.slot; });
    const bool held = holder != state.attaches.end() && holder->handle != 0 &&
                      durable_->queues.restore_holder(holder->asked.queue, holder->handle, entry.job());
    if (!held) entry.set_job(0);  // its number may be another job's by and by
}

attachment router::restore_attach(session_record& record, attach_row& kept) {
    attachment out;
    out.asked = std::move(kept.asked);
    out.entity = std::move(kept.entity);
    out.active = kept.active;
    if (out.asked.mode == attach_mode::queue) {
        auto reader = durable_->queues.restore_reader(record, out.asked, out.active);
        if (reader) out.handle = *reader;
        else out.active = false;
    } else if (!out.active) {
        return out;
    } else if (out.asked.mode == attach_mode::monitor) {
        auto again = attach_monitor(record, out.asked);
        if (again) out.handle = again->handle;
        else out.active = false;
    } else {
        auto request = out.asked;
        request.entity = out.entity;
        auto again = host_entity(record, request, kept.sequence);
        if (!again) {
            out.active = false;
            warn("an entity of a durable session can't come back", out.entity.text(), again.error().text);
            return out;
        }
        out.handle = again->handle;
        const auto bound = durable_->sessions.reserve(record.id, out.asked.slot, out.handle, kept.sequence);
        put_attach_sequence(durable_->changes.now(), record.id, out.asked.slot, bound);
    }
    return out;
}

}  // namespace mbusd
