#include "bus/family_watch.hpp"

#include <algorithm>
#include <chrono>
#include <functional>

namespace mbusd {
namespace {

using mbus::protocol::endpoint;

// In large sessions the peers are looked through at most this often.
constexpr std::chrono::milliseconds look_interval{100};
constexpr std::size_t large_session = 256;
// The MAC line tells datagrams apart: 96 random-looking bits.
constexpr std::size_t mac_characters = 16;

std::uint64_t key_of(std::string_view datagram, std::uint32_t link) {
    const std::uint64_t hash = std::hash<std::string_view>{}(datagram.substr(0, mac_characters));
    return (hash ^ (std::uint64_t{link} << 32)) | 1U;  // 0 marks an empty place
}

}  // namespace

void family_watch::heard(std::string_view datagram, const endpoint& from) {
    const auto key = key_of(datagram, from.interface_index);
    const auto has_key = [key](const recent_entry& entry) { return entry.key == key; };
    if (from.family == main_) {
        if (const auto copy = std::ranges::find_if(other_recent_, has_key); copy != other_recent_.end()) {
            endpoints_[copy->from] = {true, 0};
            dirty_ = true;
        }
        remember(main_recent_, main_next_, key, from);
        return;
    }
    if (endpoints_.size() >= endpoints_max && !endpoints_.contains(from)) endpoints_.clear();
    auto& state = endpoints_[from];
    const bool paired_now = std::ranges::any_of(main_recent_, has_key);
    if (paired_now)
        state = {true, 0};
    else
        state.unpaired = std::min(state.unpaired + 1, unpaired_max);
    dirty_ = true;
    remember(other_recent_, other_next_, key, from);
}

void family_watch::remember(ring& where, std::size_t& next, std::uint64_t key, const endpoint& from) {
    where[next] = {key, from};
    next = (next + 1) % recent_max;
}

bool family_watch::by_other_only(const endpoint& from) const {
    if (from.family == main_) return false;
    const auto found = endpoints_.find(from);
    return found == endpoints_.end() || !found->second.paired || found->second.unpaired >= unpaired_max;
}

bool family_watch::refresh(const mbus::protocol::node& engine, mbus::protocol::time_point now) {
    if (!dirty_ && engine.generation() == generation_) return false;
    if (engine.entities() > large_session && now - looked_ < look_interval) return false;
    dirty_ = false;
    generation_ = engine.generation();
    looked_ = now;
    std::set<std::uint32_t> links;
    engine.for_each_peer([&](const mbus::protocol::peer_view& peer) {
        if (by_other_only(peer.last_endpoint)) links.insert(peer.last_endpoint.interface_index);
    });
    if (links == links_) return false;
    links_ = std::move(links);
    return true;
}

}  // namespace mbusd
