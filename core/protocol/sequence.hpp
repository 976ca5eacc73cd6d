// The SeqNum of one entity: one counter for all its messages (RFC 3259, section 3).
#pragma once

#include <cstdint>

namespace mbus::protocol {

// UCL's buffers hold six digits (docs/rfc3259.md, "The legacy dialect").
inline constexpr std::uint32_t legacy_sequence_max = 999999;

class sequence {
public:
    enum class wrap : std::uint8_t { rfc, legacy };  // after 4294967295, after 999999

    explicit sequence(std::uint32_t first = 0, wrap where = wrap::rfc) noexcept
        : next_(first), where_(where) {}

    // The number that take() will give.
    [[nodiscard]] std::uint32_t peek() const noexcept { return next_; }

    std::uint32_t take() noexcept;

    // The number `count` after `number`, and how many there are from `number` to `later`, both going round.
    static std::uint32_t after(std::uint32_t number, std::uint32_t count, wrap where) noexcept;
    static std::uint32_t between(std::uint32_t number, std::uint32_t later, wrap where) noexcept;

private:
    std::uint32_t next_;
    wrap where_;
};

// How far `number` is ahead of `other` on the circle of 2^32; negative: behind.
[[nodiscard]] constexpr std::int32_t distance(std::uint32_t other, std::uint32_t number) noexcept {
    return static_cast<std::int32_t>(number - other);
}

}  // namespace mbus::protocol
