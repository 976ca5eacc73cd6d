#include "mbws/message_run.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "mbws/big_endian.hpp"

namespace mbus::mbws {
namespace {

// The header of each frame: 16 octets, to-number, from-number, time.
constexpr std::size_t number_field_octets = 3 + 2;
constexpr std::size_t time_field_octets = 3 + 8;
constexpr std::size_t to_number_at = frame_header_octets;
constexpr std::size_t from_number_at = to_number_at + number_field_octets;
constexpr std::size_t time_at = from_number_at + number_field_octets;
constexpr std::size_t header_octets = time_at + time_field_octets;

// A storage begins with so much, which a handful of small messages fill.
constexpr std::size_t storage_octets_min = 4096;
// Longer addresses are sent with each message, by the way of single messages.
constexpr std::size_t address_octets_max = 4096;

}  // namespace

bool message_run::begin(std::string_view to, std::string_view from) {
    assert(messages_ == 0);
    if (to.empty() || from.empty() || to.size() + from.size() > address_octets_max) return false;
    const std::uint64_t to_id = preparer_.names().id_of(to);
    const std::uint64_t from_id = preparer_.names().id_of(from);
    if (to_id == to_id_ && from_id == from_id_) return true;  // all is there from the last run
    const std::uint64_t to_number = to_id % addresses_of_broker;
    const std::uint64_t from_number = from_id % addresses_of_broker;
    if (to_number == from_number) return false;
    to_id_ = to_id;
    from_id_ = from_id;
    addresses_.clear();
    append_field(addresses_, key::to, to);
    to_octets_ = addresses_.size();
    append_field(addresses_, key::from, from);
    header_.assign(frame_header_octets, '\0');
    append_field(header_, key::to_number, to_number);
    append_field(header_, key::from_number, from_number);
    append_field(header_, key::time, std::uint64_t{0});
    assert(header_.size() == header_octets);
    write_frame_head(header_.data(), {verb::message, 0, header_octets, 0, 0});
    return true;
}

bool message_run::add(std::uint64_t time, std::string_view body) {
    const std::size_t octets = header_octets + body.size();
    if (body.size() > body_octets_max || used_ + octets > octets_max) return false;
    if (storage_ == nullptr) {
        storage_ = preparer_.take_for_run();
        held_ = message_ref{storage_};
    }
    std::string& frames = storage_->octets_;
    if (frames.size() < used_ + octets) {
        const std::size_t wanted = std::max({storage_octets_min, 2 * frames.size(), used_ + octets});
        frames.resize(std::min(wanted, octets_max));
    }
    char* const at = frames.data() + used_;
    std::memcpy(at, header_.data(), header_octets);
    write_big_endian(at + 4, static_cast<std::uint32_t>(body.size()));
    write_big_endian(at + header_octets - 8, time);
    std::memcpy(at + header_octets, body.data(), body.size());
    used_ += octets;
    largest_ = std::max(largest_, octets + addresses_.size());
    ++messages_;
    return true;
}

void message_run::end() noexcept {
    storage_ = nullptr;
    held_.reset();
    used_ = 0;
    messages_ = 0;
    largest_ = 0;
}

message_run::message message_run::first_of(std::string_view frames) noexcept {
    assert(frames.size() >= header_octets);
    message out;
    out.octets = frame_octets(frames.data());
    out.to_number = frames.substr(to_number_at, number_field_octets);
    out.from_number = frames.substr(from_number_at, number_field_octets);
    out.time_field = frames.substr(time_at, time_field_octets);
    out.time = read_big_endian<std::uint64_t>(frames.data() + header_octets - 8);
    out.body = frames.substr(header_octets, out.octets - header_octets);
    return out;
}

}  // namespace mbus::mbws
