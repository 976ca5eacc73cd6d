// One reader of /events: an entity whose messages go out as server-sent events.
//
//     event_stream stream{call, who};
//     auto handle = hub.join(stream, address, {});
//     stream.begin(*handle, address);
//     stream.beat();                         // now and then, so that proxies keep the connection
//
// Events are `attached` (once, first), `message` (docs/json.md) and `missed`. What the reader does not
// take in time waits up to events_waiting_octets_max; then unreliable messages are dropped, counted and
// told as `missed`, reliable ones refused. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "http/exchange.hpp"
#include "router/participant.hpp"
#include "router/peer_identity.hpp"

namespace mbusd {

// Some seconds of a busy bus; below it http's own limit (gateway.output_octets) stays for the socket.
inline constexpr std::size_t events_waiting_octets_max = 256 * 1024;

struct stream_counters {
    std::uint64_t events = 0;
    std::uint64_t missed = 0;
    std::uint64_t refused = 0;  // reliable messages
};

class event_stream final : public participant {
public:
    event_stream(std::shared_ptr<const peer_identity> who, std::string commands, stream_counters& counters)
        : who_(std::move(who)), commands_(std::move(commands)), name_("events of " + who_->user.identity()), counters_(counters) {}
    event_stream(const event_stream&) = delete;
    event_stream& operator=(const event_stream&) = delete;

    void begin(exchange& call, mbus::protocol::entity_handle handle, const mbus::address& entity);
    // A comment; and what was missed, if nothing has told it since.
    void beat();
    void close();

    [[nodiscard]] mbus::protocol::entity_handle handle() const noexcept { return handle_; }
    [[nodiscard]] const peer_identity& who() const noexcept { return *who_; }

    // --- participant ----------------------------------------------------------------------

    acceptance offer(mbus::mbws::time_point now, local_entity& to, message_forms& forms, const mbus::mbws::delivery& how,
                     delivery_ticket ticket) override;
    [[nodiscard]] std::string_view participant_name() const noexcept override { return name_; }

private:
    void tell_missed();

    std::shared_ptr<const peer_identity> who_;
    std::string commands_;  // globs; empty: all
    std::string name_;
    stream_counters& counters_;
    std::shared_ptr<http_stream> out_;
    mbus::protocol::entity_handle handle_{};
    std::uint64_t last_id_ = 0;
    std::uint64_t missed_ = 0;
};

}  // namespace mbusd
