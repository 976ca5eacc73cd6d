#include "protocol/route_table.hpp"

#include <string>

#include "protocol/limits.hpp"

namespace mbus::protocol {

void route_table::refresh(route& which) const {
    if (which.locals_at == locals_) return;
    which.exact = entities_.find(which.destination.text());
    entities_.matching(which.destination, which.locals);
    which.locals_at = locals_;
}

route* route_table::look_up(std::string_view destination) {
    if (const auto found = routes_.find(destination); found != routes_.end()) {
        refresh(*found->second);
        return found->second.get();
    }
    auto parsed = address::parse(destination);
    if (!parsed) return nullptr;
    if (routes_.size() >= routes_max) routes_.clear();
    auto added = std::make_unique<route>();
    added->destination = std::move(*parsed);
    refresh(*added);
    return routes_.emplace(std::string{destination}, std::move(added)).first->second.get();
}

const route* route_table::find(std::string_view destination) { return look_up(destination); }

const route& route_table::with_peers(const address& destination) {
    auto& out = *look_up(destination.text());  // canonical text is always well-formed
    if (out.peers_at != remotes_) {
        out.peers = peers_.matching(destination);
        out.peers_at = remotes_;
    }
    return out;
}

}  // namespace mbus::protocol
