// Every limit of the engine, with its reason. All of them are charged to whoever causes the load.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "protocol/time.hpp"

namespace mbus::protocol {

// Known entities on the bus. At this number each says hello every 3.6 hours (section 8.1.1), so
// nobody would notice a failure any more; it only bounds memory.
inline constexpr std::size_t peers_max = 65536;

// Addresses that spoke but never said hello, and those that left: kept to recognise copies of what
// they sent (traps R3, R6, W7). The oldest goes first.
inline constexpr std::size_t acquaintances_max = 4096;
inline constexpr auto acquaintance_kept = std::chrono::minutes{10};

// Local entities: their number in the id element has five digits (section 4.1).
inline constexpr std::size_t entities_max = 65536;
inline constexpr std::uint32_t entity_number_max = 99999;

// Reliable messages on their way: of the node (each keeps its copy, at most 64 KiB), and of one
// entity (its peers' acknowledgement lists have at most 1024 numbers).
inline constexpr std::size_t reliable_pending_max = 16384;
inline constexpr std::size_t reliable_pending_octets_max = 64 * 1024 * 1024;
inline constexpr std::size_t reliable_pending_per_entity_max = 1024;

// What waits for the kernel: a burst of 256 datagrams of the largest size.
inline constexpr std::size_t transmit_queue_octets_max = 16 * 1024 * 1024;

// Numbers in one acknowledgement message: fits an Ethernet frame beside two usual addresses.
inline constexpr std::size_t acknowledgements_per_message = 64;
// Acknowledgement lists kept for repetition, per pair of entities; more means that the peer sent
// more than 4096 reliable messages within T_k. The oldest goes first.
inline constexpr std::size_t acknowledgement_copies_max = 64;

// Destinations whose receivers are remembered. A bus uses a few; a flood of new ones only costs time.
inline constexpr std::size_t routes_max = 4096;

// UCL's buffers have 1500 octets (trap T1).
inline constexpr std::size_t legacy_datagram_octets_max = 1400;

}  // namespace mbus::protocol
