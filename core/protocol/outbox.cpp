#include "protocol/outbox.hpp"

#include <algorithm>

#include "protocol/entity.hpp"

namespace mbus::protocol {
namespace {

std::string_view without_line_end(std::string_view message) noexcept {
    if (message.ends_with('\n')) message.remove_suffix(1);
    if (message.ends_with('\r')) message.remove_suffix(1);
    return message;
}

}  // namespace

// Those that have grown come first: where messages join, they will grow again.
waiting_datagram& outbox::push() {
    auto& spare = spare_large_.empty() ? spare_ : spare_large_;
    if (spare.empty()) {
        auto made = std::make_unique<waiting_datagram>();
        queue_.push_back() = std::move(made);
    } else {
        queue_.push_back() = std::move(spare.back());
        spare.pop_back();
    }
    auto& fresh = *queue_.back();
    fresh.message.clear();
    fresh.datagram.clear();
    fresh.group = true;
    fresh.presence = false;
    fresh.open_for = nullptr;
    return fresh;
}

std::span<const outgoing> outbox::seal(envelope& security, std::uint64_t wall_ms) {
    for (auto index = views_.size(); index < queue_.size(); ++index) {
        auto& each = *queue_[index];
        if (each.open_for != nullptr) {
            each.open_for->open = nullptr;
            each.open_for = nullptr;
        }
        security.seal(final_line_end_ ? each.message : without_line_end(each.message), wall_ms,
                      each.datagram);
        views_.push_back({each.datagram, each.group, each.presence, each.to});
    }
    return views_;
}

void outbox::pop(std::size_t count, counters& seen) {
    count = std::min(count, views_.size());
    for (const auto& sent : std::span{views_}.first(count)) {
        ++seen.datagrams_out;
        seen.octets_out += sent.datagram.size();
        if (!sent.group) ++seen.unicast_out;
    }
    views_.erase(views_.begin(), views_.begin() + static_cast<std::ptrdiff_t>(count));
    for (; count > 0; --count) {
        auto& sent = *queue_.front();
        octets_ -= sent.message.size();
        const bool small =
            sent.message.capacity() <= spare_octets_max && sent.datagram.capacity() <= spare_octets_max;
        auto& spare = small ? spare_ : spare_large_;
        if (spare.size() < (small ? spare_max : spare_large_max)) spare.push_back(std::move(queue_.front()));
        queue_.front().reset();
        queue_.pop_front();
    }
}

}  // namespace mbus::protocol
