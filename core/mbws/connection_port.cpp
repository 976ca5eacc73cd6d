#include "mbws/connection_port.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace mbus::mbws {
namespace {

constexpr std::size_t number_field_octets = 3 + 2;  // to-number, from-number

char* put(char* at, std::string_view octets) noexcept {
    if (!octets.empty()) std::memcpy(at, octets.data(), octets.size());
    return at + octets.size();
}

char* put_number(char* at, key which, std::uint16_t number) noexcept {
    at[0] = static_cast<char>(which);
    at[1] = 0;
    at[2] = 2;
    at[3] = static_cast<char>(number >> 8);
    at[4] = static_cast<char>(number & 0xFF);
    return at + number_field_octets;
}

}  // namespace

void output_port::finish(errc /*reason*/, std::string_view /*text*/) {
    finished_ = true;
    wake();
}

void stream_port::append(const outgoing_frame& frame) {
    if (finished()) return;
    if (told_.used() && frame.owner != nullptr && (*frame.owner)->has_names()) {
        append_message(frame, **frame.owner);
        return;
    }
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

// With numbers for the two addresses that the prepared fields begin with.
void stream_port::append_message(const outgoing_frame& frame, const prepared_message& what) {
    const auto to = told_.put(what.to_id());
    const auto from = told_.put(what.from_id());
    // A number that both would have is the second's afterwards.
    const bool clash = to.number == from.number && what.to_id() != what.from_id();
    const std::string_view to_field = to.known && !clash ? std::string_view{} : what.to_field();
    const std::string_view from_field = from.known ? std::string_view{} : what.from_field();
    const std::string_view others = what.other_fields();
    const std::size_t header = frame_header_octets + frame.own_fields.size() + to_field.size() + from_field.size() +
                               2 * number_field_octets + others.size();
    assert(header <= header_octets_max);
    const bool by_reference = frame.body.size() > shared_body_octets;
    char* at = queue_.begin_frame(header + (by_reference ? 0 : frame.body.size()));
    write_frame_head(at, {frame.verb, frame.flags, static_cast<std::uint16_t>(header),
                          static_cast<std::uint32_t>(frame.body.size()), frame.number});
    at = put(at + frame_header_octets, frame.own_fields);
    at = put_number(put(at, to_field), key::to_number, to.number);
    at = put_number(put(at, from_field), key::from_number, from.number);
    at = put(at, others);
    if (by_reference) {
        queue_.share(*frame.owner, frame.body);
    } else {
        put(at, frame.body);
    }
}

}  // namespace mbus::mbws
