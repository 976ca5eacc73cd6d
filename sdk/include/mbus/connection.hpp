// A connection to mbusd: where every program starts.
//
//     auto connection = mbus::connection::connect();
//     if (!connection) return fail(describe(connection.error()));
//     auto me = connection->attach("(app:hello)").wait();
//     me->send("()", "hello.world()");
//
// It never starts a thread. Who runs it:
//   * blocking calls: wait(), receive(limit), run();
//   * a loop of your own: wait until fd() is readable, then call process(). That is all: the
//     descriptor stays the same over reconnects and becomes readable for time limits and waiting
//     output too;
//   * Asio: <mbus/asio.hpp>.
//
// Over WebSocket, to a daemon on another host: include <mbus/websocket.hpp>, and
//
//     auto connection = mbus::connect("wss://bus.example.org/mbws", {.token_file = "token"});
//
// Reconnects by itself and attaches its entities again (connection_event says when). With
// connect_options::window > 0 and expiry > 0 (over WebSocket the default) the session is resumed exactly
// where it stopped; without, operations under way end with errc::disconnected, since their fate is unknown.
//
// Thread-safety: none. One connection and everything made from it belong to one thread at a time;
// use one connection per thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mbus/address.hpp>
#include <mbus/entity.hpp>
#include <mbus/events.hpp>
#include <mbus/export.hpp>
#include <mbus/operation.hpp>
#include <mbus/result.hpp>

namespace mbus {

namespace detail {
class core;
class link;
struct watch_record;
}  // namespace detail

// Messages that wait in one entity for receive(), and their octets: the daemon's own limits.
inline constexpr std::size_t inbox_messages_max = 65536;
inline constexpr std::size_t inbox_octets_max = std::size_t{8} * 1024 * 1024;
// Octets that wait for the daemon to read them; then send() says errc::overflow.
inline constexpr std::size_t outbox_octets_max = std::size_t{8} * 1024 * 1024;

// How to come back after the connection broke.
struct reconnect_policy {
    bool enabled = true;
    std::chrono::milliseconds first{50};    // the delay doubles from here, with dither,
    std::chrono::milliseconds most{5000};   // up to here
};

struct connect_options {
    // The daemon's socket, or its URL: "ws://host:8407/mbws", "wss://..." (<mbus/websocket.hpp>).
    // Empty: $MBUS_SOCKET, else $XDG_RUNTIME_DIR/mbusd/mbusd.sock if it exists, else
    // /run/mbusd/mbusd.sock.
    std::string socket{};
    // Who I am, for humans. Empty: the name of the program.
    std::string name{};
    // Messages that the daemon may have under way to this program without an answer. 0: nothing is
    // acknowledged or resumed, the fastest; more: taken over exactly once over broken connections,
    // as long as `expiry` has not passed. Not given: 0 on the socket, 256 over WebSocket, where 0 is
    // not possible.
    std::optional<std::uint32_t> window{};
    // How long the session outlives its connection. Not given: 0 on the socket, 60 s over WebSocket.
    std::optional<std::chrono::seconds> expiry{};
    // Keep the session over a restart of the daemon; needs a right and a window.
    bool durable = false;
    // connect() and ready() give up after this.
    std::chrono::milliseconds connect_limit{5000};
    // Every operation that waits for the daemon ends with errc::timed_out after this.
    std::chrono::milliseconds operation_limit{10000};
    // The destructor waits this long at most for output that the daemon has not read.
    std::chrono::milliseconds flush_limit{1000};
    reconnect_policy reconnect{};

    // --- for URLs only ---
    // Who I am to the daemon: what `mbus client add NAME` printed, or the file that holds it, which is
    // read at each connection. Neither appears in an error.
    std::string token{};
    std::string token_file{};
    // wss: certificates to trust, PEM. Empty: those of the system.
    std::string ca_file{};
};

// The socket that connect() uses when connect_options::socket is empty.
[[nodiscard]] MBUS_API std::string default_socket();

enum class attach_mode : unsigned char {
    entity,   // take part in the bus under an address
    monitor,  // a copy of every message that fits the pattern; needs a right
    queue,    // read a durable queue (attach_options::queue)
};

// What the daemon does when this program reads too slowly.
enum class slow_reader_policy : unsigned char { drop_oldest, drop_newest, latest, block, disconnect };

struct attach_options {
    attach_mode mode = attach_mode::entity;
    // Only messages with a command whose name fits: "player.*,mixer.mute". Empty: all. Answers to
    // own requests and mbus.go always come.
    std::string commands{};
    // Media types of opaque bodies to take as they are: "image/png", "*/*". Empty: none.
    std::string types{};
    slow_reader_policy policy = slow_reader_policy::drop_oldest;
    std::string queue{};  // its name, for attach_mode::queue
};

enum class connection_state : unsigned char {
    connecting,  // not yet, or not any more, and trying
    connected,
    closed,      // for good: close(), reconnect off, or taken over by another program
};

// "connecting", "connected" or "closed".
[[nodiscard]] MBUS_API std::string_view to_string(connection_state state) noexcept;

// The connection came or went.
struct connection_event {
    connection_state state = connection_state::connecting;
    // With connected: true: the same session goes on, nothing was lost. False: a new session; the
    // entities were attached again, perhaps with another `id`.
    bool resumed = false;
    // A new session: messages of the old one that the daemon had not taken over; their fate is
    // unknown, they are not sent again.
    std::size_t unacknowledged = 0;
    // With connecting and closed: why.
    error reason{};
};

// What to wait for on fd().
enum class io_interest : unsigned char { none = 0, read = 1, write = 2, read_write = 3 };

// Keeps watching while it lives.
class MBUS_API peer_watch {
public:
    explicit peer_watch(std::shared_ptr<detail::watch_record> shared) noexcept;
    peer_watch(peer_watch&&) noexcept;
    peer_watch& operator=(peer_watch&&) noexcept;
    ~peer_watch();

private:
    std::shared_ptr<detail::watch_record> shared_;
};

// While it lives, sends are gathered and go out together when it ends (or when the buffer has
// 64 KiB): for bulk senders that use the blocking calls. A loop gathers by itself.
class MBUS_API send_batch {
public:
    explicit send_batch(std::shared_ptr<detail::core> shared) noexcept;
    send_batch(send_batch&&) noexcept = default;
    send_batch& operator=(send_batch&&) = delete;
    ~send_batch();

private:
    std::shared_ptr<detail::core> shared_;
};

class MBUS_API connection {
public:
    // Connects and waits until the session is open. Errors: no_daemon, unauthorized, forbidden,
    // timed_out, bad_argument; none is tried again.
    static result<connection> connect(const connect_options& options = {});

    // Never blocks and never fails: connects in the background, as after a broken connection.
    static connection start(const connect_options& options = {});

    connection(connection&&) noexcept;
    connection& operator=(connection&&) noexcept;
    // Writes out what waits (connect_options::flush_limit at most) and ends the session.
    ~connection();

    // Ends when the session is open; no_daemon and the like after connect_limit.
    operation<void> ready();
    [[nodiscard]] connection_state state() const noexcept;

    // Takes part in the bus. The daemon adds the `id` element. Errors: bad_address, conflict (the
    // full address exists), forbidden, limit.
    // (Two functions: g++ 12 destroys default arguments of this kind wrongly after co_await.)
    operation<entity> attach(const destination& address);
    operation<entity> attach(const destination& address, const attach_options& options);

    // --- who is there -----------------------------------------------------------------------

    // The entities that fit the pattern, on all hosts of the bus.
    operation<std::vector<peer>> peers(const destination& pattern = "()");
    // How many entities a message to this destination would reach now.
    operation<std::size_t> match(const destination& to);
    // Calls the handler for each entity that is there (present) and then for each that comes or goes,
    // over reconnects.
    operation<peer_watch> watch(const destination& pattern, std::function<void(const peer&)> handler);
    // The way to the daemon and back.
    operation<std::chrono::microseconds> ping();

    // --- what happens to the connection -----------------------------------------------------

    void on_state(std::function<void(const connection_event&)> handler);
    // Called with the number of messages that were dropped since the last call, by the daemon or
    // in this process, because this program read too slowly.
    void on_missed(std::function<void(std::uint64_t)> handler);
    [[nodiscard]] std::uint64_t missed() const noexcept;  // altogether

    // --- running it -------------------------------------------------------------------------

    // Handles what comes until stop(), or until the connection is closed for good (its reason).
    result<void> run();
    // The same for a time; success when it is over.
    result<void> run_for(std::chrono::milliseconds time);
    void stop() noexcept;

    // For a loop of your own. One descriptor for the life of the connection: poll it for reading
    // (poll, select, epoll, GLib, Qt, libuv; level-triggered).
    [[nodiscard]] int fd();
    [[nodiscard]] io_interest interest() const noexcept;  // read, until closed
    // When process() has to run next even if fd() stays silent. The descriptor becomes readable at
    // that time by itself; only loops that cannot poll need this.
    [[nodiscard]] std::optional<clock::time_point> deadline() const;
    // Reads, calls handlers, writes. Never blocks. Fails when the connection is closed for good.
    result<void> process();

    // --- output -----------------------------------------------------------------------------
    // What handlers send goes out together at the end of process(). In a program whose loop calls
    // process(), what it sends elsewhere goes out with the next process(), at once. In any other
    // program every send is written immediately.

    // Waits until the daemon's socket has everything. timed_out: some is still here.
    result<void> flush(std::chrono::milliseconds limit);
    [[nodiscard]] send_batch batch();

    // Ends the session: waits for acknowledgements and the daemon's answer, within the limit.
    result<void> close(std::chrono::milliseconds limit = std::chrono::milliseconds{1000});

    // For libmbus and mbus::testing.
    explicit connection(std::shared_ptr<detail::core> shared) noexcept;

private:
    std::shared_ptr<detail::core> shared_;
};

// connection::connect() to a socket or URL.
[[nodiscard]] MBUS_API result<connection> connect(std::string_view where, connect_options options = {});

}  // namespace mbus
