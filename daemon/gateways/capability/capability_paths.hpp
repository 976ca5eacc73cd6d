// The paths /cap/TOKEN: what others may post to a client (docs/capabilities.md).
//
//     capability_gateway gateway{authority, hub, after};
//     gateway.add_paths(paths);
//
// POST hands the body to the client, GET says what may be posted. A token that is unknown, expired,
// used up or revoked gets one and the same 404, before anything else of the request is looked at.
// One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "gateways/capability/call_desk.hpp"
#include "gateways/capability/capability_authority.hpp"
#include "http/path_table.hpp"

namespace mbusd {

struct capability_counters {
    std::uint64_t queued = 0;
    std::uint64_t replied = 0;
    std::uint64_t unanswered = 0;     // no reply in time
    std::uint64_t unknown = 0;        // 404
    std::uint64_t refused_body = 0;   // 400
    std::uint64_t refused_command = 0;  // 403
    std::uint64_t refused_rate = 0;   // 429
    std::uint64_t undeliverable = 0;  // the client's queue is full, or what it takes is smaller
};

class capability_gateway {
public:
    capability_gateway(capability_authority& authority, router& hub, after_function after)
        : authority_(authority), hub_(hub), desk_(hub, after), after_(std::move(after)) {}
    capability_gateway(const capability_gateway&) = delete;
    capability_gateway& operator=(const capability_gateway&) = delete;

    void add_paths(path_table& paths);
    // Also takes out, from time to time, what has expired.
    void start();
    void configuration_changed();

    [[nodiscard]] const capability_counters& counters() const noexcept { return counters_; }
    [[nodiscard]] std::size_t waiting() const noexcept { return desk_.waiting(); }

private:
    using call_pointer = std::shared_ptr<exchange>;

    void handle(const call_pointer& call);
    void describe(const call_pointer& call, const capability& grant);
    void post(const call_pointer& call, capability& grant);
    void undeliverable(const call_pointer& call, const mbus::mbws::route_report& report);
    void not_found(const call_pointer& call);

    capability_authority& authority_;
    router& hub_;
    call_desk desk_;
    after_function after_;
    endpoint_rules* rules_ = nullptr;
    capability_counters counters_;
    std::shared_ptr<int> alive_ = std::make_shared<int>();
};

// The seconds of `Prefer: wait=N` (RFC 7240, section 4.3), at most `most`; nothing when it is not asked.
[[nodiscard]] std::optional<std::chrono::seconds> preferred_wait(std::string_view prefer, std::uint64_t most);

// `mbusd.grants` and `mbusd.grant-revoke` (docs/daemon-commands.md).
void add_capability_requests(administration& requests, capability_authority& authority);

}  // namespace mbusd
