// Integers of frames: most significant octet first. One load and a swap: g++ 12 does not see through a loop
// over the octets. Pure functions.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace mbus::mbws {

inline std::uint8_t swap_octets(std::uint8_t value) noexcept { return value; }
inline std::uint16_t swap_octets(std::uint16_t value) noexcept { return __builtin_bswap16(value); }
inline std::uint32_t swap_octets(std::uint32_t value) noexcept { return __builtin_bswap32(value); }
inline std::uint64_t swap_octets(std::uint64_t value) noexcept { return __builtin_bswap64(value); }

template <class Unsigned>
Unsigned read_big_endian(const char* octets) noexcept {
    Unsigned value = 0;
    std::memcpy(&value, octets, sizeof value);
    return std::endian::native == std::endian::little ? swap_octets(value) : value;
}

template <class Unsigned>
void write_big_endian(char* octets, Unsigned value) noexcept {
    if (std::endian::native == std::endian::little) value = swap_octets(value);
    std::memcpy(octets, &value, sizeof value);
}

}  // namespace mbus::mbws
