#include "protocol/hello_schedule.hpp"

#include <algorithm>

namespace mbus::protocol {
namespace {

duration scaled(duration length, double factor) noexcept {
    return duration{static_cast<duration::rep>(static_cast<double>(length.count()) * factor)};
}

// hello_e = hello_d * (min + RND * (max - min)); the printed formula lacks hello_d (trap W1).
duration dithered(std::size_t entities, random_source& random) noexcept {
    const double factor = hello_dither_min + random.fraction() * (hello_dither_max - hello_dither_min);
    return scaled(hello_interval(entities), factor);
}

}  // namespace

duration hello_interval(std::size_t entities) noexcept {
    return std::max<duration>(hello_min, hello_factor * static_cast<std::int64_t>(entities));
}

duration peer_timeout(std::size_t entities) noexcept {
    return scaled(hello_interval(entities) * hello_dead, hello_dither_max);
}

hello_schedule::hello_schedule(time_point now, random_source& random) noexcept
    : last_(now), next_(now + random.up_to(hello_min)) {}

void hello_schedule::said(time_point now, std::size_t entities, random_source& random) noexcept {
    last_ = now;
    next_ = now + dithered(entities, random);
    entities_then_ = entities;
    first_ = false;
}

bool hello_schedule::expire(time_point now, std::size_t entities, random_source& random) noexcept {
    if (answer_ <= now) {  // sets hello_p too, so the regular hello starts anew (section 9.3, trap W9)
        answer_ = never;
        said(now, entities, random);
        return true;
    }
    if (now < next_) return false;
    const auto reconsidered = last_ + dithered(entities, random);
    if (!first_ && reconsidered > now) {
        next_ = reconsidered;
        entities_then_ = entities;
        return false;
    }
    said(now, entities, random);
    return true;
}

void hello_schedule::shrink(time_point now, std::size_t entities) noexcept {
    if (entities >= entities_then_) return;  // trap W6: it grew more than it shrank since
    const double ratio = static_cast<double>(entities) / static_cast<double>(entities_then_);
    if (next_ > now) next_ = now + scaled(next_ - now, ratio);
    last_ = now - scaled(now - last_, ratio);
    entities_then_ = entities;
}

void hello_schedule::ping(time_point now, random_source& random) noexcept {
    if (answer_ == never) answer_ = now + random.up_to(hello_min);
}

}  // namespace mbus::protocol
