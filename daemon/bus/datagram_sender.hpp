// Puts the engine's datagrams on the wire: each group datagram once per link and family that needs
// it, directed unicast once; sendmmsg in batches of 64.
//
//     sender.set_targets(targets);                      // whenever the links change
//     const auto done = sender.send(node.transmits(at), at.now);
//     node.transmitted(done);
//     if (sender.blocked()) wait until that family's socket is writable, or sender.stalled_at()
//
// A send error concerns one datagram on one link: counted, told through `on_error`, passed over.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bus/ip_address.hpp"
#include "protocol/node.hpp"
#include "protocol/time.hpp"

namespace mbusd {

// One link in one family, as a destination of group traffic.
struct group_target {
    std::uint32_t interface_index = 0;
    std::string name;
    ip_family family = ip_family::v4;
    ip_address destination;  // the group, or the link's broadcast address
    ip_address source;
    std::size_t payload_max = 0;  // octets that fit into one packet
    bool presence_only = false;   // hello and bye only, unless a peer there needs more
};

struct link_counts {
    std::uint64_t datagrams = 0;
    std::uint64_t errors = 0;
    std::uint64_t oversized = 0;
    int last_error = 0;
};

class datagram_sender {
public:
    struct hooks {
        std::function<bool(std::uint32_t link)> needs_other;                // see family_watch
        std::function<void(const group_target* link, int error)> on_error;  // null: directed unicast
        std::function<void(const group_target& link, std::size_t octets)> on_oversized;
    };

    // How long the kernel may refuse before a datagram is given up: one stuck network card must not
    // hold back the others for long.
    static constexpr std::chrono::milliseconds stall_max{100};

    datagram_sender(std::uint16_t session_port, bool link_scope, hooks calls)
        : port_(session_port), link_scope_(link_scope), hooks_(std::move(calls)) {}

    // Sockets to send from; -1: no such family.
    void set_sockets(int v4, int v6) noexcept { sockets_ = {v4, v6}; }
    void set_targets(std::vector<group_target> targets);

    // Sends from the front; returns how many datagrams are done with. Fewer than all: blocked().
    std::size_t send(std::span<const mbus::protocol::outgoing> datagrams, mbus::protocol::time_point now);

    // The family whose socket takes no more at the moment.
    [[nodiscard]] std::optional<ip_family> blocked() const noexcept { return blocked_; }
    // When send() gives up what blocks; meaningful while blocked().
    [[nodiscard]] mbus::protocol::time_point stalled_at() const noexcept {
        return blocked_since_ + stall_max;
    }

    [[nodiscard]] const std::map<std::uint32_t, link_counts>& counts() const noexcept { return counts_; }
    [[nodiscard]] std::uint64_t errors() const noexcept { return errors_; }
    [[nodiscard]] std::uint64_t oversized() const noexcept { return oversized_; }
    [[nodiscard]] std::uint64_t stalled() const noexcept { return stalled_; }
    // Group datagrams for which there was no link at all.
    [[nodiscard]] std::uint64_t without_link() const noexcept { return without_link_; }

private:
    static constexpr std::size_t window_max = 64;  // datagrams planned at a time

    // One system-level send: a datagram of the window to one target.
    struct item {
        std::size_t datagram = 0;
        const group_target* target = nullptr;  // null: directed unicast
    };
    struct batch;  // headers of one sendmmsg

    void plan(std::span<const mbus::protocol::outgoing> window);
    [[nodiscard]] bool wanted(const mbus::protocol::outgoing& one, const group_target& target) const;
    bool send_family(std::span<const mbus::protocol::outgoing> window, ip_family family,
                     mbus::protocol::time_point now);
    void fill(batch& into, std::size_t place, const mbus::protocol::outgoing& one, const item& what) const;
    void count_error(const item& what, int error);

    std::uint16_t port_;
    bool link_scope_;
    hooks hooks_;
    std::array<int, 2> sockets_{-1, -1};
    std::vector<group_target> targets_;
    // The window under way: what is left of it per family.
    std::array<std::vector<item>, 2> plan_;
    std::array<std::size_t, 2> done_{};
    std::size_t window_ = 0;
    std::optional<ip_family> blocked_;
    mbus::protocol::time_point blocked_since_{};
    std::map<std::uint32_t, link_counts> counts_;
    std::uint64_t errors_ = 0;
    std::uint64_t oversized_ = 0;
    std::uint64_t stalled_ = 0;
    std::uint64_t without_link_ = 0;
};

}  // namespace mbusd
