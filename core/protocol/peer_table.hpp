// Everybody else on the bus, by address.
//
// A `known` peer said hello and counts as a member until its bye or its timeout (RFC 3259, section
// 8). A `stranger` was only heard (trap R6); a `departed` one has left. Both are kept for a while,
// up to acquaintances_max, so that copies of their messages are recognised.
//
// References to peers stay valid until the peer is forgotten: strangers and departed ones when
// others need their place, so don't keep them between two calls of the node.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string_view>

#include <mbus/address.hpp>

#include "protocol/duplicate_filter.hpp"
#include "protocol/endpoint.hpp"
#include "protocol/text_map.hpp"
#include "protocol/time.hpp"

namespace mbus::protocol {

struct peer {
    enum class standing : std::uint8_t { stranger, known, departed };

    mbus::address address;
    standing state = standing::stranger;
    endpoint last_endpoint;  // of its last message (section 6.2, trap T5)
    time_point first_heard;  // when it became known
    time_point last_heard;
    duplicate_filter heard;                   // its sequence numbers
    std::optional<std::uint32_t> bye_number;  // of its bye, while departed (trap W7)...
    time_point left_at;                       // ...and when that was
    // Was a local entity that is detached now: its echo may still come, and if it is attached again,
    // its sequence goes on here.
    bool was_ours = false;
    std::uint32_t next_number = 0;
    std::list<peer*>::iterator place;  // in the order of being heard

    [[nodiscard]] bool known() const noexcept { return state == standing::known; }
};

// How the known peers answer to a destination.
struct peer_matches {
    std::size_t count = 0;
    const peer* only = nullptr;  // when count is 1
};

class peer_table {
public:
    // A hello that comes this soon after the bye of its sender, with an older number, was overtaken
    // by it (trap W7). Later it may be a sender that began anew.
    static constexpr auto late_hello = std::chrono::seconds{3};
    // Our own datagrams come back by multicast loop-back within milliseconds; a busy host takes longer.
    static constexpr auto late_echo = std::chrono::seconds{5};

    peer_table() = default;
    peer_table(const peer_table&) = delete;
    peer_table& operator=(const peer_table&) = delete;

    // Null when `address` (its canonical text) was never heard, or is forgotten.
    [[nodiscard]] peer* find(std::string_view address) noexcept;
    [[nodiscard]] const peer* find(std::string_view address) const noexcept;

    // Adds a stranger.
    peer& meet(time_point now, const address& who);

    // The peer sent an authentic message that is no copy: refreshes it (section 8, trap W4).
    void hear(time_point now, peer& who, const endpoint& from) noexcept;

    // Hello of a stranger or departed one: it becomes known. False: peers_max are known.
    bool join(time_point now, peer& who);

    // True for a hello that its sender's bye has overtaken.
    [[nodiscard]] static bool is_late_hello(time_point now, const peer& who, std::uint32_t number) noexcept;

    // Bye: out of the known ones at once. `number`: its sequence number.
    void leave(time_point now, peer& who, std::uint32_t number);

    // The known peer that was silent longest, if `timeout` has passed since.
    [[nodiscard]] peer* silent(time_point now, duration timeout) noexcept;
    // ...and takes it out of the known ones.
    void lose(time_point now, peer& who);

    // A local entity was detached: what it sent last may still be looped back to us.
    void remember_own(time_point now, const address& ours, std::uint32_t next_number);
    [[nodiscard]] static bool is_late_echo(time_point now, const peer& who) noexcept {
        return who.was_ours && now - who.left_at < late_echo;
    }

    // When silent() will find somebody; `never` when nobody is known.
    [[nodiscard]] time_point silent_at(duration timeout) const noexcept;

    // Forgets a stranger or departed one, because the address is ours now.
    void forget(std::string_view address);

    [[nodiscard]] std::size_t known() const noexcept { return known_.size(); }
    [[nodiscard]] std::size_t acquaintances() const noexcept { return acquaintances_.size(); }

    // The known ones with every element of `target` (the uniqueness test of section 6.2).
    [[nodiscard]] peer_matches matching(const address& target) const;

    // Visits the known ones, longest silent first.
    template <class Visit>
    void for_each(Visit visit) const {
        for (const peer* each : known_) visit(*each);
    }

private:
    void depart(time_point now, peer& who);
    void forget_oldest(time_point now);
    void erase(peer& who);

    peer* last_found_ = nullptr;             // messages come in runs: the same source again
    view_map<std::unique_ptr<peer>> peers_;  // keyed by the text of peer::address
    view_multimap<peer*> by_id_;             // the known ones
    std::list<peer*> known_;                 // longest silent first
    std::list<peer*> acquaintances_;         // the same
};

// True when the source port of its last message is its own, so that unicast reaches it and nobody
// else (section 6.2, traps T4 and T8).
[[nodiscard]] bool unicast_capable(const endpoint& from, std::uint16_t session_port) noexcept;

}  // namespace mbus::protocol
