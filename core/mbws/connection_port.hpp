// How a broker's session writes to its connection, and the implementation for streams.
//
// The session appends frames; the connection writes them once per turn:
//
//     void wake() override { turn_.add(*this); }     // at the end of the turn:
//     session.fill(now);                             // moves what waits into the port
//     std::array<octet_span, 64> spans;
//     auto count = port.gather(spans);
//     port.consumed(writev(spans, count));
//     if (port.finished() && port.waiting() == 0) close();
//
// Thread-safety: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <mbus/result.hpp>

#include "mbws/frame.hpp"
#include "mbws/prepared_message.hpp"
#include "mbws/ring.hpp"

namespace mbus::mbws {

// One frame to write. Views die with the call, except `fields` and `body` when `owner` is given.
struct outgoing_frame {
    mbws::verb verb = verb::unknown;
    std::uint8_t flags = 0;
    std::uint64_t number = 0;
    std::string_view own_fields{};  // binary fields for this receiver only
    std::string_view fields{};      // binary fields
    std::string_view body{};
    const message_ref* owner = nullptr;  // keeps `fields` and `body` alive
};

class connection_port {
public:
    // Puts a frame at the end of what is to be written.
    virtual void append(const outgoing_frame& frame) = 0;
    // Octets appended and not yet written.
    [[nodiscard]] virtual std::size_t waiting() const noexcept = 0;
    // There is something to write: call fill() and write at the end of this turn. May be called
    // several times; must not call the session.
    virtual void wake() = 0;
    // The session wants input again after wants_input() was false. Must not call the session.
    virtual void read_again() = 0;
    // Nothing follows: write what waits, then close. `reason` for a WebSocket's close frame.
    virtual void finish(errc reason, std::string_view text) = 0;

protected:
    ~connection_port() = default;
};

// The finish() reason of an orderly close, which is no error.
inline constexpr errc orderly = errc::cancelled;

// A piece of output, for struct iovec.
struct octet_span {
    const char* data = nullptr;
    std::size_t size = 0;
};

// Binary frames back to back: the local binding. Small frames stand in one run of octets, bodies
// above shared_body_octets are written from where they are. Allocates nothing in steady traffic; with
// a pool, a port that has written everything can hand its memory to the next that needs some.
class stream_port : public connection_port {
    // A run of run_ (owner == null), or the body of a message.
    struct segment {
        std::size_t octets = 0;
        message_ref owner;
    };
    struct memory {
        std::string run;
        ring<segment> segments;
    };

public:
    // Memory that ports of one thread use in turn. It outlives them.
    class memory_pool {
    private:
        friend class stream_port;
        std::vector<memory> spare_;
        std::size_t octets_ = 0;  // capacity of all runs
    };

    void append(const outgoing_frame& frame) override;
    [[nodiscard]] std::size_t waiting() const noexcept override { return waiting_; }
    void finish(errc reason, std::string_view text) override;

    // Fills `out` from the front of what waits; how many were used.
    std::size_t gather(std::span<octet_span> out) const noexcept;
    // The first `octets` of what waits were written (or given up).
    void consumed(std::size_t octets) noexcept;
    [[nodiscard]] bool finished() const noexcept { return finished_; }
    // Gives memory back that was needed for a burst. For a connection that has been quiet for a
    // while; in steady traffic the memory is used again.
    void trim() noexcept;

    // From here on memory comes from `pool`, and give_back() takes it there.
    void use(memory_pool& pool) noexcept { pool_ = &pool; }
    // Holds no memory any more if nothing waits. For the end of a turn.
    void give_back();

protected:
    ~stream_port() = default;

private:
    void borrow() noexcept;
    char* extend_run(std::size_t octets);
    void compact() noexcept;

    std::string run_;
    std::size_t run_at_ = 0;   // what of it was written
    ring<segment> segments_;   // in order; adjacent runs are one segment
    std::size_t body_at_ = 0;  // octets written of the body in front
    std::size_t waiting_ = 0;
    bool finished_ = false;
    memory_pool* pool_ = nullptr;
};

}  // namespace mbus::mbws
