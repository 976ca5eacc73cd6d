// What a session has sent and its client has not acknowledged yet (XEP-0198): counted, kept, sent
// again after a resumption. Without stream management nothing is kept.
//
//     queue.enable();
//     queue.sent(text);                        // for each stanza
//     if (!queue.acknowledge(h)) close(...);   // <a h='…'/>
//     for (auto& text : queue.waiting()) send(text);
//
// Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

namespace mbusd::xmpp {

// Stanzas that may wait for an acknowledgement, and their octets; then the session ends, since nothing
// may be lost of a stream that is to be resumed.
inline constexpr std::size_t unacknowledged_max = 4096;
inline constexpr std::size_t unacknowledged_octets_max = 4 * 1024 * 1024;

class stanza_queue {
public:
    void enable() noexcept { enabled_ = true; }
    [[nodiscard]] bool enabled() const noexcept { return enabled_; }

    // False when too much waits.
    bool sent(std::string text) {
        if (!enabled_) return true;
        octets_ += text.size();
        kept_.push_back(std::move(text));
        return kept_.size() <= unacknowledged_max && octets_ <= unacknowledged_octets_max;
    }
    // The count wraps at 2^32 (XEP-0198, section 4). False: more than was ever sent. A count that was
    // acknowledged before is ignored: some clients lose count at the start and say less than they did.
    bool acknowledge(std::uint32_t handled) {
        const auto ahead = static_cast<std::uint32_t>(handled - acknowledged_);
        if (ahead > 0x80000000U) return true;
        if (ahead > kept_.size()) return false;
        for (std::uint32_t i = 0; i < ahead; ++i) {
            octets_ -= kept_.front().size();
            kept_.pop_front();
        }
        acknowledged_ = handled;
        return true;
    }
    // Stanzas sent since enable().
    [[nodiscard]] std::uint32_t sent_count() const noexcept { return acknowledged_ + static_cast<std::uint32_t>(kept_.size()); }
    [[nodiscard]] const std::deque<std::string>& waiting() const noexcept { return kept_; }

    // Stanzas of the client that were handled since enable().
    void handled_one() noexcept { handled_ += enabled_ ? 1 : 0; }
    [[nodiscard]] std::uint32_t handled() const noexcept { return handled_; }

private:
    std::deque<std::string> kept_;
    std::size_t octets_ = 0;
    std::uint32_t acknowledged_ = 0;
    std::uint32_t handled_ = 0;
    bool enabled_ = false;
};

}  // namespace mbusd::xmpp
