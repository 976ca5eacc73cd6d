#include "mbws/websocket_port.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <string>

#include "mbws/text_frame.hpp"

namespace mbus::mbws {
namespace {

using websocket::close_code;
using websocket::opcode;

// A client that sends pings and doesn't read is not answered beyond this.
constexpr std::size_t unread_octets_max = 512 * 1024;

std::size_t header_octets(const outgoing_frame& frame) noexcept {
    return frame_header_octets + frame.own_fields.size() + frame.fields.size();
}

char* copy(std::string_view from, char* to) noexcept { return std::copy(from.begin(), from.end(), to); }

// Header and fields in the binary form.
char* write_header(char* at, const outgoing_frame& frame) noexcept {
    const std::size_t header = header_octets(frame);
    assert(header <= header_octets_max);
    write_frame_head(at, {frame.verb, frame.flags, static_cast<std::uint16_t>(header),
                          static_cast<std::uint32_t>(frame.body.size()), frame.number});
    at = copy(frame.own_fields, at + frame_header_octets);
    return copy(frame.fields, at);
}

}  // namespace

close_code close_code_of(errc reason) noexcept {
    if (reason == orderly) return close_code::normal;
    switch (reason) {
    case errc::shutting_down: return close_code::going_away;
    case errc::bad_frame:
    case errc::bad_version:
    case errc::window: return close_code::protocol_error;
    case errc::too_large: return close_code::too_large;
    case errc::limit: return close_code::try_later;
    case errc::internal: return close_code::internal;
    default: return reason < errc::internal ? close_code::policy : close_code::internal;
    }
}

bool websocket_port::shares(const outgoing_frame& frame) const noexcept {
    return masks_ == nullptr && frame.owner != nullptr && frame.body.size() > shared_body_octets;
}

// Room for `here` octets of a frame's payload, behind its head.
char* websocket_port::begin(opcode what, bool last, std::size_t payload, std::size_t here) {
    websocket::frame_head head{what, last, 0, payload, {}};
    if (masks_ != nullptr) head.mask = masks_->next();
    char* const at = queue_.begin_frame(websocket::head_octets(payload, head.mask.has_value()) + here);
    char* const content = at + websocket::write_head(at, head);
    if (head.mask) {
        mask_ = *head.mask;
        masked_from_ = content;
    }
    return content;
}

// The payload of begin() stands where it belongs.
void websocket_port::mask_written(std::size_t payload) noexcept {
    if (masks_ != nullptr) websocket::apply_mask(masked_from_, payload, mask_);
}

// A piece of the body: behind what was written at `at`, or from where it is.
void websocket_port::append_body(const outgoing_frame& frame, char* at, std::string_view piece) {
    if (shares(frame)) {
        if (!piece.empty()) queue_.share(*frame.owner, piece);
    } else {
        copy(piece, at);
    }
}

void websocket_port::append(const outgoing_frame& frame) {
    if (finished()) return;
    if (binding_ == binding::native) {
        if (frame.verb == verb::message) return append_native_message(frame);
        if (frame.verb == verb::ack || frame.verb == verb::ping || frame.verb == verb::pong) {
            return append_native_control(frame);
        }
    }
    if (binding_ == binding::text) {
        append_text(frame);
    } else {
        append_binary(frame);
    }
    if (frame.verb != verb::message) queue_.hold_order();
}

// This binding has no numbers for addresses.
void websocket_port::append_run(const run_piece& piece) {
    outgoing_frame frame{.verb = verb::message,
                         .flags = piece.flags,
                         .number = piece.number,
                         .own_fields = piece.addresses(),
                         .owner = &piece.storage};
    message_run::for_each(piece.frames(), [&](const message_run::message& one) {
        frame.fields = one.time_field;
        frame.body = one.body;
        if (binding_ == binding::native) append_native_message(frame);
        else append_binary(frame);
        if (frame.number != 0) ++frame.number;
    });
}

void websocket_port::append_binary(const outgoing_frame& frame) {
    const std::size_t header = header_octets(frame);
    const std::size_t payload = header + frame.body.size();
    char* const start = begin(opcode::binary, true, payload, shares(frame) ? header : payload);
    append_body(frame, write_header(start, frame), frame.body);
    mask_written(payload);
}

// --- text ---------------------------------------------------------------------------------------

void websocket_port::append_text(const outgoing_frame& frame) {
    if (frame.owner != nullptr && frame.fields.data() == (*frame.owner)->fields().data()) {
        const std::string* const lines = (*frame.owner)->text_lines();
        return lines != nullptr ? append_text_lines(frame, *lines) : append_binary(frame);
    }
    std::string lines;
    const bool has_text = has_text_body(frame.body) && append_text_fields(lines, frame.fields);
    return has_text ? append_text_lines(frame, lines) : append_binary(frame);
}

void websocket_port::append_text_lines(const outgoing_frame& frame, std::string_view lines) {
    std::string own;
    const std::string_view verb_name = to_string(frame.verb);
    if (verb_name.empty() || (!frame.own_fields.empty() && !append_text_fields(own, frame.own_fields))) {
        return append_binary(frame);
    }
    append_text_flags(own, frame.flags);
    std::array<char, 24> number{' '};
    std::size_t digits = 0;
    if (frame.number != 0) {
        const auto written = std::to_chars(number.data() + 1, number.data() + number.size(), frame.number);
        digits = static_cast<std::size_t>(written.ptr - number.data());
    }
    const std::size_t blank = frame.body.empty() ? 0 : 1;
    const std::size_t header = verb_name.size() + digits + 1 + own.size() + lines.size() + blank;
    const std::size_t payload = header + frame.body.size();
    char* at = begin(opcode::text, true, payload, shares(frame) ? header : payload);
    at = copy({number.data(), digits}, copy(verb_name, at));
    *at++ = '\n';
    at = copy(lines, copy(own, at));
    if (blank != 0) *at++ = '\n';
    append_body(frame, at, frame.body);
    mask_written(payload);
}

// --- native -------------------------------------------------------------------------------------

void websocket_port::append_native_message(const outgoing_frame& frame) {
    const std::size_t header = header_octets(frame);
    std::string_view piece = frame.body.substr(0, native_payload_max - header);
    std::string_view rest = frame.body.substr(piece.size());
    const bool by_reference = shares(frame);
    char* const start =
        begin(opcode::extension_data, rest.empty(), header + piece.size(), header + (by_reference ? 0 : piece.size()));
    append_body(frame, write_header(start, frame), piece);
    mask_written(header + piece.size());
    while (!rest.empty()) {
        piece = rest.substr(0, native_payload_max);
        rest.remove_prefix(piece.size());
        char* const at =
            begin(opcode::continuation, rest.empty(), piece.size(), by_reference ? 0 : piece.size());
        append_body(frame, at, piece);
        mask_written(piece.size());
    }
}

void websocket_port::append_native_control(const outgoing_frame& frame) {
    const std::size_t payload = header_octets(frame) + frame.body.size();
    if (payload > websocket::control_octets_max) {
        append_binary(frame);
        queue_.hold_order();
        return;
    }
    std::array<char, websocket::head_octets_max + websocket::control_octets_max> octets{};
    websocket::frame_head head{opcode::extension_control, true, 0, payload, {}};
    if (masks_ != nullptr) head.mask = masks_->next();
    char* const start = octets.data() + websocket::write_head(octets.data(), head);
    char* const end = copy(frame.body, write_header(start, frame));
    if (head.mask) websocket::apply_mask(start, payload, *head.mask);
    queue_.overtake({octets.data(), static_cast<std::size_t>(end - octets.data())});
}

// --- the end ------------------------------------------------------------------------------------

void websocket_port::pong(std::string_view payload) {
    if (finished() || queue_.ahead() >= pong_octets_max || waiting() >= unread_octets_max) return;
    std::string frame;
    websocket::append_frame(frame, opcode::pong, payload,
                            masks_ != nullptr ? std::optional{masks_->next()} : std::nullopt);
    queue_.overtake(frame);
    wake();
}

void websocket_port::finish(errc reason, std::string_view text) {
    if (finished()) return;
    const auto code = close_as_ != close_code::none ? close_as_ : close_code_of(reason);
    if (reason == orderly) return close(code, text);
    std::string words{to_string(reason <= errc::internal ? reason : errc::internal)};
    words.append(": ").append(text);
    close(code, words);
}

void websocket_port::answer_close(close_code code) {
    if (!finished()) close(code, {});
}

void websocket_port::close(close_code code, std::string_view reason) {
    const std::string payload = websocket::close_payload(code, reason);
    copy(payload, begin(opcode::close, true, payload.size(), payload.size()));
    mask_written(payload.size());
    queue_.hold_order();
    output_port::finish(orderly, {});
}

}  // namespace mbus::mbws
