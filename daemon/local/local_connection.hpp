// One client on the Unix socket: one read and one writev per turn, frames in and out.
//
// An idle connection holds no buffer: what is read goes through one buffer of the listener, what is
// to be written stands in the port only while the client is slower than the daemon.
// Made and owned by local_listener. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include "mbws/broker_connection.hpp"
#include "mbws/connection_port.hpp"
#include "mbws/frame_reader.hpp"
#include "router/router.hpp"
#include "router/turn.hpp"
#include "runtime/unique_fd.hpp"

namespace mbusd {

// For a client that does not read our last words.
inline constexpr std::chrono::seconds linger_patience{5};

// What a connection needs of its listener.
struct local_environment {
    boost::asio::io_context& context;
    router& hub;
    turn_queue& turns;
    std::span<char> read_buffer;                     // shared: used within one call only
    mbus::mbws::stream_port::memory_pool& output;    // shared: held only while something waits
    std::function<void(std::uint64_t)> deadline;     // the connection has a deadline now
    std::function<void(std::uint64_t)> ended;        // the connection may be destroyed, later
    std::function<mbus::mbws::time_point()> now;
};

class local_connection final : public mbus::mbws::stream_port,
                               private turn_task,
                               public std::enable_shared_from_this<local_connection> {
public:
    local_connection(local_environment& environment, unique_fd socket, std::shared_ptr<const peer_identity> who);
    ~local_connection();

    void start();
    // Gives the connection up at once.
    void close();

    [[nodiscard]] std::uint64_t id() const noexcept { return id_; }
    // True before `connect` and after the last frame: the times in which it has a deadline.
    [[nodiscard]] bool has_deadline() noexcept;
    void advance(mbus::mbws::time_point now);

    // connection_port
    void wake() override { environment_.turns.add(*this); }
    void read_again() override;
    void finish(mbus::errc reason, std::string_view text) override;

private:
    // With the executor's own type, which spares a walk through the one that may hold any.
    using descriptor = boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type>;

    void end_of_turn() override;
    void wait_readable();
    void wait_writable();
    void readable();
    void discard_input();
    void take_frames();
    void write();
    ssize_t send(std::span<const mbus::mbws::octet_span> pieces);

    local_environment& environment_;
    descriptor socket_;
    std::uint64_t id_;
    mbus::mbws::frame_reader reader_;
    mbus::mbws::broker_connection connection_;
    bool reading_ = false;     // a wait for input is under way
    bool writing_ = false;     // the socket is full, a wait for room is under way
    bool paused_ = false;      // the session wants no input
    bool resume_ = false;      // it wants some again
    bool closed_ = false;
    mbus::mbws::time_point linger_until_ = mbus::mbws::never;
};

}  // namespace mbusd
