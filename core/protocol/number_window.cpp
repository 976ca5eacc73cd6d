#include "protocol/number_window.hpp"

#include <algorithm>

#include "protocol/sequence.hpp"

namespace mbus::protocol {

bool number_window::test(std::uint32_t number) const noexcept {
    const auto bit = number & static_cast<std::uint32_t>(capacity() - 1);
    return ((bits_[bit / 64] >> (bit % 64)) & 1U) != 0;
}

void number_window::assign(std::uint32_t number, bool seen) noexcept {
    const auto bit = number & static_cast<std::uint32_t>(capacity() - 1);
    const auto mask = std::uint64_t{1} << (bit % 64);
    if (seen)
        bits_[bit / 64] |= mask;
    else
        bits_[bit / 64] &= ~mask;
}

number_window::place number_window::look(std::uint32_t number) const noexcept {
    if (empty()) return place::fresh;
    const std::int64_t ahead = distance(newest_, number);
    if (ahead > 0) return place::fresh;
    if (-ahead >= static_cast<std::int64_t>(capacity())) return place::below;
    return test(number) ? place::seen : place::fresh;
}

void number_window::remember(std::uint32_t number, time_point now) {
    if (empty()) return restart(number, now);
    const std::int64_t ahead = distance(newest_, number);
    const auto reach = static_cast<std::int64_t>(capacity());
    if (ahead >= reach || -ahead >= reach) return restart(number, now);
    if (ahead > 0) move_to(number, now);
    assign(number, true);
}

void number_window::clear() noexcept { bits_.clear(); }

void number_window::restart(std::uint32_t number, time_point now) {
    bits_.assign(std::max(bits_.size(), capacity_min / 64), 0);
    newest_ = mark_ = number;
    marked_ = now;
    assign(number, true);
}

void number_window::move_to(std::uint32_t number, time_point now) {
    while (newest_ != number) assign(++newest_, false);
    if (newest_ - mark_ >= capacity()) grow_if_fast(now);
}

void number_window::grow_if_fast(time_point now) {
    const bool fast = now - marked_ < remembered;
    mark_ = newest_;
    marked_ = now;
    if (!fast || capacity() >= capacity_max) return;
    // Every number of the old ring keeps its mark at its place in the larger one.
    number_window larger;
    larger.bits_.assign(bits_.size() * 2, 0);
    for (std::uint32_t back = 0; back < capacity(); ++back)
        if (test(newest_ - back)) larger.assign(newest_ - back, true);
    bits_ = std::move(larger.bits_);
}

}  // namespace mbus::protocol
