// Who answers to a destination, remembered by the destination's text as it stands in the header, so
// that the usual message costs one look-up. Counters of the tables' changes keep it true.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include <mbus/address.hpp>

#include "protocol/entity.hpp"
#include "protocol/peer_table.hpp"
#include "protocol/text_map.hpp"

namespace mbus::protocol {

struct route {
    address destination;
    std::vector<local_entity*> locals;  // that answer to it
    local_entity* exact = nullptr;      // whose full address it is
    peer_matches peers;                 // only after route_table::with_peers()

    std::uint64_t locals_at = 0;
    std::uint64_t peers_at = 0;
};

class route_table {
public:
    route_table(const entity_table& entities, const peer_table& peers) noexcept
        : entities_(entities), peers_(peers) {}

    // Null when `destination` is outside the grammar. Valid until the next call.
    const route* find(std::string_view destination);

    // The same with the peers that answer to it.
    const route& with_peers(const address& destination);

    void entities_changed() noexcept { ++locals_; }
    void peers_changed() noexcept { ++remotes_; }

    // Changes with every change of either.
    [[nodiscard]] std::uint64_t generation() const noexcept { return locals_ + remotes_; }

private:
    route* look_up(std::string_view destination);
    void refresh(route& which) const;

    const entity_table& entities_;
    const peer_table& peers_;
    text_map<std::unique_ptr<route>> routes_;
    std::string_view last_text_;  // messages come in runs: the same destination again
    route* last_found_ = nullptr;
    std::uint64_t locals_ = 1;
    std::uint64_t remotes_ = 1;
};

}  // namespace mbus::protocol
