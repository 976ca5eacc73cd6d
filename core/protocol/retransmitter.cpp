#include "protocol/retransmitter.hpp"

namespace mbus::protocol {

retransmitter::verdict retransmitter::advance(time_point now) noexcept {
    if (now < deadline_) return verdict::wait;
    if (transmissions_ > retransmissions_max) return verdict::give_up;
    ++transmissions_;
    deadline_ = now + transmissions_ * retransmit_interval;
    return verdict::retransmit;
}

}  // namespace mbus::protocol
