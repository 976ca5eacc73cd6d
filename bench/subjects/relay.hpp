// The floor: what moving octets costs, without any meaning. A publisher writes to a Unix stream socket, a relay
// process reads and writes the same octets to each subscriber's; or, without the relay, directly.
#pragma once

#include <memory>

#include "harness/subject.hpp"

namespace bench {

// What any protocol adds to a payload: who it is from, who it is for, its length.
inline constexpr std::size_t relay_header_octets = 32;

// A participant that writes and counts octets on a Unix stream, for other relays.
std::unique_ptr<participant> make_stream_participant(int socket, const seat& where);
void write_whole(int to, const char* octets, std::size_t count);

std::unique_ptr<subject> make_relay(const subject_plan& plan);
// One reader only.
std::unique_ptr<subject> make_unix_stream(const subject_plan& plan);

}  // namespace bench
