#include "protocol/sequence.hpp"

namespace mbus::protocol {

std::uint32_t sequence::take() noexcept {
    const auto number = next_++;  // unsigned: 4294967295 is followed by 0 (section 3)
    if (where_ == wrap::legacy && next_ > legacy_sequence_max) next_ = 0;
    return number;
}

std::uint32_t sequence::after(std::uint32_t number, std::uint32_t count, wrap where) noexcept {
    if (where == wrap::rfc) return number + count;
    return static_cast<std::uint32_t>((std::uint64_t{number} + count) % (std::uint64_t{legacy_sequence_max} + 1));
}

std::uint32_t sequence::between(std::uint32_t number, std::uint32_t later, wrap where) noexcept {
    if (where == wrap::rfc || later >= number) return later - number;
    return later + legacy_sequence_max + 1 - number;
}

}  // namespace mbus::protocol
