#include "mbws/connection_port.hpp"

#include <array>
#include <cassert>
#include <cstring>

namespace mbus::mbws {
namespace {

char* put(char* at, std::string_view octets) noexcept {
    if (!octets.empty()) std::memcpy(at, octets.data(), octets.size());
    return at + octets.size();
}

// A field to-number or from-number.
class number_field {
public:
    number_field(key which, std::uint16_t number) noexcept
        : octets_{static_cast<char>(which), 0, 2, static_cast<char>(number >> 8), static_cast<char>(number & 0xFF)} {}
    [[nodiscard]] std::string_view octets() const noexcept { return {octets_.data(), octets_.size()}; }

private:
    std::array<char, 3 + 2> octets_;
};

}  // namespace

void output_port::finish(errc /*reason*/, std::string_view /*text*/) {
    finished_ = true;
    wake();
}

void stream_port::append(const outgoing_frame& frame) {
    if (finished()) return;
    if (told_.used() && frame.owner != nullptr && (*frame.owner)->has_names()) {
        append_message(frame, **frame.owner);
    } else {
        append_frame(frame, {frame.own_fields, frame.fields});
    }
}

// With numbers for the two addresses that the prepared fields begin with.
void stream_port::append_message(const outgoing_frame& frame, const prepared_message& what) {
    const auto to = told_.put(what.to_id());
    const auto from = told_.put(what.from_id());
    // A number that both would have is the second's afterwards.
    const bool clash = to.number == from.number && what.to_id() != what.from_id();
    const number_field to_number{key::to_number, to.number};
    const number_field from_number{key::from_number, from.number};
    append_frame(frame, {frame.own_fields, to.known && !clash ? std::string_view{} : what.to_field(), to_number.octets(),
                         from.known ? std::string_view{} : what.from_field(), from_number.octets(), what.other_fields()});
}

// A client that does not know the addresses yet gets them with the first frame.
void stream_port::append_run(const run_piece& piece) {
    const prepared_message& storage = *piece.storage;
    const bool knows_to = told_.put(storage.to_id()).known;
    const bool knows_from = told_.put(storage.from_id()).known;
    auto frames = piece.frames();
    std::uint64_t number = piece.number;
    if (!knows_to || !knows_from) {
        const auto first = message_run::first_of(frames);
        append_frame({.verb = verb::message, .flags = piece.flags, .number = number, .body = first.body, .owner = &piece.storage},
                     {knows_to ? std::string_view{} : storage.to_field(), first.to_number,
                      knows_from ? std::string_view{} : storage.from_field(), first.from_number, first.time_field});
        frames.remove_prefix(first.octets);
        if (number != 0) ++number;
    }
    if (frames.empty()) return;
    if (number != 0 || piece.flags != 0) append_numbered(frames, number, piece.flags);
    else if (piece.is_dense()) queue_.share(piece.storage, frames);
    else put(queue_.begin_frame(frames.size()), frames);
}

void stream_port::append_numbered(std::string_view frames, std::uint64_t number, std::uint8_t flags) {
    char* at = queue_.begin_frame(frames.size());
    char* const end = put(at, frames);
    for (; at != end; at += frame_octets(at)) {
        at[1] = static_cast<char>(flags);
        write_big_endian(at + 8, number);
        if (number != 0) ++number;
    }
}

void stream_port::append_frame(const outgoing_frame& frame, std::initializer_list<std::string_view> fields) {
    std::size_t header = frame_header_octets;
    for (const auto piece : fields) header += piece.size();
    assert(header <= header_octets_max);
    const bool by_reference = frame.owner != nullptr && frame.body.size() > shared_body_octets;
    char* at = queue_.begin_frame(header + (by_reference ? 0 : frame.body.size()));
    write_frame_head(at, {frame.verb, frame.flags, static_cast<std::uint16_t>(header),
                          static_cast<std::uint32_t>(frame.body.size()), frame.number});
    at += frame_header_octets;
    for (const auto piece : fields) at = put(at, piece);
    if (by_reference) {
        queue_.share(*frame.owner, frame.body);
    } else {
        put(at, frame.body);
    }
}

}  // namespace mbus::mbws
