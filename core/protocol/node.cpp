#include "protocol/node.hpp"

#include <algorithm>

#include "protocol/limits.hpp"
#include "protocol/node_parts.hpp"

namespace mbus::protocol {

node::implementation::implementation(node_options with, envelope keys, node_events& owner)
    : options(std::move(with)),
      security(std::move(keys)),
      events(owner),
      random(options.seed),
      entities(static_cast<std::uint32_t>(random.next())),
      routes(entities, peers),
      waiting(options.final_line_end) {
    set_datagram_budget(options.datagram_budget);
}

// Every reliable send ends in exactly one report, also here.
node::implementation::~implementation() {
    for (const auto* each : pending.select([](const pending_send&) { return true; }))
        finish(*each, each->schedule.started(), false, errc::shutting_down);
}

node::node(node_options options, envelope security, node_events& events)
    : parts_(std::make_unique<implementation>(std::move(options), std::move(security), events)) {}

node::~node() = default;

result<entity_handle> node::attach(const instant& at, const mbus::address& own, std::uint32_t process_id,
                                   std::optional<std::uint32_t> first) {
    return parts_->attach(at, own, process_id, first);
}

void node::detach(const instant& at, entity_handle entity) {
    if (auto* const which = parts_->entities.find(entity)) parts_->detach(at, *which, errc::left);
}

void node::detach_all(const instant& at) { parts_->detach_all(at); }

const mbus::address* node::address_of(entity_handle entity) const noexcept {
    const auto* const which = parts_->entities.find(entity);
    return which == nullptr ? nullptr : &which->address;
}

std::uint32_t node::next_sequence_number(entity_handle entity) const noexcept {
    const auto* const which = parts_->entities.find(entity);
    return which == nullptr ? 0 : which->numbers.peek();
}

result<match_result> node::send(const instant& at, const send_request& request) {
    return parts_->send(at, request);
}

result<void> node::transmit(const instant& at, const send_request& request) {
    return parts_->transmit(at, request);
}

void node::ping(const instant& at, entity_handle from, const mbus::address& destination) {
    parts_->ping_here(at, from, parts_->routes.with_peers(destination));
}

std::size_t node::datagram_octets(const send_request& request) const noexcept {
    const auto* const from = address_of(request.from);
    const std::size_t source = from == nullptr ? 2 : from->text().size();
    std::size_t destination = request.destination->text().size();
    if (request.reliable)  // goes to the full address
        if (const auto found = parts_->peers.matching(*request.destination); found.only != nullptr)
            destination = std::max(destination, found.only->address.text().size());
    const auto message = implementation::header_octets(source, destination) + request.payload.size() +
                         2 * std::max<std::size_t>(1, request.commands);
    // The envelope knows the inverse: step up to the first datagram that holds the message.
    auto octets = message;
    while (parts_->security.message_octets_max(octets) < message) ++octets;
    return octets;
}

match_result node::match(const mbus::address& destination) const {
    const auto& where = parts_->routes.with_peers(destination);
    match_result out;
    out.local.reserve(where.locals.size());
    for (const auto* each : where.locals) out.local.push_back(each->handle);
    out.remote = where.peers.count;
    out.complete =
        out.total() == 1 &&
        (where.exact != nullptr || (where.peers.only != nullptr && where.peers.only->address == destination));
    return out;
}

std::uint64_t node::generation() const noexcept { return parts_->routes.generation(); }

void node::for_each_peer(const std::function<void(const peer_view&)>& visit) const {
    parts_->peers.for_each([&](const peer& each) { visit(parts_->view_of(each)); });
}

std::size_t node::entities() const noexcept { return parts_->member_count(); }

void node::receive(const instant& at, std::string_view datagram, const endpoint& from) {
    parts_->receive(at, datagram, from);
}

void node::advance(const instant& at) { parts_->advance(at); }

time_point node::next_deadline() const noexcept { return parts_->next_deadline(); }

std::span<const outgoing> node::transmits(const instant& at) {
    return parts_->waiting.seal(parts_->security, at.wall_ms);
}

void node::transmitted(std::size_t count) { parts_->waiting.pop(count, parts_->count); }

void node::observe(bool wanted) noexcept { parts_->observing = wanted; }

void node::set_datagram_budget(std::size_t octets) noexcept { parts_->set_datagram_budget(octets); }

const struct counters& node::counters() const noexcept { return parts_->count; }

void node::count_drop(drop_reason reason) noexcept { parts_->count.drop(reason); }

}  // namespace mbus::protocol
