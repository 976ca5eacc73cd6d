// MBWS frames out of the octets of a WebSocket (docs/mbws.md, sections 2, 7 and 8), for either end.
//
//     websocket_input input{{.side = websocket::role::server, .native = extension_negotiated}};
//     input.feed(octets);                       // must live until next() said `need_more`; changed by unmasking
//     frame_view frame;
//     switch (input.next(frame)) {
//     case status::frame:  connection.handle(now, frame); ...      // input.last_binding()
//     case status::ping:   port.pong(input.payload()); ...
//     case status::closed: port.answer_close(input.peer_code()); ...
//     case status::failed: port.close_as(input.failure_code()); connection.fault(now, input.failure());
//
// Text, binary and native frames may be mixed as section 2 says. An idle input holds no memory.
// Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <mbus/result.hpp>

#include "mbws/frame.hpp"
#include "websocket/message_reader.hpp"

namespace mbus::mbws {

// The form of frames on a WebSocket. native: the extension `mbws` was negotiated (section 8).
enum class binding : std::uint8_t { text, binary, native };

// Payload of one native frame at most; a longer message goes in several (section 8).
inline constexpr std::size_t native_payload_max = 65535;

class websocket_input {
public:
    enum class status : std::uint8_t { frame, ping, pong, closed, need_more, failed };

    struct rules {
        websocket::role side = websocket::role::server;  // ours
        bool native = false;                             // the extension `mbws` was negotiated
        std::size_t frame_octets_max = frame_octets_default;
    };

    explicit websocket_input(const rules& what) noexcept
        : reader_({what.side, what.frame_octets_max, what.native}), native_(what.native) {}

    void set_frame_octets_max(std::size_t octets) noexcept { reader_.set_message_octets_max(octets); }

    // What was fed before must be used up (need_more) or kept.
    void feed(std::span<char> octets) { reader_.feed(octets); }

    // The next frame, or what else came; views are valid until the next call of anything here.
    status next(frame_view& out);

    // Copies what next() has not looked at yet, so that the fed octets may go away.
    void keep() { reader_.keep(); }

    // How the frame came that next() returned last: the broker writes in the binding of `connect`.
    [[nodiscard]] binding last_binding() const noexcept { return last_binding_; }

    // Of a ping or pong, and the reason of a close frame.
    [[nodiscard]] std::string_view payload() const noexcept { return got_.payload; }
    // Of a close frame; close_code::none when it had none.
    [[nodiscard]] websocket::close_code peer_code() const noexcept { return got_.code; }

    [[nodiscard]] bool failed() const noexcept { return wrong_ != nullptr || reader_.failed(); }
    // bad-frame, too-large or rate, with what to do; and the code of our close frame.
    [[nodiscard]] error failure() const;
    [[nodiscard]] websocket::close_code failure_code() const;

    [[nodiscard]] std::size_t held() const noexcept { return reader_.held(); }

private:
    status read_text(frame_view& out);
    status read_binary(frame_view& out);
    status read_native_message(frame_view& out);
    status read_native_control(frame_view& out);
    status refuse(const char* wrong) noexcept;

    websocket::message_reader reader_;
    websocket::received_message got_;
    bool native_;
    binding last_binding_ = binding::binary;
    const char* wrong_ = nullptr;
};

}  // namespace mbus::mbws
