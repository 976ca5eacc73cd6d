#include "router/route_cache.hpp"

namespace mbusd {

const route* route_cache::find(std::string_view to, const mbus::protocol::node& node) {
    const auto generation = node.generation();
    if (last_ == nullptr || last_->first != to) {
        const auto known = routes_.find(to);
        last_ = known != routes_.end() ? &*known : nullptr;
    }
    if (last_ != nullptr) {
        if (last_->second.generation != generation) work_out(last_->second, node);
        return &last_->second;
    }
    auto address = mbus::address::parse(to);
    if (!address) {
        fault_ = std::move(address).error();
        return nullptr;
    }
    if (routes_.size() >= routes_max) routes_.clear();
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
