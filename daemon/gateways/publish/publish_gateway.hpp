// The paths for scripts and plain web pages (docs/http-api.md): POST /send publishes one message, GET
// /events streams what an entity is sent, POST /events/ticket lets an EventSource in.
//
//     publish_gateway gateway{hub, clients, after};
//     gateway.add_paths(paths);
//
// Both need a token, whose rights hold. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "gateways/publish/event_stream.hpp"
#include "gateways/publish/ticket_table.hpp"
#include "http/path_table.hpp"
#include "router/router.hpp"

namespace mbusd {

inline constexpr std::chrono::seconds heartbeat{25};   // proxies give up silent connections after 30 to 60 s
inline constexpr std::chrono::seconds sender_idle{60}; // an entity of /send leaves when it was not used for so long

struct publish_counters {
    std::uint64_t sent = 0;
    std::uint64_t refused = 0;
    std::uint64_t streams_opened = 0;
    stream_counters streams;
};

class publish_gateway {
public:
    using after_function = std::function<void(std::chrono::milliseconds, std::function<void()>)>;

    publish_gateway(router& hub, client_directory& clients, after_function after)
        : hub_(hub), clients_(clients), after_(std::move(after)) {}
    ~publish_gateway();
    publish_gateway(const publish_gateway&) = delete;
    publish_gateway& operator=(const publish_gateway&) = delete;

    void add_paths(path_table& paths);
    void configuration_changed();
    // Its token was withdrawn.
    void end_streams_of(std::string_view identity);

    [[nodiscard]] const publish_counters& counters() const noexcept { return counters_; }
    [[nodiscard]] std::size_t streams() const noexcept { return streams_.size(); }

private:
    using call_pointer = std::shared_ptr<exchange>;
    using identity_pointer = std::shared_ptr<const peer_identity>;

    // The entity that speaks for one client.
    class sender final : public participant {
    public:
        sender(std::string name, identity_pointer who) : name_(std::move(name)), who_(std::move(who)) {}
        acceptance offer(mbus::mbws::time_point, local_entity&, message_forms&, const mbus::mbws::delivery&, delivery_ticket) override {
            return acceptance::taken;  // nobody reads here: answers go to /events
        }
        [[nodiscard]] std::string_view participant_name() const noexcept override { return name_; }
        [[nodiscard]] std::shared_ptr<const peer_identity> speaker(const local_entity&) const override { return who_; }
        // The same client again, perhaps with other rights.
        void speak_for(identity_pointer who) { who_ = std::move(who); }
        mbus::protocol::entity_handle handle{};
        mbus::mbws::time_point used{};

    private:
        std::string name_;
        identity_pointer who_;
    };

    // Null: answered with 401 or 429.
    identity_pointer identify(const call_pointer& call);
    void send(const call_pointer& call);
    void sent(const call_pointer& call, bool reliable, const mbus::mbws::route_report& report);
    mbus::result<mbus::protocol::entity_handle> entity_of(const identity_pointer& who);
    void leave_idle();
    void events(const call_pointer& call);
    void open_stream(const call_pointer& call, const identity_pointer& who, ticket_table::ticket* ticket);
    void issue_ticket(const call_pointer& call);
    void end_stream(std::uint64_t id);
    void beat();

    router& hub_;
    client_directory& clients_;
    after_function after_;
    endpoint_rules* send_rules_ = nullptr;
    publish_counters counters_;
    std::map<std::string, std::unique_ptr<sender>, std::less<>> senders_;  // by identity
    std::unordered_map<std::uint64_t, std::unique_ptr<event_stream>> streams_;
    ticket_table tickets_;
    std::uint64_t last_stream_ = 0;
    bool beating_ = false;
    bool sweeping_ = false;
    std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace mbusd
