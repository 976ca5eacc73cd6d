// Puts the engine's datagrams on the wire: each group datagram once per link and family that needs
// it, directed unicast once; sendmmsg in batches. Runs of equal length to one place go as one message
// (bus/datagram_run.hpp); where the kernel refuses that, one by one. Datagrams of a link keep their order.
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
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bus/ip_address.hpp"
#include "bus/send_batch.hpp"
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
        // The kernel takes no runs there; until the links change, datagrams go one by one.
        std::function<void(const group_target* link, int error)> on_runs_refused;
    };

    // How long the kernel may refuse before a datagram is given up: one stuck network card must not
    // hold back the others for long.
    static constexpr std::chrono::milliseconds stall_max{100};

    datagram_sender(std::uint16_t session_port, bool link_scope, hooks calls);
    datagram_sender(const datagram_sender&) = delete;
    datagram_sender& operator=(const datagram_sender&) = delete;

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

    // Whether group datagrams of this family went out since the last call.
    [[nodiscard]] bool take_group_sent(ip_family family) noexcept;

    [[nodiscard]] const std::map<std::uint32_t, link_counts>& counts() const noexcept { return counts_; }
    [[nodiscard]] std::uint64_t errors() const noexcept { return errors_; }
    [[nodiscard]] std::uint64_t oversized() const noexcept { return oversized_; }
    [[nodiscard]] std::uint64_t stalled() const noexcept { return stalled_; }
    // Group datagrams for which there was no link at all.
    [[nodiscard]] std::uint64_t without_link() const noexcept { return without_link_; }

private:
    static constexpr std::size_t window_max = send_batch::datagrams_max;  // datagrams planned at a time

    // A way out: one link in one family, or directed unicast of one family.
    struct lane {
        group_target target;
        send_route route;
        link_counts* counts = nullptr;  // null: directed unicast
        bool runs = true;               // the kernel takes them, as far as is known

        [[nodiscard]] const group_target* link() const noexcept {
            return counts == nullptr ? nullptr : &target;
        }
    };
    // One message for the kernel: `count` datagrams of the window from `first` on.
    struct planned {
        lane* way = nullptr;
        std::size_t first = 0;
        std::size_t count = 1;
    };
    using datagram_span = std::span<const mbus::protocol::outgoing>;

    void plan(datagram_span window);
    void plan_group(datagram_span window, std::size_t first, std::size_t count);
    void plan_runs(datagram_span window, std::size_t first, std::size_t count, lane& way);
    void count_oversized(const lane& way, std::size_t octets);
    [[nodiscard]] bool wanted(const mbus::protocol::outgoing& one, const group_target& target) const;
    bool send_family(datagram_span window, ip_family family, mbus::protocol::time_point now);
    int send_some(datagram_span window, std::span<const planned> messages, int fd);
    void sent(std::span<const planned> messages);
    void failed(std::vector<planned>& messages, std::size_t which, int error);
    static void split(std::vector<planned>& messages, std::size_t which);

    std::uint16_t port_;
    bool link_scope_;
    hooks hooks_;
    std::array<int, 2> sockets_{-1, -1};
    std::vector<lane> lanes_;
    std::vector<lane> unicast_;  // by family
    std::unique_ptr<send_batch> batch_ = std::make_unique<send_batch>();
    // The window under way: what is left of it per family.
    std::array<std::vector<planned>, 2> plan_;
    std::array<std::size_t, 2> done_{};
    std::size_t window_ = 0;
    std::array<bool, 2> group_sent_{};
    std::optional<ip_family> blocked_;
    mbus::protocol::time_point blocked_since_{};
    std::map<std::uint32_t, link_counts> counts_;
    std::uint64_t errors_ = 0;
    std::uint64_t oversized_ = 0;
    std::uint64_t stalled_ = 0;
    std::uint64_t without_link_ = 0;
};

}  // namespace mbusd
