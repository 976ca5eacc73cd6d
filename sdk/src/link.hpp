// What a connection needs from outside: octets, time, randomness, and a way to sleep. The Unix socket
// (unix_link.hpp) and the in-process bus of mbus::testing implement it; nothing else in the SDK
// touches the system.
//
// Thread-safety: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include <mbus/export.hpp>
#include <mbus/operation.hpp>
#include <mbus/result.hpp>

namespace mbus {
class connection;
struct connect_options;
}  // namespace mbus

namespace mbus::detail {

inline constexpr clock::time_point never = clock::time_point::max();

struct piece {
    const char* data = nullptr;
    std::size_t size = 0;
};

struct io_outcome {
    std::size_t octets = 0;
    bool broken = false;  // the other side is gone; 0 octets and not broken: nothing to do now
};

class link {
public:
    virtual ~link() = default;

    [[nodiscard]] virtual clock::time_point now() = 0;
    // Fresh for each call: where request numbers and reconnect dither start.
    [[nodiscard]] virtual std::uint64_t random() = 0;

    // One attempt to connect. Errors: no_daemon, forbidden, bad_argument; rate: try again soon.
    virtual result<void> open() = 0;
    virtual void close() noexcept = 0;
    virtual io_outcome read(std::span<char> into) = 0;
    virtual io_outcome write(std::span<const piece> what) = 0;

    // Whether room for output counts as a reason to wake up.
    virtual void watch_output(bool wanted) = 0;
    // Sleeps until there is input, room for watched output, or `until`.
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

// A connection over another link, which `out` runs too; for mbus::testing.
MBUS_API connection connect_over(std::unique_ptr<link> way, const connect_options& options, driver& out);

}  // namespace mbus::detail
