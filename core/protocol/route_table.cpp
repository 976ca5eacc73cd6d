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
    if (last_found_ == nullptr || last_text_ != destination) {
        auto found = routes_.find(destination);
        if (found == routes_.end()) {
            auto parsed = address::parse(destination);
            if (!parsed) return nullptr;
            if (routes_.size() >= routes_max) routes_.clear();
            auto added = std::make_unique<route>();
            added->destination = std::move(*parsed);
            found = routes_.emplace(std::string{destination}, std::move(added)).first;
        }
        last_text_ = found->first;
        last_found_ = found->second.get();
    }
    refresh(*last_found_);
    return last_found_;
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
