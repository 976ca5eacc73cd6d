#include "mbws/websocket_output.hpp"

#include <array>

#include "mbws/frame.hpp"

namespace mbus::mbws {

std::size_t websocket_output::take(std::string_view frames) {
    std::size_t taken = 0;
    while (waiting() < websocket_output_high && !finished()) {
        const std::string_view rest = frames.substr(taken);
        if (rest.size() < frame_header_octets || rest.size() < frame_octets(rest.data())) break;
        const frame_head head = read_frame_head(rest.data());
        const std::string_view fields =
            rest.substr(frame_header_octets, head.header_octets - frame_header_octets);
        append({head.verb, head.flags, head.number, {}, fields, rest.substr(head.header_octets, head.body_octets),
                nullptr});
        taken += head.header_octets + std::size_t{head.body_octets};
    }
    return taken;
}

std::string_view websocket_output::front() const noexcept {
    std::array<octet_span, 1> piece;
    return gather(piece) == 0 ? std::string_view{} : std::string_view{piece[0].data, piece[0].size};
}

}  // namespace mbus::mbws
