// How a broker's session writes to its connection, and the implementation for streams; that for
// WebSockets is in websocket_port.hpp.
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
#include <initializer_list>
#include <span>
#include <string_view>

#include <mbus/result.hpp>

#include "mbws/address_numbers.hpp"
#include "mbws/frame.hpp"
#include "mbws/message_run.hpp"
#include "mbws/output_queue.hpp"
#include "mbws/prepared_message.hpp"

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
    // Whether the client takes the frames of runs as they are; then, and only then, append_run() may be called.
    [[nodiscard]] virtual bool takes_runs() const noexcept { return false; }
    virtual void append_run(const run_piece& /*piece*/) {}
    // Octets appended and not yet written.
    [[nodiscard]] virtual std::size_t waiting() const noexcept = 0;
    // There is something to write: call fill() and write at the end of this turn. May be called
    // several times; must not call the session.
    virtual void wake() = 0;
    // The session wants input again after wants_input() was false. Must not call the session.
    virtual void read_again() = 0;
    // The client remembers so many addresses by number. A binding without numbers ignores it.
    virtual void remembers(std::uint16_t /*addresses*/) {}
    // Nothing follows: write what waits, then close. `reason` for a WebSocket's close frame.
    virtual void finish(errc reason, std::string_view text) = 0;

protected:
    ~connection_port() = default;
};

// The finish() reason of an orderly close, which is no error.
inline constexpr errc orderly = errc::cancelled;

// A port that collects what is to be written in an output_queue.
class output_port : public connection_port {
public:
    using memory_pool = output_queue::memory_pool;

    [[nodiscard]] std::size_t waiting() const noexcept override { return queue_.waiting(); }
    void finish(errc reason, std::string_view text) override;

    // What to write, and what of it was (output_queue).
    std::size_t gather(std::span<octet_span> out) const noexcept { return queue_.gather(out); }
    void consumed(std::size_t octets) noexcept { queue_.consumed(octets); }
    // gather() begins with the same octets next time: after a TLS write that wants to be repeated.
    void hold_order() noexcept { queue_.hold_order(); }
    // finish() was called: when nothing waits any more, the connection is to be closed.
    [[nodiscard]] bool finished() const noexcept { return finished_; }

    void trim() noexcept { queue_.trim(); }
    void use(memory_pool& pool) noexcept { queue_.use(pool); }
    void give_back() { queue_.give_back(); }

protected:
    ~output_port() = default;

    output_queue queue_;

private:
    bool finished_ = false;
};

// Binary frames back to back: the local binding.
class stream_port : public output_port {
public:
    void append(const outgoing_frame& frame) override;
    [[nodiscard]] bool takes_runs() const noexcept override { return !finished() && told_.size() == addresses_of_broker; }
    void append_run(const run_piece& piece) override;
    void remembers(std::uint16_t addresses) override { told_ = told_addresses{addresses}; }

protected:
    ~stream_port() = default;

private:
    void append_message(const outgoing_frame& frame, const prepared_message& what);
    void append_numbered(std::string_view frames, std::uint64_t number, std::uint8_t flags);
    // `fields`: in pieces, in place of the frame's own.
    void append_frame(const outgoing_frame& frame, std::initializer_list<std::string_view> fields);

    told_addresses told_;
};

}  // namespace mbus::mbws
