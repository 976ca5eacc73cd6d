#include "mbws/output_queue.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace mbus::mbws {
namespace {

// trim() keeps smaller blocks for the next message.
constexpr std::size_t idle_run_octets = 1024;
constexpr std::size_t idle_segments = 8;
// Written octets at the front of the run are cut off when there are so many, and two thirds of all.
constexpr std::size_t compact_octets = 64 * 1024;
// A frame begins a new segment when the last has so many: there others may be overtaken.
constexpr std::size_t segment_octets_high = 16 * 1024;
// What a pool holds at most: as many connections write in one turn without allocating.
constexpr std::size_t pool_entries_max = 64;
constexpr std::size_t pool_octets_max = 512 * 1024;

}  // namespace

char* output_queue::begin_frame(std::size_t octets) {
    if (pool_ != nullptr && segments_.capacity() == 0) borrow();
    if (segments_.empty() || segments_.back().owner != nullptr || segments_.back().octets >= segment_octets_high ||
        (!ahead_.empty() && ahead_of_ == segments_.size())) {
        segment& fresh = segments_.push_back();
        fresh.octets = 0;
        fresh.owner.reset();
    }
    segments_.back().octets += octets;
    waiting_ += octets;
    const std::size_t at = run_.size();
    run_.resize(at + octets);
    return run_.data() + at;
}

void output_queue::share(const message_ref& owner, std::string_view octets) {
    if (pool_ != nullptr && segments_.capacity() == 0) borrow();
    segment& body = segments_.push_back();
    body.octets = octets.size();
    body.shared = octets.data();
    body.owner = owner;
    waiting_ += body.octets;
}

void output_queue::overtake(std::string_view frame) {
    if (!ahead_.empty() && ahead_of_ < held_) {  // those that wait ahead may not be joined
        std::copy(frame.begin(), frame.end(), begin_frame(frame.size()));
        return;
    }
    if (ahead_.empty()) {
        std::size_t at = std::max(held_, std::size_t{begun_ ? 1U : 0U});
        while (at < segments_.size() && segments_[at].owner != nullptr) ++at;
        ahead_of_ = at;
    }
    ahead_.append(frame);
    waiting_ += frame.size();
}

void output_queue::borrow() noexcept {
    if (pool_->spare_.empty()) return;
    memory& last = pool_->spare_.back();
    pool_->octets_ -= last.run.capacity();
    run_.swap(last.run);
    segments_ = std::move(last.segments);
    pool_->spare_.pop_back();
}

void output_queue::give_back() {
    if (waiting_ != 0) return;
    if (ahead_.capacity() > std::string{}.capacity()) std::string{}.swap(ahead_);
    if (segments_.capacity() == 0) return;
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

std::size_t output_queue::gather(std::span<octet_span> out) const noexcept {
    std::size_t used = 0;
    std::size_t run_at = run_at_;
    for (std::size_t i = 0; i <= segments_.size() && used < out.size(); ++i) {
        if (!ahead_.empty() && i == ahead_of_) {
            out[used++] = {ahead_.data() + ahead_at_, ahead_.size() - ahead_at_};
            if (used == out.size()) break;
        }
        if (i == segments_.size()) break;
        const segment& part = segments_[i];
        if (part.owner == nullptr) {
            out[used++] = {run_.data() + run_at, part.octets};
            run_at += part.octets;
        } else {
            out[used++] = {part.shared, part.octets};
        }
    }
    return used;
}

void output_queue::consumed(std::size_t octets) noexcept {
    assert(octets <= waiting_);
    waiting_ -= octets;
    while (octets > 0) {
        if (!ahead_.empty() && ahead_of_ == 0) {
            const std::size_t taken = std::min(octets, ahead_.size() - ahead_at_);
            ahead_at_ += taken;
            octets -= taken;
            if (ahead_at_ < ahead_.size()) break;
            ahead_.clear();
            ahead_at_ = 0;
            continue;
        }
        segment& part = segments_.front();
        const std::size_t taken = std::min(octets, part.octets);
        part.octets -= taken;
        octets -= taken;
        if (part.owner == nullptr) {
            run_at_ += taken;
        } else {
            part.shared += taken;
        }
        begun_ = part.octets > 0;
        if (begun_) break;
        part.owner.reset();
        segments_.pop_front();
        if (ahead_of_ > 0) --ahead_of_;
        if (held_ > 0) --held_;
    }
    compact();
}

void output_queue::compact() noexcept {
    if (waiting_ == 0) {
        run_at_ = 0;
        run_.clear();
        segments_.clear();
        held_ = 0;
    } else if (run_at_ >= compact_octets && run_at_ >= run_.size() / 3 * 2) {
        run_.erase(0, run_at_);
        run_at_ = 0;
    }
}

void output_queue::trim() noexcept {
    if (waiting_ != 0) return;
    if (run_.capacity() > idle_run_octets) std::string{}.swap(run_);
    if (segments_.capacity() > idle_segments) segments_.release();
}

}  // namespace mbus::mbws
