// A bound XMPP session: user@domain/resource, its presence, and what it has to send. It outlives its
// stream when stream management with resumption was enabled (XEP-0198).
// Not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gateways/xmpp/stanza_queue.hpp"
#include "gateways/xmpp/stream.hpp"
#include "xml/element.hpp"

namespace mbusd::xmpp {

// How long a session waits for its client to resume it.
inline constexpr std::chrono::seconds resumption_usual{60};
// After so many stanzas without an acknowledgement one is asked for.
inline constexpr std::size_t request_after = 16;

class session {
public:
    session(std::string user, bool guest, std::string domain, std::string resource)
        : bare_(std::move(user) + '@' + std::move(domain)), jid_(bare_ + '/' + std::move(resource)), guest_(guest) {}

    [[nodiscard]] const std::string& jid() const noexcept { return jid_; }    // full
    [[nodiscard]] const std::string& bare() const noexcept { return bare_; }
    [[nodiscard]] std::string_view user() const noexcept { return std::string_view{bare_}.substr(0, bare_.find('@')); }
    [[nodiscard]] bool guest() const noexcept { return guest_; }

    // Presence, from when the client says that it is available. Events to the bare JID go to sessions that
    // are available with a priority of 0 or more (RFC 6121, section 8.5).
    bool available = false;
    int priority = 0;
    bool wants_blocks = false;  // it has read the block list, and is told of changes (XEP-0191)

    // Sends one stanza, or keeps it until the client is back. False: the session is too far behind and
    // must end.
    bool send_text(std::string stanza);

    [[nodiscard]] stream* connection() const noexcept { return stream_; }
    // A new stream: after bind, or for a resumption; then send_again() follows <resumed/>.
    void attach(stream& to) noexcept { stream_ = &to; }
    void detach() noexcept { stream_ = nullptr; }
    void send_again();

    stanza_queue queue;
    std::string management_id;   // of <enabled/>; empty: can't be resumed. A secret.
    time_point expires = never;  // when not connected

private:
    std::string bare_;
    std::string jid_;
    bool guest_;
    stream* stream_ = nullptr;
    std::size_t since_request_ = 0;
};

}  // namespace mbusd::xmpp
