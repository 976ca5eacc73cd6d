#include "protocol/sequence.hpp"

namespace mbus::protocol {

std::uint32_t sequence::take() noexcept {
    const auto number = next_++;  // unsigned: 4294967295 is followed by 0 (section 3)
    if (where_ == wrap::legacy && next_ > legacy_sequence_max) next_ = 0;
    return number;
}

}  // namespace mbus::protocol
