// The insides of bus_driver, shared by its files: bus_driver.cpp (turns, sending, start and end) and
// bus_driver_receive.cpp (from the sockets to the engine).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "bus/bus_driver.hpp"
#include "bus/bus_links.hpp"
#include "bus/datagram_sender.hpp"
#include "bus/family_watch.hpp"
#include "bus/receive_batch.hpp"

namespace mbusd {

struct bus_driver::implementation : std::enable_shared_from_this<implementation> {
    implementation(boost::asio::io_context& io, bus_options options,
                   mbus::protocol::node_options engine_options, mbus::protocol::envelope security,
                   mbus::protocol::node_events& events, logger& journal);

    // What was read in a turn.
    struct taken {
        std::size_t datagrams = 0;
        std::size_t octets = 0;
    };

    boost::asio::io_context& context;
    logger& log;
    bus_links links;
    mbus::protocol::node_options identity;
    mbus::protocol::node engine;
    family_watch families;
    receive_batch batch;
    datagram_sender sender;
    boost::asio::steady_timer timer;
    mbus::protocol::time_point armed = mbus::protocol::never;
    std::optional<mbus::protocol::instant> turn;  // the clocks, while a turn is open
    turn_end own_end{[this](turn_end::step what) { boost::asio::post(context, std::move(what)); }};
    turn_end* end = &own_end;
    bool waiting_writable = false;
    bool started = false;
    bool stopped = false;
    bool loopback_heard = false;
    std::vector<mbus::protocol::endpoint> own_endpoints;  // as our group datagrams come back to us
    std::uint64_t kernel_drops = 0;

    // --- bus_driver.cpp: turns, from the engine to the sockets ---------------------------------
    [[nodiscard]] bool follows_families() const { return links.options().families == family_rule::automatic; }
    datagram_sender::hooks sender_hooks();
    mbus::protocol::instant open_turn() { return turn ? *turn : begin_turn(); }
    mbus::protocol::instant begin_turn();
    void end_turn();
    void flush(const mbus::protocol::instant& at);
    void wait_writable(ip_family family);
    void arm(mbus::protocol::time_point deadline);
    void links_changed();
    void refresh_targets();
    void start();
    void stop();

    // --- bus_driver_receive.cpp: from the sockets to the engine --------------------------------
    bool hear_own(const mbus::protocol::instant& at);
    void readable(family_sockets& sockets, family_sockets::which socket);
    bool read_batch(const mbus::protocol::instant& at, family_sockets& sockets, family_sockets::which socket,
                    taken& sum);
    [[nodiscard]] bool is_own(const received& one) const;
    void take(const mbus::protocol::instant& at, const received& one, bool from_group);
    void count_kernel_drops(family_sockets& sockets, family_sockets::which socket, std::uint32_t total);
};

}  // namespace mbusd
