// Puts what comes over a capability URL on its way, and waits for replies: the entity
// (app:mbusd module:capability), which joins the bus when it is needed first.
//
//     desk.deliver(now, "(app:door id:7-1@10.0.0.1)", posted, 10s, [](const call_outcome& how) { ... });
//
// A message is sent reliably, so the outcome says whether the receiver's queue has it. With a wait it
// is sent in the request form of the Mbus guidelines, and the answer of exactly that entity ends it.
// One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include <mbus/value.hpp>

#include "gateways/capability/posted_body.hpp"
#include "router/participant.hpp"
#include "router/request_reply.hpp"
#include "router/router.hpp"

namespace mbusd {

// Calls back once after a while, from the event loop.
using after_function = std::function<void(std::chrono::milliseconds, std::function<void()>)>;

struct call_outcome {
    enum class stage : std::uint8_t {
        refused,   // it went nowhere: report
        queued,    // the receiver's queue has it; with a wait another outcome follows
        replied,   // after queued
        no_reply   // after queued
    } what = stage::refused;
    mbus::mbws::route_report report{};
    request_reply reply{};
};

class call_desk final : public participant {
public:
    call_desk(router& hub, after_function after) : hub_(hub), after_(std::move(after)) {}
    ~call_desk();
    call_desk(const call_desk&) = delete;
    call_desk& operator=(const call_desk&) = delete;

    using outcome_function = std::function<void(const call_outcome&)>;

    // `wait`: for the reply to posted.question. `done`: once, or twice when `queued` is not the end.
    void deliver(std::string_view to, const posted_body& posted, std::optional<std::chrono::seconds> wait, outcome_function done);

    [[nodiscard]] std::size_t waiting() const noexcept { return calls_.size(); }

    // --- participant ----------------------------------------------------------------------

    acceptance offer(mbus::mbws::time_point now, local_entity& to, message_forms& forms, const mbus::mbws::delivery& how,
                     delivery_ticket ticket) override;
    [[nodiscard]] std::string_view participant_name() const noexcept override { return "capability URLs"; }

private:
    struct call {
        std::string callee;
        std::string name;  // "door.open.return"
        outcome_function done;
    };

    mbus::result<mbus::protocol::entity_handle> entity();
    void sent(std::uint64_t id, std::chrono::seconds wait, const mbus::mbws::route_report& report, const outcome_function& done);
    void give_up(std::uint64_t id);

    router& hub_;
    after_function after_;
    std::optional<mbus::protocol::entity_handle> entity_;
    std::unordered_map<std::uint64_t, call> calls_;  // that wait for their reply
    std::uint64_t last_id_ = 0;
    std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace mbusd
