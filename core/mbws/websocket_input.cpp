#include "mbws/websocket_input.hpp"

#include <string>

#include "mbws/text_frame.hpp"

namespace mbus::mbws {

using websocket::close_code;
using websocket::message_reader;
using websocket::opcode;

websocket_input::status websocket_input::next(frame_view& out) {
    if (wrong_ != nullptr) return status::failed;
    switch (reader_.next(got_)) {
    case message_reader::status::need_more: return status::need_more;
    case message_reader::status::failed: return status::failed;
    case message_reader::status::message: break;
    }
    switch (got_.what) {
    case opcode::text: return read_text(out);
    case opcode::binary: return read_binary(out);
    case opcode::extension_data: return read_native_message(out);
    case opcode::extension_control: return read_native_control(out);
    case opcode::ping: return status::ping;
    case opcode::pong: return status::pong;
    case opcode::close: return status::closed;
    case opcode::continuation: break;  // the reader's affair
    }
    return refuse("a reserved opcode");
}

websocket_input::status websocket_input::refuse(const char* wrong) noexcept {
    wrong_ = wrong;
    return status::failed;
}

websocket_input::status websocket_input::read_text(frame_view& out) {
    last_binding_ = binding::text;
    if (parse_text_frame(got_.payload, out)) return status::frame;
    return refuse("a text message is no frame in the text form (section 2.2)");
}

websocket_input::status websocket_input::read_binary(frame_view& out) {
    last_binding_ = native_ ? binding::native : binding::binary;
    if (const char* const wrong = decode_frame(got_.payload, out)) return refuse(wrong);
    if (native_ && out.verb == verb::message) {
        return refuse("with the extension mbws a message has the opcode 3 (section 8)");
    }
    return status::frame;
}

// The header and fields are the frame's extension data: they stand whole in the first frame.
websocket_input::status websocket_input::read_native_message(frame_view& out) {
    last_binding_ = binding::native;
    if (const char* const wrong = decode_frame(got_.payload, out)) return refuse(wrong);
    if (out.verb != verb::message) return refuse("the opcode 3 is for the verb message (section 8)");
    if (read_frame_head(got_.payload.data()).header_octets > got_.first_frame_octets) {
        return refuse("the first frame of a message has its whole header, H octets (section 8)");
    }
    return status::frame;
}

websocket_input::status websocket_input::read_native_control(frame_view& out) {
    last_binding_ = binding::native;
    if (const char* const wrong = decode_frame(got_.payload, out)) return refuse(wrong);
    if (out.verb != verb::ack && out.verb != verb::ping && out.verb != verb::pong) {
        return refuse("the opcode B is for the verbs ack, ping and pong (section 8)");
    }
    return status::frame;
}

error websocket_input::failure() const {
    if (wrong_ != nullptr) return {errc::bad_frame, std::string{wrong_} + "; see docs/mbws.md"};
    const auto fault = reader_.failure();
    switch (fault.code) {
    case close_code::too_large: return {errc::too_large, fault.text + " (field size)"};
    case close_code::policy: return {errc::rate, fault.text};
    default: return {errc::bad_frame, fault.text};
    }
}

close_code websocket_input::failure_code() const {
    return wrong_ != nullptr ? close_code::protocol_error : reader_.failure().code;
}

}  // namespace mbus::mbws
