#include "support/bus_lab.hpp"

#include <array>
#include <stdexcept>
#include <utility>

namespace mbus::lab {
namespace {

constexpr std::uint64_t wall_start_ms = 1'700'000'000'000;  // any day will do

protocol::secret counting_key(std::size_t octets) {
    std::vector<std::byte> key(octets);
    for (std::size_t index = 0; index < octets; ++index) key[index] = static_cast<std::byte>(index);
    return protocol::secret{key};
}

address literal(std::string_view text) {
    auto parsed = address::parse(text);
    if (!parsed) throw std::invalid_argument{std::string{text} + ": " + describe(parsed.error())};
    return *parsed;
}

}  // namespace

protocol::session_config lab_session(const lab_options& options) {
    protocol::session_config config;
    config.hash = options.hash;
    config.hash_key = counting_key(protocol::native_key_octets(options.hash));
    config.cipher = options.cipher;
    if (options.cipher != protocol::cipher_algorithm::none)
        config.cipher_key = counting_key(protocol::native_key_octets(options.cipher));
    return config;
}

endpoint make_endpoint(std::uint8_t last_octet, std::uint16_t port) {
    endpoint out;
    out.octets[0] = 10;
    out.octets[3] = last_octet;
    out.port = port;
    out.interface_index = 2;
    return out;
}

// --- station ----------------------------------------------------------------------------------

station::station(bus_lab& lab, std::size_t index, protocol::node_options options, protocol::envelope security)
    : source(make_endpoint(static_cast<std::uint8_t>(index + 1),
                           static_cast<std::uint16_t>(50001 + index % 10000))),
      node(std::move(options), std::move(security), *this),
      lab_(lab),
      index_(index) {}

entity_handle station::attach(std::string_view text, std::uint32_t process_id) {
    const auto handle = node.attach(lab_.now(), literal(text), process_id);
    if (!handle) throw std::invalid_argument{describe(handle.error())};
    lab_.turn(*this);
    return *handle;
}

void station::detach(entity_handle which) {
    node.detach(lab_.now(), which);
    lab_.turn(*this);
}

void station::detach_all() {
    node.detach_all(lab_.now());
    lab_.turn(*this);
}

result<protocol::match_result> station::send(entity_handle from, std::string_view to,
                                             std::string_view payload, bool reliable,
                                             protocol::send_token token, bool may_coalesce) {
    const auto destination = literal(to);
    std::size_t commands = 0;
    command_scanner scan{payload};
    while (scan.next() != nullptr) ++commands;
    auto sent = node.send(lab_.now(), {.from = from,
                                       .destination = &destination,
                                       .payload = payload,
                                       .commands = commands,
                                       .reliable = reliable,
                                       .may_coalesce = may_coalesce,
                                       .token = token});
    lab_.turn(*this);
    return sent;
}

std::string station::address_of(entity_handle which) const {
    const auto* const found = node.address_of(which);
    return found == nullptr ? std::string{} : std::string{found->text()};
}

std::vector<std::string> station::texts_for(entity_handle which) const {
    std::vector<std::string> out;
    for (const auto& each : delivered)
        if (each.to == which) out.push_back(each.what->payload);
    return out;
}

bool station::deliver(entity_handle to, const std::shared_ptr<const protocol::inbound>& what) {
    if (!taking) return false;
    if (recording) delivered.push_back({to, what, lab_.now().now});
    if (on_deliver) on_deliver(to, what);
    return true;
}

void station::observed(const std::shared_ptr<const protocol::inbound>& what) {
    if (recording) heard.push_back(what);
}

void station::sent(const protocol::send_report& report) {
    if (recording) reports.push_back(report);
    if (on_sent) on_sent(report);
}

void station::peer_changed(const protocol::peer_view& peer, protocol::peer_state state) {
    if (recording) changes.push_back({std::string{peer.address->text()}, state, lab_.now().now});
}

mbus::message captured::parsed(dialect reading) const {
    auto out = parse_message(message, reading);
    if (!out) throw std::invalid_argument{describe(out.error()) + " in: " + message};
    return std::move(*out);
}

// --- the network ------------------------------------------------------------------------------

bus_lab::bus_lab(lab_options options)
    : options_(options),
      random_(options.seed),
      keys_(make_envelope()),
      now_(time_point{} + std::chrono::hours{1}) {}

protocol::envelope bus_lab::make_envelope() const {
    auto made = protocol::envelope::create(lab_session(options_));
    if (!made) throw std::invalid_argument{describe(made.error())};
    return std::move(*made);
}

station& bus_lab::add(protocol::node_options options) {
    const auto index = stations_.size();
    if (options.host_id.empty())
        options.host_id = "10.0." + std::to_string(index / 250) + "." + std::to_string(index % 250 + 1);
    if (options.seed == 0) options.seed = random_.next();
    stations_.push_back(std::make_unique<station>(*this, index, std::move(options), make_envelope()));
    return *stations_.back();
}

instant bus_lab::now() const noexcept {
    const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch());
    return {now_, wall_start_ms + static_cast<std::uint64_t>(passed.count())};
}

void bus_lab::turn(station& which) {
    which.node.advance(now());
    send_out(which);
    const auto next = which.node.next_deadline();
    if (next == which.wake_at_) return;
    which.wake_at_ = next;
    if (next != protocol::never) wakes_.push({std::max(next, now_), which.index_});
}

void bus_lab::send_out(station& from) {
    const auto all = from.node.transmits(now());
    for (const auto& out : all) {
        ++datagrams_;
        if (options_.capture) remember(from, out);
        const auto datagram = std::make_shared<const std::string>(out.datagram);
        for (const auto& each : stations_)
            if (out.group || each->source == out.to) travel(from, each->index_, datagram);
    }
    from.node.transmitted(all.size());
}

void bus_lab::travel(const station& from, std::size_t to,
                     const std::shared_ptr<const std::string>& datagram) {
    if (stations_[to]->partition != from.partition) return;
    const auto& faults = options_.network;
    const bool own = from.index_ == to;  // loop-back does not lose anything
    if (!own && faults.loss > 0 && random_.fraction() < faults.loss) return;
    const int copies = !own && faults.duplication > 0 && random_.fraction() < faults.duplication ? 2 : 1;
    for (int copy = 0; copy < copies; ++copy) {
        const auto delay = faults.delay_min + random_.up_to(faults.delay_max - faults.delay_min);
        network_.push({now_ + delay, order_++, to, from.source, datagram});
    }
}

void bus_lab::remember(const station& from, const protocol::outgoing& out) {
    const auto opened = keys_.open(out.datagram, now().wall_ms, scratch_);
    capture_.push_back({now_, from.index_, out.group, out.presence, out.to, std::string{opened.message},
                        std::string{out.datagram}});
}

// Handles the next thing that happens up to `end`; false when nothing does.
bool bus_lab::step(time_point end) {
    const auto datagram_at = network_.empty() ? protocol::never : network_.top().due;
    const auto wake_at = wakes_.empty() ? protocol::never : wakes_.top().due;
    const auto next = std::min(datagram_at, wake_at);
    if (next > end) {
        now_ = end;
        return false;
    }
    now_ = std::max(now_, next);
    if (datagram_at <= wake_at) {
        const auto arrived = network_.top();
        network_.pop();
        auto& to = *stations_[arrived.to];
        to.node.receive(now(), *arrived.datagram, arrived.from);
        turn(to);
        return true;
    }
    auto& due = *stations_[wakes_.top().station];
    wakes_.pop();
    if (due.wake_at_ > now_) return true;  // it was moved meanwhile
    due.wake_at_ = protocol::never;
    turn(due);
    return true;
}

void bus_lab::run_for(duration length) {
    const auto end = now_ + length;
    while (step(end)) continue;
}

bool bus_lab::run_until(const std::function<bool()>& done, duration limit) {
    const auto end = now_ + limit;
    while (!done()) {
        if (!step(end)) return done();
    }
    return true;
}

void bus_lab::inject(std::string_view message, const endpoint& from) {
    for (const auto& each : stations_) inject(*each, message, from);
}

void bus_lab::inject(station& to, std::string_view message, const endpoint& from) {
    inject_datagram(to, sealed(message), from);
}

void bus_lab::inject_datagram(station& to, std::string_view datagram, const endpoint& from) {
    to.node.receive(now(), datagram, from);
    turn(to);
}

std::string bus_lab::sealed(std::string_view message) {
    std::string datagram;
    keys_.seal(message, now().wall_ms, datagram);
    return datagram;
}

std::vector<captured> bus_lab::captured_with(std::string_view text) const {
    std::vector<captured> out;
    for (const auto& each : capture_)
        if (each.message.find(text) != std::string::npos) out.push_back(each);
    return out;
}

}  // namespace mbus::lab
