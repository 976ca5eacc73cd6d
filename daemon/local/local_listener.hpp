// The local binding of MBWS: clients on a Unix socket, with the rights that the kernel's word about
// them gives.
//
//     local_listener local{context, std::move(socket), router, turns, log};
//     local.start();
//     ...
//     local.stop_accepting();   // shutdown: the router ends the sessions, what waits is written
//     local.close();            // gives up what is left
//
// One thread: that of `context`. Everything passed in outlives the listener.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "local/local_connection.hpp"
#include "local/peer_credentials.hpp"
#include "router/router.hpp"
#include "router/turn.hpp"
#include "runtime/log.hpp"
#include "runtime/unique_fd.hpp"

namespace mbusd {

// One read takes at most this; the buffer is shared by all connections. More would only push what it
// brings out of the cache before it is looked at.
inline constexpr std::size_t local_read_octets = 64 * 1024;

class local_listener {
public:
    local_listener(boost::asio::io_context& context, unique_fd socket, router& hub, turn_queue& turns, logger& log);
    ~local_listener();
    local_listener(const local_listener&) = delete;
    local_listener& operator=(const local_listener&) = delete;

    void start();
    void stop_accepting();
    void close();

    // Rules, users and groups may have changed: worked out anew for later connections.
    void configuration_changed();

    [[nodiscard]] std::size_t connections() const noexcept { return connections_.size(); }

private:
    void wait_for_client();
    void accept_some();
    bool accept_one();
    void serve(unique_fd socket);
    std::shared_ptr<const granted_rights> rights_of(const user_identity& user);
    void refuse(unique_fd socket, mbus::errc code, std::string_view text);
    void watch_deadlines();

    boost::asio::io_context& context_;
    boost::asio::posix::stream_descriptor socket_;
    boost::asio::steady_timer retry_;
    boost::asio::steady_timer deadline_timer_;
    router& hub_;
    turn_queue& turns_;
    logger& log_;
    name_cache names_;
    std::unordered_map<std::string, std::shared_ptr<const granted_rights>> rights_;  // by user and groups
    std::shared_ptr<const peer_identity> last_;  // of the client accepted last
    std::unique_ptr<char[]> read_buffer_;
    mbus::mbws::stream_port::memory_pool output_;
    local_environment environment_;
    std::unordered_map<std::uint64_t, std::shared_ptr<local_connection>> connections_;
    std::vector<std::weak_ptr<local_connection>> with_deadline_;  // before `connect`, after the last frame
    bool watching_ = false;
    bool accepting_ = false;
};

}  // namespace mbusd
