#include "router/route_cache.hpp"

namespace mbusd {

route_cache::route_map::value_type* route_cache::look_up(std::string_view to) {
    for (auto* each : recent_) {
        if (each != nullptr && each->first == to) return each;
    }
    const auto known = routes_.find(to);
    if (known == routes_.end()) return nullptr;
    recent_[next_recent_] = &*known;
    next_recent_ = (next_recent_ + 1) % recent_.size();
    return &*known;
}

const route* route_cache::find(std::string_view to, const mbus::protocol::node& node) {
    if (auto* const known = look_up(to)) {
        if (known->second.generation != node.generation()) work_out(known->second, node);
        return &known->second;
    }
    auto address = mbus::address::parse(to);
    if (!address) {
        fault_ = std::move(address).error();
        return nullptr;
    }
    if (routes_.size() >= routes_max) clear();
    auto& way = routes_[std::string{to}];
    way.to = std::move(*address);
    work_out(way, node);
    return &way;
}

void route_cache::work_out(route& way, const mbus::protocol::node& node) {
    const auto matched = node.match(way.to);
    way.local.clear();
    for (const auto handle : matched.local) {
        if (auto* entity = find_entity_(handle)) way.local.push_back(entity);
    }
    way.remote = matched.remote;
    way.complete = matched.complete;
    way.generation = node.generation();
    way.serial = ++last_serial_;
}

}  // namespace mbusd
