#include "mbws/connection_port.hpp"

#include <algorithm>
#include <cassert>

namespace mbus::mbws {

void output_port::finish(errc /*reason*/, std::string_view /*text*/) {
    finished_ = true;
    wake();
}

void stream_port::append(const outgoing_frame& frame) {
    if (finished()) return;
    const std::size_t header = frame_header_octets + frame.own_fields.size() + frame.fields.size();
    assert(header <= header_octets_max);
    const bool by_reference = frame.owner != nullptr && frame.body.size() > shared_body_octets;
    char* at = queue_.begin_frame(header + (by_reference ? 0 : frame.body.size()));
    write_frame_head(at, {frame.verb, frame.flags, static_cast<std::uint16_t>(header),
                          static_cast<std::uint32_t>(frame.body.size()), frame.number});
    at += frame_header_octets;
    at = std::copy(frame.own_fields.begin(), frame.own_fields.end(), at);
    at = std::copy(frame.fields.begin(), frame.fields.end(), at);
    if (by_reference) {
        queue_.share(*frame.owner, frame.body);
    } else {
        std::copy(frame.body.begin(), frame.body.end(), at);
    }
}

}  // namespace mbus::mbws
