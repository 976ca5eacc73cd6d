#include "mbws/connection_port.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

namespace mbus::mbws {
namespace {

// trim() keeps smaller blocks for the next message.
constexpr std::size_t idle_run_octets = 1024;
constexpr std::size_t idle_segments = 8;
// Written octets at the front of the run are cut off when there are so many, and half of all.
constexpr std::size_t compact_octets = 64 * 1024;
// What a pool holds at most: as many connections write in one turn without allocating.
constexpr std::size_t pool_entries_max = 64;
constexpr std::size_t pool_octets_max = 512 * 1024;

}  // namespace

// Room for `octets` at the end of the run, counted as waiting.
char* stream_port::extend_run(std::size_t octets) {
    if (pool_ != nullptr && segments_.capacity() == 0) borrow();
    if (segments_.empty() || segments_.back().owner != nullptr) {
        segment& fresh = segments_.push_back();
        fresh.octets = 0;
        fresh.owner = nullptr;
    }
    segments_.back().octets += octets;
    waiting_ += octets;
    const std::size_t at = run_.size();
    run_.resize(at + octets);
    return run_.data() + at;
}

void stream_port::borrow() noexcept {
    if (pool_->spare_.empty()) return;
    memory& last = pool_->spare_.back();
    pool_->octets_ -= last.run.capacity();
    run_.swap(last.run);
    segments_ = std::move(last.segments);
    pool_->spare_.pop_back();
}

void stream_port::give_back() {
    if (waiting_ != 0 || segments_.capacity() == 0) return;
    compact();
    if (pool_ != nullptr && pool_->spare_.size() < pool_entries_max &&
        pool_->octets_ + run_.capacity() <= pool_octets_max) {
        pool_->octets_ += run_.capacity();
        pool_->spare_.push_back({std::exchange(run_, {}), std::exchange(segments_, {})});
    } else {
        std::string{}.swap(run_);
        segments_.release();
    }
}

void stream_port::append(const outgoing_frame& frame) {
    if (finished_) return;
    const std::size_t header = frame_header_octets + frame.own_fields.size() + frame.fields.size();
    assert(header <= header_octets_max);
    const bool by_reference = frame.owner != nullptr && frame.body.size() > shared_body_octets;
    char* at = extend_run(header + (by_reference ? 0 : frame.body.size()));
    write_frame_head(at, {frame.verb, frame.flags, static_cast<std::uint16_t>(header),
                          static_cast<std::uint32_t>(frame.body.size()), frame.number});
    at += frame_header_octets;
    at = std::copy(frame.own_fields.begin(), frame.own_fields.end(), at);
    at = std::copy(frame.fields.begin(), frame.fields.end(), at);
    if (!by_reference) {
        std::copy(frame.body.begin(), frame.body.end(), at);
        return;
    }
    segment& body = segments_.push_back();
    body.octets = frame.body.size();
    body.owner = *frame.owner;
    waiting_ += body.octets;
}

void stream_port::finish(errc /*reason*/, std::string_view /*text*/) {
    finished_ = true;
    wake();
}

std::size_t stream_port::gather(std::span<octet_span> out) const noexcept {
    std::size_t used = 0;
    std::size_t run_at = run_at_;
    for (std::size_t i = 0; i < segments_.size() && used < out.size(); ++i) {
        const segment& part = segments_[i];
        if (part.owner == nullptr) {
            out[used++] = {run_.data() + run_at, part.octets};
            run_at += part.octets;
        } else {
            const std::size_t skip = i == 0 ? body_at_ : 0;
            const std::string_view body = part.owner->body();
            out[used++] = {body.data() + skip, part.octets};
        }
    }
    return used;
}

void stream_port::consumed(std::size_t octets) noexcept {
    assert(octets <= waiting_);
    waiting_ -= octets;
    while (octets > 0) {
        segment& part = segments_.front();
        const std::size_t taken = std::min(octets, part.octets);
        part.octets -= taken;
        octets -= taken;
        if (part.owner == nullptr) {
            run_at_ += taken;
        } else {
            body_at_ += taken;
        }
        if (part.octets > 0) break;
        part.owner.reset();
        body_at_ = 0;
        segments_.pop_front();
    }
    compact();
}

void stream_port::compact() noexcept {
    if (waiting_ == 0) {
        run_at_ = 0;
        run_.clear();
        segments_.clear();
    } else if (run_at_ >= compact_octets && run_at_ * 2 >= run_.size()) {
        run_.erase(0, run_at_);
        run_at_ = 0;
    }
}

void stream_port::trim() noexcept {
    if (waiting_ != 0) return;
    if (run_.capacity() > idle_run_octets) std::string{}.swap(run_);
    if (segments_.capacity() > idle_segments) segments_.release();
}

}  // namespace mbus::mbws
