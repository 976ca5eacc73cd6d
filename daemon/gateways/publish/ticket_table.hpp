// Tickets for /events: an EventSource can't send a token in a header, and a token has no place in a URL.
//
//     auto ticket = tickets.issue(now, who);          // for POST /events/ticket
//     if (auto* valid = tickets.find(now, given)) ... // then valid->stream = id;
//
// A ticket opens one stream within ticket_patience; while that stream lives, and as long after it, the
// ticket opens it again, which is how an EventSource reconnects. Only hashes are kept. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "mbws/time.hpp"
#include "router/peer_identity.hpp"

namespace mbusd {

inline constexpr std::chrono::seconds ticket_patience{60};
// Who asks for more at the same time gets none: one page needs one.
inline constexpr std::size_t tickets_max = 16384;

class ticket_table {
public:
    struct ticket {
        std::shared_ptr<const peer_identity> who;
        mbus::mbws::time_point until{};  // never: while its stream lives
        std::uint64_t stream = 0;        // that it has opened; 0: none yet
    };

    // Empty: there are too many.
    std::string issue(mbus::mbws::time_point now, std::shared_ptr<const peer_identity> who);
    // Null for one that is unknown or too old.
    ticket* find(mbus::mbws::time_point now, std::string_view text);
    void stream_ended(mbus::mbws::time_point now, std::uint64_t stream);
    void withdraw_of(std::string_view identity);

private:
    void sweep(mbus::mbws::time_point now);

    std::unordered_map<std::string, ticket> tickets_;  // by BLAKE2b-256 of the text
};

}  // namespace mbusd
