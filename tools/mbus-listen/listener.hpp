// Attaches what a plan asks for and prints what comes, until the plan's end.
//
// Thread-safety: one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <mbus/entity.hpp>

#include "cli/output.hpp"
#include "cli/session.hpp"
#include "mbus-listen/plan.hpp"

namespace mbus::tools {

class listener {
public:
    listener(session& bus, const listen_plan& plan, output& out) : bus_(bus), plan_(plan), out_(out) {}

    exit_code run();

private:
    struct totals {
        std::uint64_t messages = 0;
        std::uint64_t commands = 0;
        std::uint64_t octets = 0;
        std::uint64_t missed = 0;
        std::uint64_t exec_failures = 0;
    };

    result<void> attach();
    result<void> watch();
    void observe_connection();
    void on_message(const received_message& message);
    void on_peer(const peer& which);
    void print(const received_message& message);
    void print_raw(const received_message& message);
    void print_commands(const received_message& message);
    void execute(const received_message& message);
    ended listen();
    exit_code finish(ended how);
    [[nodiscard]] bool complete() const noexcept;
    [[nodiscard]] std::string listening_as() const;
    void hint_at_silence() const;

    session& bus_;
    const listen_plan& plan_;
    output& out_;
    std::vector<entity> entities_;
    std::vector<peer_watch> watches_;
    totals totals_;
    std::uint64_t counted_ = 0;
    time_point start_{};
    time_point last_{};
    bool idle_ended_ = false;
    bool detached_ = false;
};

}  // namespace mbus::tools
