// The path /xmpp: XMPP over WebSocket (RFC 7395), and the domain behind it.
//
//     xmpp_gateway gateway{context, {.domain = "bus.example"}, accounts, turns, now, log};
//     gateway.domain().add(pubsub);
//     gateway.add_paths(paths);
//     ...
//     gateway.stop_accepting();   // shutdown: every session ends with system-shutdown
//     gateway.close();
//
// One thread: that of `context`. Everything passed in outlives the gateway.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>

#include <boost/asio/io_context.hpp>

#include "gateways/xmpp/server.hpp"
#include "gateways/xmpp/xmpp_connection.hpp"
#include "http/deadline_queue.hpp"
#include "http/path_table.hpp"
#include "router/turn.hpp"
#include "runtime/log.hpp"

namespace mbusd {

// One read takes at most this; the buffer is shared by all connections.
inline constexpr std::size_t xmpp_read_octets = 64 * 1024;

struct xmpp_options {
    xmpp::server_options server;
    bool anonymous = false;  // guests are welcome
};

class xmpp_gateway final : private turn_task {
public:
    xmpp_gateway(boost::asio::io_context& context, xmpp_options options, sasl_accounts& accounts, turn_queue& turns,
                 std::function<xmpp::time_point()> now, logger& log);
    ~xmpp_gateway();
    xmpp_gateway(const xmpp_gateway&) = delete;
    xmpp_gateway& operator=(const xmpp_gateway&) = delete;

    void add_paths(path_table& paths);
    [[nodiscard]] xmpp::server& domain() noexcept { return domain_; }
    [[nodiscard]] const xmpp::connection_counters& counters() const noexcept { return environment_.counters; }
    [[nodiscard]] std::size_t connections() const noexcept { return connections_.size(); }

    // The account was removed or has a new password.
    void end_sessions_of(std::string_view user);

    void stop_accepting();
    void close();

private:
    void handle(const std::shared_ptr<exchange>& call);
    void end_of_turn() override;

    boost::asio::io_context& context_;
    xmpp_options options_;
    turn_queue& turns_;
    logger& log_;
    xmpp::server domain_;
    std::unique_ptr<char[]> read_buffer_;
    deadline_queue deadlines_;
    xmpp::connection_environment environment_;
    std::unordered_map<std::uint64_t, std::shared_ptr<xmpp::connection>> connections_;
    std::uint64_t last_id_ = 0;  // 0 itself names the domain among the deadlines
    xmpp::time_point armed_ = xmpp::never;
    bool accepting_ = true;
};

}  // namespace mbusd
