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

// A storage begins with so much, which a few small messages fill.
constexpr std::size_t storage_octets_min = 4096;

}  // namespace

bool message_run::begin(std::string_view to, std::string_view from) {
    assert(messages_ == 0);
    if (to.empty() || from.empty() || to.size() > numbered_address_max || from.size() > numbered_address_max) return false;
    const std::uint64_t to_id = preparer_.names().id_of(to);
    const std::uint64_t from_id = preparer_.names().id_of(from);
    for (auto& known : ways_) {
        if (known.to_id != to_id || known.from_id != from_id) continue;
        way_ = &known;
        return true;
    }
    way& fresh = ways_[next_way_];
    if (!make_way(fresh, to, from, to_id, from_id)) return false;
    next_way_ = (next_way_ + 1) % ways_max;
    way_ = &fresh;
    return true;
}

bool message_run::make_way(way& into, std::string_view to, std::string_view from, std::uint64_t to_id, std::uint64_t from_id) {
    const std::uint64_t to_number = to_id % addresses_of_broker;
    const std::uint64_t from_number = from_id % addresses_of_broker;
    if (to_number == from_number) return false;
    into.to_id = to_id;
    into.from_id = from_id;
    into.addresses.clear();
    append_field(into.addresses, key::to, to);
    into.to_octets = into.addresses.size();
    append_field(into.addresses, key::from, from);
    into.header.assign(frame_header_octets, '\0');
    append_field(into.header, key::to_number, to_number);
    append_field(into.header, key::from_number, from_number);
    append_field(into.header, key::time, std::uint64_t{0});
    assert(into.header.size() == header_octets);
    write_frame_head(into.header.data(), {verb::message, 0, header_octets, 0, 0});
    return true;
}

void message_run::begin_storage() {
    storage_ = preparer_.take_for_run();
    held_ = message_ref{storage_};
    storage_->to_id_ = way_->to_id;
    storage_->from_id_ = way_->from_id;
    storage_->to_octets_ = way_->to_octets;
    storage_->from_octets_ = way_->addresses.size() - way_->to_octets;
    storage_->fields_octets_ = begun_at_ = used_ = way_->addresses.size();
    std::string& octets = storage_->octets_;
    octets.resize(std::max({octets.size(), storage_octets_min, used_}));
    std::memcpy(octets.data(), way_->addresses.data(), used_);
}

bool message_run::add(std::uint64_t time, std::string_view body) {
    const std::size_t octets = header_octets + body.size();
    if (body.size() > body_octets_max || used_ + octets > octets_max) return false;
    if (storage_ == nullptr) begin_storage();
    std::string& frames = storage_->octets_;
    if (frames.size() < used_ + octets) frames.resize(std::min(std::max(2 * frames.size(), used_ + octets), octets_max));
    char* const at = frames.data() + used_;
    std::memcpy(at, way_->header.data(), header_octets);
    write_big_endian(at + 4, static_cast<std::uint32_t>(body.size()));
    write_big_endian(at + header_octets - 8, time);
    std::memcpy(at + header_octets, body.data(), body.size());
    used_ += octets;
    ++messages_;
    return true;
}

run_piece message_run::piece_to_keep() const {
    run_piece out = piece();
    if (out.is_dense()) return out;
    if (copy_ == nullptr || copy_->octets_.size() != used_) {
        auto* const made = preparer_.take();
        copy_ = message_ref{made};
        made->assign_run(*storage_, used_);
    }
    out.storage = copy_;
    return out;
}

void message_run::end() noexcept {
    storage_ = nullptr;
    held_.reset();
    copy_.reset();
    begun_at_ = used_ = messages_ = 0;
}

std::size_t message_run::octets_of(const message_ref& storage, std::size_t at, std::size_t messages) noexcept {
    const char* const first = storage->octets_.data() + at;
    std::size_t octets = 0;
    for (; messages > 0; --messages) octets += frame_octets(first + octets);
    return octets;
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
