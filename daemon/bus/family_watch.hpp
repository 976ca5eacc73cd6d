// families = "auto": on which links some peer hears only the family that is not the main one, so that
// group traffic has to go there too.
//
// A peer with both families sends every hello twice, with the same octets: once in each family. So an
// endpoint of the other family whose datagrams also arrive by the main family on the same link
// belongs to a peer that the main family reaches; one whose datagrams do not is reached by the other
// family only. Told of authentic group datagrams only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string_view>

#include "protocol/endpoint.hpp"
#include "protocol/node.hpp"
#include "protocol/time.hpp"

namespace mbusd {

class family_watch {
public:
    explicit family_watch(mbus::protocol::ip_family main) noexcept : main_(main) {}

    // An authentic datagram (a duplicate is one) arrived on a group socket.
    void heard(std::string_view datagram, const mbus::protocol::endpoint& from);

    // True when group traffic on this link must also go out in the other family.
    [[nodiscard]] bool needs_other(std::uint32_t interface_index) const {
        return links_.contains(interface_index);
    }

    // Looks through the peers again if something changed since; cheap otherwise. True when the
    // answer of needs_other() changed for some link.
    bool refresh(const mbus::protocol::node& engine, mbus::protocol::time_point now);

private:
    // Datagrams that arrived by one family only so far; a copy follows within a turn or two.
    static constexpr std::size_t recent_max = 256;
    // Endpoints remembered: as many as the largest session that hello scaling is tested with, twice.
    static constexpr std::size_t endpoints_max = 10'000;
    // Group datagrams in a row without a copy in the main family that count as "not reached by it":
    // one may be lost.
    static constexpr unsigned unpaired_max = 2;

    struct recent_entry {
        std::uint64_t key = 0;
        mbus::protocol::endpoint from;
    };
    struct endpoint_state {
        bool paired = false;    // at least once
        unsigned unpaired = 0;  // since then
        bool operator==(const endpoint_state&) const = default;
    };
    using ring = std::array<recent_entry, recent_max>;

    [[nodiscard]] bool by_other_only(const mbus::protocol::endpoint& from) const;
    void remember(ring& where, std::size_t& next, std::uint64_t key, const mbus::protocol::endpoint& from);

    mbus::protocol::ip_family main_;
    ring main_recent_{};
    ring other_recent_{};
    std::size_t main_next_ = 0;
    std::size_t other_next_ = 0;
    std::map<mbus::protocol::endpoint, endpoint_state> endpoints_;
    std::set<std::uint32_t> links_;
    bool dirty_ = false;
    std::uint64_t generation_ = 0;
    mbus::protocol::time_point looked_{};
};

}  // namespace mbusd
