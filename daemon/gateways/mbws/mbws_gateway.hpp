// The path /mbws: WebSockets that speak the subprotocol `mbws` (docs/mbws.md, section 7).
//
//     mbws_gateway gateway{context, hub, turns, log};
//     gateway.use_clients(directory);
//     gateway.add_paths(paths);
//     ...
//     gateway.stop_accepting();   // shutdown: the router ends the sessions, what waits is written
//     gateway.close();            // gives up what is left
//
// One thread: that of `context`. Everything passed in outlives the gateway.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>

#include <boost/asio/io_context.hpp>

#include "gateways/mbws/websocket_connection.hpp"
#include "http/deadline_queue.hpp"
#include "http/path_table.hpp"
#include "router/client_directory.hpp"
#include "router/router.hpp"
#include "router/turn.hpp"
#include "runtime/log.hpp"

namespace mbusd {

// One read takes at most this; the buffer is shared by all connections.
inline constexpr std::size_t websocket_read_octets = 256 * 1024;

class mbws_gateway {
public:
    mbws_gateway(boost::asio::io_context& context, router& hub, turn_queue& turns, logger& log);
    ~mbws_gateway();
    mbws_gateway(const mbws_gateway&) = delete;
    mbws_gateway& operator=(const mbws_gateway&) = delete;

    // Who knows tokens. Without it every token is wrong.
    void use_clients(client_directory& clients) noexcept { clients_ = &clients; }
    void add_paths(path_table& paths);

    // Refuses handshakes, and ends connections that have no session yet (1001).
    void stop_accepting();
    void close();

    [[nodiscard]] std::size_t connections() const noexcept { return connections_.size(); }
    [[nodiscard]] const websocket_counters& counters() const noexcept { return environment_.counters; }

private:
    using call_pointer = std::shared_ptr<exchange>;

    void handle(const call_pointer& call);
    bool identify(exchange& call, std::shared_ptr<const peer_identity>& who);
    void open(const call_pointer& call, std::shared_ptr<const peer_identity> who);

    boost::asio::io_context& context_;
    router& hub_;
    logger& log_;
    client_directory* clients_ = nullptr;
    std::shared_ptr<const peer_identity> nobody_;  // until `connect` says who it is
    std::unique_ptr<char[]> read_buffer_;
    mbus::mbws::output_port::memory_pool output_;
    deadline_queue deadlines_;
    websocket_environment environment_;
    std::unordered_map<std::uint64_t, std::shared_ptr<websocket_connection>> connections_;
    bool accepting_ = true;
};

}  // namespace mbusd
