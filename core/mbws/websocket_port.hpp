// How a session writes to a WebSocket (docs/mbws.md, sections 2, 7 and 8): the frames of connection_port
// in the binding of the client, with the heads of RFC 6455.
//
//     class websocket_connection final : public websocket_port { wake(), read_again() ... };
//     port.set_binding(input.last_binding());   // that of `connect`
//     port.consumed(writev(spans, port.gather(spans)));
//     if (port.finished() && port.waiting() == 0) ...   // the close frame is written: wait for the peer's
//
// One prepared message serves all receivers: small ones are copied behind their heads, bodies above
// shared_body_octets are written from where they are, and the text form of the fields is made once a
// message. In the native binding acknowledgements and pings go out between the fragments of long
// messages. A client masks what it sends, so its port copies everything. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <mbus/result.hpp>

#include "mbws/connection_port.hpp"
#include "mbws/websocket_input.hpp"
#include "websocket/frame.hpp"

namespace mbus::mbws {

// Answers to pings that wait; beyond that a ping is not answered, as RFC 6455 s5.5.3 allows.
inline constexpr std::size_t pong_octets_max = 16 * 1024;

// The close code for the reason that finish() was given (docs/mbws.md, section 6).
[[nodiscard]] websocket::close_code close_code_of(errc reason) noexcept;

class websocket_port : public output_port {
public:
    // With `masks` this is the client's end. They outlive the port.
    explicit websocket_port(websocket::mask_source* masks = nullptr) noexcept : masks_(masks) {}

    void set_binding(binding which) noexcept { binding_ = which; }
    [[nodiscard]] binding used_binding() const noexcept { return binding_; }

    void append(const outgoing_frame& frame) override;
    [[nodiscard]] bool takes_runs() const noexcept override {
        return !finished() && binding_ != binding::text && masks_ == nullptr;
    }
    void append_run(const run_piece& piece) override;

    // Writes the close frame: the code for `reason`, and `CODE: TEXT`.
    void finish(errc reason, std::string_view text) override;
    // finish() uses this code instead of its own (not_utf8).
    void close_as(websocket::close_code code) noexcept { close_as_ = code; }
    // The peer's close frame came: answers it, unless we closed first. Nothing follows.
    void answer_close(websocket::close_code code);

    // Answers a ping of RFC 6455, before what has not begun to be written.
    void pong(std::string_view payload);

protected:
    ~websocket_port() = default;

private:
    void append_text(const outgoing_frame& frame);
    void append_text_lines(const outgoing_frame& frame, std::string_view lines);
    void append_binary(const outgoing_frame& frame);
    void append_native_message(const outgoing_frame& frame);
    void append_native_control(const outgoing_frame& frame);
    char* begin(websocket::opcode what, bool last, std::size_t payload, std::size_t here);
    void mask_written(std::size_t payload) noexcept;
    void append_body(const outgoing_frame& frame, char* at, std::string_view piece);
    [[nodiscard]] bool shares(const outgoing_frame& frame) const noexcept;
    void close(websocket::close_code code, std::string_view reason);

    websocket::mask_source* masks_;
    websocket::mask_key mask_{};      // of the frame that is being written
    char* masked_from_ = nullptr;     // its payload
    websocket::close_code close_as_ = websocket::close_code::none;
    binding binding_ = binding::binary;
};

}  // namespace mbus::mbws
