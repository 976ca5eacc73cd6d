#include "websocket/message_reader.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "message/text.hpp"

namespace mbus::websocket {
namespace {

bool is_known(opcode what, bool extension) noexcept {
    switch (what) {
    case opcode::continuation:
    case opcode::text:
    case opcode::binary:
    case opcode::close:
    case opcode::ping:
    case opcode::pong: return true;
    case opcode::extension_data:
    case opcode::extension_control: return extension;
    }
    return false;
}

std::string_view view_of(std::span<char> octets) noexcept { return {octets.data(), octets.size()}; }

void release(std::string& memory) noexcept { std::string{}.swap(memory); }

}  // namespace

void message_reader::feed(std::span<char> octets) {
    drop_used();
    if (failed()) return;
    if (input_.empty()) {
        release(kept_);
        input_ = octets;
    } else {  // behind what was kept
        assert(!kept_.empty());
        kept_.erase(0, kept_.size() - input_.size());
        kept_.append(octets.data(), octets.size());
        input_ = kept_;
    }
}

void message_reader::keep() {
    drop_used();
    std::string rest{input_.data(), input_.size()};
    kept_.swap(rest);
    input_ = kept_;
}

void message_reader::drop_used() noexcept {
    if (std::exchange(used_message_, false)) release(message_);
    if (std::exchange(used_control_, false)) release(control_);
}

std::size_t message_reader::held() const noexcept {
    const bool kept = !kept_.empty();
    return begun_octets_ + message_.size() + control_.size() + (kept ? input_.size() : 0);
}

message_reader::status message_reader::refuse(close_code code, const char* wrong) noexcept {
    code_ = code;
    wrong_ = wrong;
    input_ = {};
    return status::failed;
}

protocol_fault message_reader::failure() const {
    if (!failed()) return {};
    if (code_ == close_code::too_large) {
        return {code_, "a message of " + std::to_string(refused_octets_) + " octets or more came, at most " +
                           std::to_string(rules_.message_octets_max) + " are taken; send smaller messages"};
    }
    return {code_, wrong_};
}

// What is wrong with a head shows in its first two octets, mostly.
bool message_reader::check_head(const char* first_two, std::size_t octets) noexcept {
    const auto wrong = [this](const char* text) {
        refuse(close_code::protocol_error, text);
        return false;
    };
    const auto first = static_cast<unsigned char>(first_two[0]);
    const auto what = static_cast<opcode>(first & 0x0FU);
    if ((first & 0x70U) != 0) return wrong("a reserved bit (RSV) is set; no extension was negotiated for it");
    if (!is_known(what, rules_.extension)) {
        return wrong("a reserved opcode; offer the extension mbws in the handshake to use 3 and B");
    }
    if (is_control(what)) {
        if ((first & 0x80U) == 0) return wrong("a control frame may not be fragmented");
    } else if (what == opcode::continuation ? !in_message_ : in_message_) {
        return wrong(in_message_ ? "a new message began before the last one was complete"
                                 : "a continuation frame without a message to continue");
    }
    if (octets < 2) return true;
    const auto second = static_cast<unsigned char>(first_two[1]);
    const bool masked = (second & 0x80U) != 0;
    if (masked != (rules_.side == role::server)) {
        return wrong(masked ? "a server's frame is masked" : "a client's frame is not masked");
    }
    if (is_control(what) && (second & 0x7FU) > control_octets_max) {
        return wrong("a control frame carries at most 125 octets");
    }
    return true;
}

bool message_reader::check_lengths(const frame_head& head) noexcept {
    if (is_control(head.what)) return true;
    const std::uint64_t room = rules_.message_octets_max - std::min(message_.size(), rules_.message_octets_max);
    if (head.payload > room) {
        refused_octets_ = message_.size() + head.payload;
        refuse(close_code::too_large, "too large");
        return false;
    }
    const bool empty_fragment = head.payload == 0 && !head.last;
    if (empty_fragment && ++empty_fragments_ > empty_fragments_max) {
        refuse(close_code::policy, "a message of endlessly many empty fragments; at most 128 are taken");
        return false;
    }
    return true;
}

// Reads the head of a frame, from one piece or from several.
message_reader::progress message_reader::begin_frame() {
    const char* head = input_.data();
    std::size_t octets = input_.size();
    std::size_t wanted = 2;
    if (begun_octets_ == 0 && octets >= 2 && octets >= head_octets(head)) {
        wanted = head_octets(head);
        if (!check_head(head, octets)) return progress::failed;
        if (!is_minimal(head)) {
            refuse(close_code::protocol_error, "a length is not written in as few octets as possible");
            return progress::failed;
        }
        head_ = read_head(head);
        input_ = input_.subspan(wanted);
    } else {
        while (true) {
            wanted = begun_octets_ < 2 ? begun_octets_ + std::size_t{1} : head_octets(begun_.data());
            if (begun_octets_ > 0 && !check_head(begun_.data(), begun_octets_)) return progress::failed;
            if (begun_octets_ >= 2 && begun_octets_ == wanted) break;
            if (input_.empty()) return progress::more;
            begun_[begun_octets_++] = input_.front();
            input_ = input_.subspan(1);
        }
        if (!is_minimal(begun_.data())) {
            refuse(close_code::protocol_error, "a length is not written in as few octets as possible");
            return progress::failed;
        }
        head_ = read_head(begun_.data());
        begun_octets_ = 0;
    }
    if (!is_control(head_.what) && !in_message_) empty_fragments_ = 0;
    if (!check_lengths(head_)) return progress::failed;
    in_frame_ = true;
    payload_at_ = 0;
    if (!is_control(head_.what) && !in_message_) {
        in_message_ = true;
        message_opcode_ = head_.what;
        first_frame_octets_ = head_.payload;
    }
    return progress::done;
}

// What has come of the frame's payload, unmasked.
std::span<char> message_reader::take_payload() noexcept {
    const auto count = static_cast<std::size_t>(
        std::min<std::uint64_t>(head_.payload - payload_at_, input_.size()));
    const auto piece = input_.first(count);
    input_ = input_.subspan(count);
    if (head_.mask) apply_mask(piece.data(), count, *head_.mask, static_cast<std::size_t>(payload_at_ % 4));
    payload_at_ += count;
    return piece;
}

message_reader::status message_reader::next(received_message& out) {
    if (failed()) return status::failed;
    drop_used();
    while (true) {
        if (closed_) {
            input_ = {};
            release(kept_);
            return status::need_more;
        }
        if (!in_frame_) {
            const progress head = begin_frame();
            if (head == progress::failed) return status::failed;
            if (head == progress::more) break;
        }
        const auto piece = take_payload();
        const bool complete = payload_at_ == head_.payload;
        if (complete) in_frame_ = false;
        const status done = is_control(head_.what) ? read_control(out, piece) : read_data(out, piece);
        if (done != status::need_more) return done;
        if (!complete) break;
    }
    release(kept_);
    input_ = {};
    return status::need_more;
}

// need_more: go on with the next frame, or there is not all of this one yet.
message_reader::status message_reader::read_data(received_message& out, std::span<char> piece) {
    const bool complete = !in_frame_;
    const bool ends = complete && head_.last;
    if (message_opcode_ == opcode::text) {
        if (!utf8_.feed(view_of(piece)) || (ends && !utf8_.finish())) {
            return refuse(close_code::not_utf8, "a text message is not UTF-8; send other octets as a binary message");
        }
    }
    const bool whole = ends && message_.empty() && piece.size() == head_.payload;
    if (!whole) message_.append(piece.data(), piece.size());
    if (!ends) return status::need_more;
    in_message_ = false;
    used_message_ = !whole;
    out.what = message_opcode_;
    out.payload = whole ? view_of(piece) : std::string_view{message_};
    out.code = close_code::none;
    out.first_frame_octets = static_cast<std::size_t>(first_frame_octets_);
    return status::message;
}

message_reader::status message_reader::read_control(received_message& out, std::span<char> piece) {
    const bool complete = !in_frame_;
    const bool whole = complete && piece.size() == head_.payload;
    if (!whole) control_.append(piece.data(), piece.size());
    if (!complete) return status::need_more;
    used_control_ = !whole;
    return end_control(out, whole ? view_of(piece) : std::string_view{control_});
}

message_reader::status message_reader::end_control(received_message& out, std::string_view payload) {
    if (head_.what == opcode::close) return end_close(out, payload);
    out.what = head_.what;
    out.payload = payload;
    out.code = close_code::none;
    out.first_frame_octets = payload.size();
    return status::message;
}

// RFC 6455 s5.5.1: nothing, or a code of two octets and a reason.
message_reader::status message_reader::end_close(received_message& out, std::string_view payload) {
    closed_ = true;
    out.what = opcode::close;
    out.code = close_code::none;
    out.payload = {};
    out.first_frame_octets = payload.size();
    if (payload.empty()) return status::message;
    if (payload.size() == 1) return refuse(close_code::protocol_error, "half a code in a close frame");
    const auto code = static_cast<std::uint16_t>(static_cast<unsigned char>(payload[0]) << 8U |
                                                 static_cast<unsigned char>(payload[1]));
    if (!may_be_sent(code)) return refuse(close_code::protocol_error, "a close frame with a code that may not be sent");
    out.payload = payload.substr(2);
    if (!text::is_utf8(out.payload)) return refuse(close_code::not_utf8, "the reason in a close frame is not UTF-8");
    out.code = static_cast<close_code>(code);
    return status::message;
}

}  // namespace mbus::websocket
