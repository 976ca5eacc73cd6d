// mbusd as a subject: participants use libmbus as docs/sdk.md says. One daemon for all of them here; two hosts
// stand in mbusd_net.hpp.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "harness/subject.hpp"

namespace bench {

// What every reader answers to.
inline constexpr std::string_view reader_address = "(app:bench part:reader)";

struct mbusd_use {
    std::uint32_t window = 0;  // of every participant; 0: nothing is acknowledged
    bool reliable = false;     // each message is acknowledged by the receiver's daemon
    bool full_address = true;  // to one reader: else by a part of its address, which the bus hears too
    std::string token{};       // for a URL instead of a socket
};

// Where mbusd and mbus are; set once at the start.
void set_programs(std::string directory);
[[nodiscard]] const std::string& programs();

std::unique_ptr<subject> make_mbusd(const subject_plan& plan, const mbusd_use& use);

// A participant at the daemon of `socket`, which may be a URL; for subjects with more than one daemon.
std::unique_ptr<participant> make_mbus_participant(const std::string& socket, const seat& where,
                                                   const mbusd_use& use);

}  // namespace bench
