// What a connection needs from outside: octets, time, randomness, and a way to sleep. The Unix socket
// (unix_link.hpp), WebSocket (../websocket) and the in-process bus of mbus::testing implement it;
// nothing else in the SDK touches the system.
//
// Thread-safety: none.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <mbus/export.hpp>
#include <mbus/operation.hpp>
#include <mbus/result.hpp>

namespace mbus {
class connection;
struct connect_options;
}  // namespace mbus

namespace mbus::detail {

inline constexpr clock::time_point never = clock::time_point::max();

struct io_outcome {
    std::size_t octets = 0;
    bool broken = false;  // the other side is gone; 0 octets and not broken: nothing to do now
};

// Why a link broke.
struct link_fault {
    error why{errc::disconnected, "the daemon closed the connection"};
    bool final = false;  // connecting again would end the same way
};

class link {
public:
    virtual ~link() = default;

    [[nodiscard]] virtual clock::time_point now() = 0;
    // Fresh for each call: where request numbers and reconnect dither start.
    [[nodiscard]] virtual std::uint64_t random() = 0;

    // One attempt to connect. Errors: no_daemon, forbidden, bad_argument; rate: try again soon. A link
    // may need longer: then read() and write() do nothing until it is through.
    virtual result<void> open() = 0;
    virtual void close() noexcept = 0;
    virtual io_outcome read(std::span<char> into) = 0;
    // `frames`: binary MBWS frames, from where the last write() stopped to the end of a frame.
    virtual io_outcome write(std::string_view frames) = 0;
    // After read() or write() said `broken`.
    [[nodiscard]] virtual link_fault fault() const { return {}; }
    // Octets that write() took and the system has not.
    [[nodiscard]] virtual std::size_t waiting() const { return 0; }
    // When the link itself wants a read(), whether or not there is input.
    [[nodiscard]] virtual clock::time_point deadline() const { return never; }
    // Give the connection up after this long without a frame; 0: the link tells when it breaks.
    [[nodiscard]] virtual std::chrono::seconds silence_max() const { return std::chrono::seconds{0}; }

    // Whether room for output counts as a reason to wake up.
    virtual void watch_output(bool wanted) = 0;
    // Sleeps until there is input, room for watched output, or `until`, counted from the last now().
    virtual void wait(clock::time_point until) = 0;

    // One descriptor for the life of the link, readable when wait() would return.
    [[nodiscard]] virtual int fd() = 0;
    // Makes fd() readable at this time; only matters once fd() was asked for.
    virtual void wake_at(clock::time_point when) = 0;
};

// How somebody else than its owner runs a connection. All of them do nothing once it is gone.
struct driver {
    std::function<bool()> ready;                    // it is there and not running at the moment
    std::function<void()> turn;                     // process()
    std::function<clock::time_point()> deadline;
    std::function<bool()> has_output;               // something waits to be written
};

// Makes the link to a URL. Faults of the URL or of the options are told by its open().
using link_maker = std::unique_ptr<link> (*)(const connect_options& options);

// From now on URLs in connect_options::socket go to this; libmbus-websocket calls it.
MBUS_API void use_for_urls(link_maker maker) noexcept;

// A connection over another link, which `out` runs too; for mbus::testing.
MBUS_API connection connect_over(std::unique_ptr<link> way, const connect_options& options, driver& out);

}  // namespace mbus::detail
