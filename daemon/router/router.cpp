// Sessions, attaches and watches; messages are in routing.cpp.
#include "router/router.hpp"

#include <algorithm>
#include <utility>

#include <unistd.h>

#include <fmt/format.h>

#include "router/durability.hpp"
#include "runtime/memory.hpp"

namespace mbusd {
namespace {

using mbus::errc;
using mbus::mbws::entity_state;
using mbus::mbws::time_point;
using mbus::protocol::entity_handle;
using mbus::protocol::peer_state;

// Handles of monitors; those of entities have 32 bits.
constexpr std::uint64_t monitor_handles = std::uint64_t{1} << 32;

mbus::mbws::session_settings settings_of(const settings& from, std::string broker) {
    mbus::mbws::session_settings out;
    out.expiry_max = static_cast<std::uint32_t>(from.limits.expiry_seconds);
    out.frame_octets_max = static_cast<std::uint32_t>(from.limits.frame_octets);
    out.queue_octets_max = from.limits.queue_octets;
    out.queue_messages_max = from.limits.queue_messages;
    out.attaches_max = from.limits.entities_per_session;
    out.watches_max = from.limits.watches_per_session;
    out.broker = std::move(broker);
    return out;
}

entity_state state_of(peer_state state) noexcept {
    switch (state) {
    case peer_state::present: return entity_state::present;
    case peer_state::joined: return entity_state::joined;
    case peer_state::left: return entity_state::left;
    case peer_state::lost: break;
    }
    return entity_state::lost;
}

}  // namespace

router::router(const config_reading& configuration, std::string broker_id, turn_queue& turns, logger& log)
    : configuration_(configuration),
      session_settings_(settings_of(configuration.values, std::move(broker_id))),
      turns_(turns),
      log_(log),
      routes_([this](entity_handle handle) { return find_entity(handle); }),
      administration_(*this) {}

router::~router() = default;

void router::start(bus& bus) {
    bus_ = &bus;
    const auto at = bus.now();
    administration_.started(at.now);
    auto wanted = mbus::address::parse("(app:mbusd module:mbusd broker:" + session_settings_.broker + ')');
    auto handle = bus.node().attach(at, *wanted, static_cast<std::uint32_t>(::getpid()));
    if (!handle) throw std::runtime_error("mbusd can't join its own bus: " + handle.error().text);
    own_.handle = *handle;
    own_.address = *bus.node().address_of(*handle);
    own_.since = at.now;
    bus.schedule_flush();
}

void router::apply(const config_reading& configuration) {
    configuration_ = configuration;
    session_settings_ = settings_of(configuration.values, session_settings_.broker);
}

void router::shut_down() {
    stopping_ = true;
    const auto at = bus_->now();
    sessions_.for_each([&](session_record& record) {
        constexpr std::string_view text = "mbusd is stopping; connect again when it is back";
        if (record.session->durable()) record.session->suspend(errc::shutting_down, text);
        else record.session->end(at.now, errc::shutting_down, text);
    });
    bus_->node().detach_all(at);
    bus_->schedule_flush();
    work_later();
}

void router::touch(mbus::mbws::broker_session& session) {
    auto* record = sessions_.find(session.id());
    if (record == nullptr) return;
    sessions_.touch(*record);
    work_later();
}

time_point router::next_deadline() const noexcept {
    auto out = sessions_.next_deadline();
    if (durable_ == nullptr) return out;
    out = std::min(out, durable_->changes.next_deadline());
    if (const auto expiry = durable_->queues.next_expiry(); expiry != 0) {
        const auto at = bus_->now();
        const auto ahead = static_cast<std::int64_t>(expiry) - static_cast<std::int64_t>(at.wall_ms);
        out = std::min(out, at.now + std::chrono::milliseconds{ahead});
    }
    return out;
}

void router::advance(time_point now) {
    if (durable_ != nullptr) {
        durable_->changes.advance(now);
        durable_->queues.advance(bus_->now().wall_ms);
    }
    sessions_.advance(now);
    work_later();
}

void router::work_later() { turns_.add(*this); }

void router::end_of_turn() {
    hand_over();
    send_refusals();
    detach_withdrawn();
    inbound_forms_.reset();
    inbound_.reset();
    gone_entities_.clear();
    gone_monitors_.clear();
    sessions_.settle();
    store_turn();
    if (std::exchange(trim_heap_, false)) {
        preparer_.trim();
        give_back_free_heap();
    }
    if (deadline_hook_) deadline_hook_();
}

// What this turn has changed goes to the store.
void router::store_turn() {
    if (durable_ == nullptr) return;
    const bool stalled = !store_problem().empty();
    if (durable_->stalled && !stalled) durable_->readers_back = true;
    durable_->stalled = stalled;
    if (!stalled && std::exchange(durable_->readers_back, false)) durable_->queues.connected();
    durable_->blocks.look(bus_->now().now, bus_->node(), durable_->changes);
    if (stopping_) durable_->changes.finish();
    else durable_->changes.flush();
}

queue_table* router::queues() noexcept { return durable_ == nullptr ? nullptr : &durable_->queues; }

journal* router::journal_of(std::uint64_t session) noexcept {
    const auto* record = durable_ == nullptr ? nullptr : sessions_.find(session);
    return record != nullptr && record->session->durable() ? &durable_->changes : nullptr;
}

void router::settle_job(time_point, mbus::mbws::broker_session&, const mbus::mbws::attachment& queue, std::uint64_t job,
                        mbus::mbws::job_outcome how) {
    if (durable_ != nullptr) durable_->queues.settle(queue, job, how);
}

void router::detach_withdrawn() {
    if (to_detach_.empty()) return;
    const auto at = bus_->now();
    for (const auto handle : std::exchange(to_detach_, {})) bus_->node().detach(at, handle);
    bus_->schedule_flush();
}

// --- sessions -----------------------------------------------------------------------------------

// Who connects, with the right to use the bus at all.
mbus::result<std::shared_ptr<const peer_identity>> router::identify(const mbus::mbws::connect_request& request) {
    auto who = connections_.find(request.connection);
    if (!who) return {errc::internal, "the connection has ended"};
    if (stopping_) return {errc::shutting_down, "mbusd is stopping; try again in some seconds"};
    if (!who->rights) {
        who = clients_ == nullptr || request.auth.empty() ? nullptr : clients_->find_client(request.auth);
        if (!who) {
            ++counters_.sessions_refused;
            return {errc::unauthorized, request.auth.empty()
                                            ? "connect needs a token in its field auth; 'mbus client add NAME' makes one"
                                            : "this token is unknown or was withdrawn; 'mbus client add NAME' makes a new one"};
        }
    }
    if (!who->user.client.empty() && clients_ != nullptr && clients_->withdrawn(*who)) {
        ++counters_.sessions_refused;
        return {errc::unauthorized, "this token was withdrawn; 'mbus client add NAME' makes a new one"};
    }
    if (auto no = who->rights->refuses_connect()) {
        ++counters_.sessions_refused;
        log_.limited(level::notice, "refused/" + who->user.name, "a client was refused",
                     {{"user", who->user.name}, {"uid", std::to_string(who->user.uid)}, {"reason", *no}});
        return {errc::unauthorized, *no};
    }
    return who;
}

mbus::result<mbus::mbws::opened_session> router::open(time_point now, const mbus::mbws::connect_request& request) {
    auto known = identify(request);
    if (!known) return std::move(known).error();
    auto who = std::move(*known);
    if (auto* old = resumable(request, *who)) {
        if (old->session->durable() && !store_problem().empty()) {
            ++counters_.sessions_refused;
            return {errc::limit, fmt::format("the session waits until it can be stored again: {}", store_problem())};
        }
        old->who = std::move(who);
        old->connection = request.connection;
        sessions_.touch(*old);
        ++counters_.sessions_resumed;
        if (durable_ != nullptr) durable_->readers_back = true;
        work_later();
        return mbus::mbws::opened_session{old->session.get(), true};
    }
    return make_session(now, request, std::move(who));
}

mbus::result<mbus::mbws::link_session*> router::open_link(time_point now, const mbus::mbws::connect_request& request,
                                                          mbus::mbws::link_carrier& carrier,
                                                          mbus::mbws::connection_port& port) {
    auto who = identify(request);
    if (!who) return std::move(who).error();
    if (links_ == nullptr) return {errc::forbidden, "this mbusd takes no links"};
    auto out = links_->accept(now, request, std::move(*who), carrier, port);
    if (!out) ++counters_.sessions_refused;
    return out;
}

// The session that the client asks for, if it is its own and nothing of it is lost. One that can't
// be continued ends here.
session_record* router::resumable(const mbus::mbws::connect_request& request, const peer_identity& who) {
    if (request.session.empty()) return nullptr;
    auto* old = sessions_.find_token(request.session);
    if (old == nullptr || old->session->over()) return nullptr;
    if (old->session->identity() != who.user.identity()) return nullptr;
    if (old->session->can_resume(request.received)) return old;
    old->session->end(bus_->now().now, errc::no_session, "the session can't be continued from there");
    return nullptr;
}

mbus::result<mbus::mbws::opened_session> router::make_session(time_point now,
                                                              const mbus::mbws::connect_request& request,
                                                              std::shared_ptr<const peer_identity> who) {
    auto account = accounts_.of(who->user);
    if (auto no = account->refuses_session(configuration_.values.limits)) {
        ++counters_.sessions_refused;
        log_.limited(level::warning, "sessions/" + who->user.name, "a client was refused", {{"reason", *no}});
        return {errc::limit, *no};
    }
    auto& record = sessions_.add(std::move(who), std::move(account), session_settings_, *this, now);
    record.connection = request.connection;
    ++counters_.sessions_opened;
    sessions_.touch(record);
    work_later();
    const bool durable = request.durable && durable_ != nullptr && store_problem().empty() && record.who->rights->durable();
    return mbus::mbws::opened_session{record.session.get(), false, durable ? &durable_->sessions : nullptr};
}

void router::ended(time_point, mbus::mbws::broker_session& session, mbus::mbws::end_reason) {
    hand_over();
    auto* record = sessions_.find(session.id());
    if (record == nullptr) return;
    if (grants_ != nullptr) grants_->ended(*record);
    if (session.durable()) durable_->sessions.ended(session);
    std::erase_if(watchers_, [&](const watcher& each) { return each.session == &session; });
    std::vector<std::uint64_t> handles;
    session.for_each_attachment([&](const mbus::mbws::attachment& each) { handles.push_back(each.handle); });
    for (const auto handle : handles) withdraw(handle);
    release_senders(*record);
    sessions_.remove(*record);
    work_later();
}

// --- attaches -----------------------------------------------------------------------------------

mbus::result<mbus::mbws::attached> router::attach(time_point, mbus::mbws::broker_session& session,
                                                  const mbus::mbws::attach_request& request) {
    auto* record = sessions_.find(session.id());
    if (record == nullptr) return {errc::no_session, "the session has ended"};
    mbus::result<mbus::mbws::attached> out{errc::not_found, std::string{store_problem()}};
    if (request.policy == mbus::mbws::reader_policy::block && record->who->rights->refuses_block()) {
        out = {errc::forbidden, *record->who->rights->refuses_block()};
    } else if (request.mode == mbus::mbws::attach_mode::entity) {
        out = attach_entity(*record, request);
    } else if (request.mode == mbus::mbws::attach_mode::monitor) {
        out = attach_monitor(*record, request);
    } else if (durable_ != nullptr) {
        out = durable_->queues.attach(*record, request);
    }
    if (!out) ++counters_.attaches_refused;
    return out;
}

mbus::result<mbus::mbws::attached> router::attach_entity(session_record& record,
                                                         const mbus::mbws::attach_request& request) {
    if (auto no = record.who->rights->refuses_attach(request.entity)) return {errc::forbidden, *no};
    if (auto no = record.account->refuses_entity(configuration_.values.limits)) return {errc::limit, *no};
    return host_entity(record, request, std::nullopt);
}

mbus::result<mbus::mbws::attached> router::host_entity(session_record& record, const mbus::mbws::attach_request& request,
                                                       std::optional<std::uint32_t> first_sequence) {
    // So that an address can move from a session that has just ended to a new one.
    detach_withdrawn();
    // Without a process id the first number of the id is random (RFC 3259, section 4.1).
    const auto process = record.who->user.pid != 0 ? record.who->user.pid : random_number();
    auto handle = bus_->node().attach(bus_->now(), request.entity, process, first_sequence);
    if (!handle) return std::move(handle).error();

    auto entity = std::make_unique<local_entity>();
    entity->handle = *handle;
    entity->owner = &record;
    entity->session = record.session.get();
    entity->slot = request.slot;
    entity->address = *bus_->node().address_of(*handle);
    entity->since = bus_->now().now;
    entity->type = request.type;
    entity->commands = request.commands;
    entity->kept = record.session->durable() || first_sequence.has_value();
    mbus::mbws::attached out{entity->address, static_cast<std::uint64_t>(*handle)};
    entities_.emplace(static_cast<std::uint32_t>(*handle), std::move(entity));
    ++record.account->entities;
    bus_->schedule_flush();
    tell_watchers(out.entity, entity_state::joined, true, nullptr);
    log_.debug("attached", {{"entity", std::string{out.entity.text()}}, {"user", record.who->user.name}});
    return out;
}

mbus::result<mbus::mbws::attached> router::attach_monitor(session_record& record,
                                                          const mbus::mbws::attach_request& request) {
    if (auto no = record.who->rights->refuses_monitor()) return {errc::forbidden, *no};
    auto added = std::make_unique<monitor>();
    added->id = monitor_handles | ++last_monitor_;
    added->owner = &record;
    added->session = record.session.get();
    added->slot = request.slot;
    added->pattern = request.entity;
    added->type = request.type;
    added->commands = request.commands;
    mbus::mbws::attached out{request.entity, added->id};
    monitors_.push_back(std::move(added));
    log_.info("monitoring", {{"pattern", std::string{request.entity.text()}}, {"user", record.who->user.name}});
    return out;
}

void router::detach(time_point, mbus::mbws::broker_session& session, const mbus::mbws::attachment& what) {
    if (auto* record = sessions_.find(session.id()); record != nullptr && grants_ != nullptr) {
        grants_->detached(*record, what.handle);
    }
    withdraw(what.handle);
}

// Takes an entity or monitor out; at the end of the turn from the engine, whose events may be
// running, and from memory, since a loop may still see it.
void router::withdraw(std::uint64_t handle) {
    if (handle >= reader_handles) {
        if (durable_ != nullptr) durable_->queues.detach(handle);
        return;
    }
    if (handle >= monitor_handles) {
        const auto found = std::ranges::find(monitors_, handle, [](const auto& each) { return each->id; });
        if (found == monitors_.end()) return;
        (*found)->gone = true;
        gone_monitors_.push_back(std::move(*found));
        monitors_.erase(found);
        work_later();
        return;
    }
    const auto found = entities_.find(static_cast<std::uint32_t>(handle));
    if (found == entities_.end()) return;
    auto entity = std::move(found->second);
    entities_.erase(found);
    entity->gone = true;
    if (entity->owner != nullptr) --entity->owner->account->entities;
    to_detach_.push_back(entity->handle);
    tell_watchers(entity->address, entity_state::left, true, entity->host);
    gone_entities_.push_back(std::move(entity));
    work_later();
}

local_entity* router::find_entity(entity_handle handle) noexcept {
    if (handle == own_.handle) return &own_;
    const auto found = entities_.find(static_cast<std::uint32_t>(handle));
    return found == entities_.end() ? nullptr : found->second.get();
}

// --- watches ------------------------------------------------------------------------------------

mbus::result<std::uint32_t> router::watch(time_point, mbus::mbws::broker_session& session,
                                          const mbus::mbws::watch_request& request) {
    std::uint32_t matched = 0;
    const auto tell = [&](const mbus::address& who) {
        if (!who.answers_to(request.pattern)) return;
        ++matched;
        session.entity_changed(request.slot, who.text(), entity_state::present);
    };
    tell(own_.address);
    for (const auto& [handle, entity] : entities_) tell(entity->address);
    bus_->node().for_each_peer([&](const mbus::protocol::peer_view& peer) { tell(*peer.address); });
    if (!request.again) watchers_.push_back({&session, request.slot, request.pattern});
    return matched;
}

void router::unwatch(mbus::mbws::broker_session& session, const mbus::mbws::watch_request& what) {
    std::erase_if(watchers_, [&](const watcher& each) { return each.session == &session && each.slot == what.slot; });
}

void router::tell_watchers(const mbus::address& who, entity_state state, bool local, const participant* host) {
    for (const auto& each : watchers_) {
        if (who.answers_to(each.pattern)) each.session->entity_changed(each.slot, who.text(), state);
    }
    for (std::size_t i = 0; i < observers_.size(); ++i) observers_[i]->entity_changed(who, state, local, host);
}

void router::peer_changed(const mbus::protocol::peer_view& peer, peer_state state) {
    tell_watchers(*peer.address, state_of(state), false, nullptr);
}

// --- capability URLs ----------------------------------------------------------------------------

mbus::result<mbus::mbws::granted> router::grant(time_point now, mbus::mbws::broker_session& session,
                                                const mbus::mbws::grant_request& request) {
    auto* record = sessions_.find(session.id());
    if (record == nullptr) return {errc::no_session, "the session has ended"};
    if (grants_ == nullptr) {
        return {errc::not_found, "capability URLs need the HTTP gateway; set gateway.enabled in mbusd.toml"};
    }
    return grants_->grant(now, *record, request);
}

mbus::result<void> router::revoke(time_point, mbus::mbws::broker_session& session, std::string_view url) {
    auto* record = sessions_.find(session.id());
    if (record == nullptr || grants_ == nullptr) return {errc::not_found, "there is no such URL"};
    return grants_->revoke(*record, url);
}

void router::end_sessions_of(std::string_view identity, errc code, std::string_view text) {
    const auto at = bus_->now().now;
    sessions_.for_each([&](session_record& record) {
        if (record.session->identity() == identity) record.session->end(at, code, text);
    });
    work_later();
}

// --- senders that wait (policy block) -----------------------------------------------------------

void router::room(mbus::mbws::broker_session& session) {
    if (auto* record = sessions_.find(session.id())) release_senders(*record);
}

void router::release_senders(session_record& record) {
    for (const auto id : std::exchange(record.held_senders, {})) {
        if (auto* sender = sessions_.find(id)) sender->session->release();
    }
}

}  // namespace mbusd
