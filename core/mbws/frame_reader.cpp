#include "mbws/frame_reader.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace mbus::mbws {
namespace {

constexpr std::size_t size_octets = 8;           // verb, flags, H, B: all that the size needs
constexpr std::size_t kept_capacity_max = 4096;  // an idle reader gives larger blocks back

template <class Unsigned>
Unsigned load(const char* octets) noexcept {
    Unsigned value = 0;
    std::memcpy(&value, octets, sizeof value);
    return value;
}

// For the few octets of a header, which a call of memcmp would cost more than: in words, the last two of which may
// overlap.
template <class Word>
bool same_words(const char* left, const char* right, std::size_t octets) noexcept {
    const std::size_t last = octets - sizeof(Word);
    for (std::size_t at = 0; at < last; at += sizeof(Word)) {
        if (load<Word>(left + at) != load<Word>(right + at)) return false;
    }
    return load<Word>(left + last) == load<Word>(right + last);
}

bool same_octets(const char* left, const char* right, std::size_t octets) noexcept {
    if (octets >= sizeof(std::uint64_t)) return same_words<std::uint64_t>(left, right, octets);
    if (octets >= sizeof(std::uint32_t)) return same_words<std::uint32_t>(left, right, octets);
    return std::memcmp(left, right, octets) == 0;
}

}  // namespace

void frame_reader::feed(std::string_view octets) {
    assert(input_.empty());
    raw_ = {};
    drop_used();
    input_ = octets;
    last_header_ = {};
}

void frame_reader::keep() {
    drop_used();
    held_.append(input_);
    input_ = {};
}

// Forgets the frame that next() returned from held_.
void frame_reader::drop_used() {
    raw_ = {};
    if (held_at_ == held_.size()) {
        held_at_ = 0;
        if (held_.capacity() > kept_capacity_max) {
            std::string{}.swap(held_);
        } else {
            held_.clear();
        }
    } else if (held_at_ > held_.size() / 2) {
        held_.erase(0, held_at_);
        held_at_ = 0;
    }
}

// Moves octets from the input behind the held ones until `wanted` are held.
bool frame_reader::top_up(std::size_t wanted) {
    const std::size_t missing = wanted - std::min(wanted, held());
    const std::size_t taken = std::min(missing, input_.size());
    if (taken > 0) {
        held_.append(input_.substr(0, taken));
        input_.remove_prefix(taken);
    }
    return taken == missing;
}

frame_reader::status frame_reader::refuse(errc code, const char* wrong) noexcept {
    code_ = code;
    wrong_ = wrong;
    input_ = {};
    return status::failed;
}

bool frame_reader::next_repeats(frame_view& out) noexcept {
    const std::size_t header = last_header_.size();
    if (header == 0 || out.stamp_ != stamp_ || input_.size() < header) return false;
    const char* const start = input_.data();
    const char* const before = last_header_.data();
    const bool same_start = load<std::uint32_t>(start) == load<std::uint32_t>(before);  // verb, flags, H
    if (!same_start || !same_octets(start + frame_header_octets, before + frame_header_octets, header - frame_header_octets))
        return false;
    const frame_head head = read_frame_head(start);
    const std::size_t octets = header + head.body_octets;
    if (octets > octets_max_ || input_.size() < octets) return false;
    raw_ = input_.substr(0, octets);
    input_.remove_prefix(octets);
    out.number = head.number;
    out.body = raw_.substr(header);
    out.repeats = true;
    return true;
}

frame_reader::status frame_reader::next(frame_view& out) {
    if (next_repeats(out)) return status::frame;
    last_header_ = {};
    if (failed()) return status::failed;
    drop_used();
    const bool from_held = held() > 0;
    if (from_held ? !top_up(size_octets) : input_.size() < size_octets) {
        keep();
        return status::need_more;
    }
    const char* const start = from_held ? held_.data() + held_at_ : input_.data();
    const std::uint64_t octets = frame_octets(start);
    if (static_cast<unsigned char>(start[2]) == 0 &&
        static_cast<unsigned char>(start[3]) < frame_header_octets) {
        return refuse(errc::bad_frame, "the header's length is below 16");
    }
    if (octets > octets_max_) {
        refused_octets_ = octets;
        return refuse(errc::too_large, "a frame is larger than this side takes");
    }
    if (from_held ? !top_up(octets) : input_.size() < octets) {
        keep();
        return status::need_more;
    }
    if (from_held) {
        raw_ = std::string_view{held_}.substr(held_at_, octets);
        held_at_ += octets;
    } else {
        raw_ = input_.substr(0, octets);
        input_.remove_prefix(octets);
    }
    if (const char* wrong = decode_frame(raw_, out)) return refuse(errc::bad_frame, wrong);
    if (const char* wrong = heard_.resolve(out)) return refuse(errc::bad_frame, wrong);
    if (!from_held) {
        last_header_ = raw_.substr(0, raw_.size() - out.body.size());
        out.stamp_ = ++stamp_;
    }
    return status::frame;
}

error frame_reader::failure() const {
    if (!failed()) return {};
    if (code_ == errc::too_large) {
        return {code_, "a frame of " + std::to_string(refused_octets_) + " octets came, at most " +
                           std::to_string(octets_max_) + " are taken; send smaller messages (field size)"};
    }
    return {code_, std::string{wrong_} + "; see docs/mbws.md, section 2.1"};
}

}  // namespace mbus::mbws
