#include "host.hpp"

#include <algorithm>
#include <array>

#include "host_client.hpp"
#include "world.hpp"

namespace mbus::testing::detail {
namespace {

// One key for all buses in all processes: no datagram ever leaves the process.
constexpr std::string_view session_file =
    "[MBUS]\nCONFIG_VERSION=1\nHASHKEY=(HMAC-SHA1-96,bWJ1czo6dGVzdGluZyAyMCBvY3Q=)\nENCRYPTIONKEY=(NOENCR,)\n"
    "SCOPE=LINKLOCAL\n";

protocol::envelope make_envelope() {
    auto config = protocol::parse_session_config(session_file);
    auto made = protocol::envelope::create(config.value());
    return std::move(made).value();
}

// 10.0.0.<port>
protocol::endpoint endpoint_of(std::uint16_t port) {
    protocol::endpoint out;
    out.octets = {10, 0, static_cast<std::uint8_t>(port >> 8), static_cast<std::uint8_t>(port)};
    out.port = port;
    return out;
}

}  // namespace

host::host(world& owner, std::string name, std::uint16_t port) : world_(owner), name_(std::move(name)), port_(port) {
    settings_.broker = "00000000000000" + std::string{"0123456789abcdef"[(port >> 4) & 15]} +
                       std::string{"0123456789abcdef"[port & 15]};
    make_node();
}

host::~host() { kill(); }

void host::make_node() {
    protocol::node_options options;
    options.host_id = "10.0." + std::to_string(port_ >> 8) + "." + std::to_string(port_ & 0xFF);
    options.seed = world_.random();
    node_ = std::make_unique<protocol::node>(std::move(options), make_envelope(), *this);
}

void host::start() {
    if (!node_) make_node();
}

// Sessions and entities are gone without a word.
void host::kill() {
    break_connections();
    clients_.clear();
    entities_.clear();
    monitors_.clear();
    watchers_.clear();
    sends_.clear();
    sessions_.clear();
    ended_.clear();
    node_.reset();
}

void host::break_connections() {
    for (const auto& one : clients_) one->cut(world_.now());
}

std::shared_ptr<pipe> host::accept() {
    if (!node_) return nullptr;
    clients_.push_back(std::make_unique<client>(*this, ++last_id_, world_.now()));
    return clients_.back()->way();
}

void host::receive(std::string_view datagram, std::uint16_t from_port) {
    if (!node_) return;
    node_->receive(world_.instant(), datagram, endpoint_of(from_port));
}

bool host::turn() {
    if (!node_) return false;
    const auto now = world_.now();
    bool busy = false;
    for (std::size_t i = 0; i < clients_.size(); ++i) busy = clients_[i]->read(now) || busy;
    if (node_->next_deadline() <= now) {
        node_->advance(world_.instant());
        busy = true;
    }
    // advance() may end a session.
    std::vector<mbws::broker_session*> due;
    for (const auto& [token, session] : sessions_) {
        if (session->next_deadline() <= now) due.push_back(session.get());
    }
    for (auto* session : due) session->advance(now);
    busy = busy || !due.empty();
    for (const auto& one : clients_) busy = one->write(now) || busy;
    std::erase_if(clients_, [](const auto& one) { return one->over(); });
    ended_.clear();
    drain();
    return busy;
}

void host::drain() {
    const auto out = node_->transmits(world_.instant());
    for (const auto& one : out) world_.transmit(*this, one.datagram, one.group ? every_host : one.to.port);
    node_->transmitted(out.size());
}

mbws::time_point host::next_deadline() const {
    if (!node_) return mbws::never;
    auto next = node_->next_deadline();
    for (const auto& [token, session] : sessions_) next = std::min(next, session->next_deadline());
    for (const auto& one : clients_) next = std::min(next, one->next_deadline());
    return next;
}

// --- sessions ---------------------------------------------------------------------------------------

std::string host::make_token() {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string token;
    while (token.size() < 64) token += digits[world_.random() & 15];
    return token;
}

result<mbws::opened_session> host::open(mbws::time_point, const mbws::connect_request& request) {
    if (!request.session.empty()) {
        const auto at = sessions_.find(std::string{request.session});
        if (at != sessions_.end() && at->second->can_resume(request.received)) {
            return mbws::opened_session{at->second.get(), true};
        }
    }
    auto token = make_token();
    auto made = std::make_unique<mbws::broker_session>(++last_id_, token, "test", settings_, *this);
    auto* const session = made.get();
    sessions_.emplace(std::move(token), std::move(made));
    return mbws::opened_session{session, false};
}

void host::ended(mbws::time_point now, mbws::broker_session& session, mbws::end_reason) {
    session.for_each_attachment([&](const mbws::attachment& what) { detach(now, session, what); });
    std::erase_if(watchers_, [&](const watcher& one) { return one.where.session == &session; });
    std::erase_if(sends_, [&](const auto& one) { return one.second.session == &session; });
    const auto at = sessions_.find(session.token());
    if (at == sessions_.end()) return;
    ended_.push_back(std::move(at->second));  // destroyed when it is no longer on the stack
    sessions_.erase(at);
}

result<mbws::attached> host::attach(mbws::time_point, mbws::broker_session& session,
                                    const mbws::attach_request& request) {
    if (request.mode == mbws::attach_mode::queue) {
        return {errc::bad_argument, "the in-process bus has no durable queues; attach an entity"};
    }
    const place where{&session, request.slot};
    if (request.mode == mbws::attach_mode::monitor) {
        monitors_.push_back({where, request.entity});
        return mbws::attached{request.entity, 0};
    }
    auto made = node_->attach(world_.instant(), request.entity, static_cast<std::uint32_t>(session.id()));
    if (!made) return made.error();
    const auto handle = static_cast<std::uint32_t>(*made);
    entities_[handle] = where;
    const auto full = *node_->address_of(*made);
    tell_watchers(full, mbws::entity_state::joined);
    return mbws::attached{full, handle};
}

void host::detach(mbws::time_point, mbws::broker_session& session, const mbws::attachment& what) {
    if (what.asked.mode == mbws::attach_mode::monitor) {
        const place where{&session, what.asked.slot};
        std::erase_if(monitors_, [&](const watcher& one) { return one.where == where; });
        return;
    }
    const auto handle = static_cast<std::uint32_t>(what.handle);
    if (entities_.erase(handle) == 0) return;
    node_->detach(world_.instant(), protocol::entity_handle{handle});
    tell_watchers(what.entity, mbws::entity_state::left);
}

result<std::uint32_t> host::watch(mbws::time_point, mbws::broker_session& session, const mbws::watch_request& request) {
    std::uint32_t matched = 0;
    const auto tell = [&](const mbus::address& who) {
        if (!who.answers_to(request.pattern)) return;
        session.entity_changed(request.slot, who.text(), mbws::entity_state::present);
        ++matched;
    };
    for (const auto& [handle, where] : entities_) tell(*node_->address_of(protocol::entity_handle{handle}));
    node_->for_each_peer([&](const protocol::peer_view& peer) { tell(*peer.address); });
    if (!request.again) watchers_.push_back({{&session, request.slot}, request.pattern});
    return matched;
}

void host::unwatch(mbws::broker_session& session, const mbws::watch_request& what) {
    const place where{&session, what.slot};
    std::erase_if(watchers_, [&](const watcher& one) { return one.where == where; });
}

void host::tell_watchers(const mbus::address& who, mbws::entity_state state) {
    for (const auto& one : watchers_) {
        if (who.answers_to(one.pattern)) one.where.session->entity_changed(one.where.slot, who.text(), state);
    }
}

void host::peer_changed(const protocol::peer_view& peer, protocol::peer_state state) {
    switch (state) {
    case protocol::peer_state::present:
    case protocol::peer_state::joined: return tell_watchers(*peer.address, mbws::entity_state::joined);
    case protocol::peer_state::left: return tell_watchers(*peer.address, mbws::entity_state::left);
    case protocol::peer_state::lost: return tell_watchers(*peer.address, mbws::entity_state::lost);
    }
}

result<mbws::granted> host::grant(mbws::time_point, mbws::broker_session&, const mbws::grant_request&) {
    return {errc::forbidden, "the in-process bus has no capability URLs"};
}

result<void> host::revoke(mbws::time_point, mbws::broker_session&, std::string_view) {
    return {errc::not_found, "the in-process bus has no capability URLs"};
}

void host::room(mbws::broker_session& session) { session.release(); }

}  // namespace mbus::testing::detail
