// The client's way from client_session::output() to a WebSocket: binary frames in, masked WebSocket
// messages in the binary or native binding out.
//
//     websocket_output out{masks, extension_accepted ? binding::native : binding::binary};
//     session.written(out.take(session.output()));      // takes whole frames while there is room
//     out.consumed(socket.write(spans, out.gather(spans)));
//
// What take() leaves stays in the session, where its own limits reach it. Not thread-safe.
#pragma once

#include <cstddef>
#include <string_view>

#include "mbws/websocket_port.hpp"

namespace mbus::mbws {

// take() stops when so many octets wait: some turns of a fast reader.
inline constexpr std::size_t websocket_output_high = 256 * 1024;

class websocket_output final : public websocket_port {
public:
    // The masks outlive this.
    explicit websocket_output(websocket::mask_source& masks, binding which = binding::binary) noexcept
        : websocket_port(&masks) {
        set_binding(which);
    }

    // Takes whole binary frames from the front of `frames`; how many octets they had.
    std::size_t take(std::string_view frames);

    // The first piece of what waits; for a socket without writev.
    [[nodiscard]] std::string_view front() const noexcept;

private:
    void wake() override {}
    void read_again() override {}
};

}  // namespace mbus::mbws
