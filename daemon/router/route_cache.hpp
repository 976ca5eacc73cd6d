// Destination text -> who receives it. One look-up per message; an entry is worked out anew when an
// entity, here or on the bus, has come or gone since.
//
//     const auto* way = routes.find("(app:player)", node);
//     if (way == nullptr) refuse(errc::bad_address, routes.fault());
//
// One thread. An entry is valid until the next call of find() or clear().
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <mbus/address.hpp>
#include <mbus/result.hpp>

#include "protocol/node.hpp"
#include "router/local_entity.hpp"

namespace mbusd {

// Destinations kept; an application uses a few dozen. Reached only by someone who sends to ever new
// addresses, and then starting afresh costs one match per message.
inline constexpr std::size_t routes_max = 4096;

struct route {
    mbus::address to;
    std::vector<local_entity*> local;
    std::size_t remote = 0;        // peers on the bus
    bool complete = false;         // the full address of exactly one entity
    std::uint64_t generation = 0;  // of the node, when it was worked out
    std::uint64_t serial = 0;      // tells what was worked out then from all else

    [[nodiscard]] std::size_t total() const noexcept { return local.size() + remote; }
    // The bus need not hear it: the full address of an entity of ours.
    [[nodiscard]] bool stays_here() const noexcept { return complete && remote == 0; }
};

class route_cache {
public:
    using entity_finder = std::function<local_entity*(mbus::protocol::entity_handle)>;

    explicit route_cache(entity_finder find_entity) : find_entity_(std::move(find_entity)) {}

    // Null when `to` is no address; fault() says why.
    const route* find(std::string_view to, const mbus::protocol::node& node);
    [[nodiscard]] const mbus::error& fault() const noexcept { return fault_; }
    void clear() noexcept {
        routes_.clear();
        recent_.fill(nullptr);
    }
    [[nodiscard]] std::size_t size() const noexcept { return routes_.size(); }

private:
    struct text_hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
    };
    using route_map = std::unordered_map<std::string, route, text_hash, std::equal_to<>>;
    route_map::value_type* look_up(std::string_view to);
    void work_out(route& way, const mbus::protocol::node& node);

    entity_finder find_entity_;
    route_map routes_;
    // What was found last: senders repeat themselves, and requests and answers take turns.
    std::array<route_map::value_type*, 4> recent_{};
    std::size_t next_recent_ = 0;
    std::uint64_t last_serial_ = 0;
    mbus::error fault_;
};

}  // namespace mbusd
