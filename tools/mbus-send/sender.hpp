// Sends what a plan asks for and reports each outcome. Reliable messages from lines go one after the
// other, so that they arrive in order; equal ones (-n) and unreliable ones may be under way together.
//
// Thread-safety: one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include <mbus/entity.hpp>

#include "cli/lines.hpp"
#include "cli/output.hpp"
#include "cli/session.hpp"
#include "mbus-send/outcome.hpp"
#include "mbus-send/plan.hpp"

namespace mbus::tools {

class sender {
public:
    sender(session& bus, entity& me, const send_plan& plan, output& out) : bus_(bus), me_(me), plan_(plan), out_(out) {}

    // Sends everything and waits for the outcomes. The status of the first failure, or of a signal.
    exit_code run(std::optional<line_reader> lines);

private:
    struct numbered {
        planned_message message;
        std::uint64_t line = 0;  // 0: not from a line
    };

    [[nodiscard]] bool stopped() const noexcept;
    result<void> wait_for_matches();
    std::optional<numbered> next(std::optional<line_reader>& lines);
    std::optional<numbered> next_of_lines(line_reader& lines);
    bool pace();
    void send(const numbered& what);
    void send_each(const numbered& what);
    void send_reliably(const numbered& what, const address& to);
    void send_reliably_in_a_row(const numbered& what);
    void send_with_receipt(const numbered& what);
    void send_plainly(const numbered& what);
    void settle_young_daemon(const address& to);
    void make_room(std::size_t under_way_most);
    void report(const send_outcome& outcome, std::uint64_t line);
    void report_failure(const address& to, bool reliable, error failure, std::uint64_t line);

    session& bus_;
    entity& me_;
    const send_plan& plan_;
    output& out_;
    std::size_t under_way_ = 0;
    std::uint64_t taken_ = 0;
    std::uint64_t line_ = 0;
    std::uint64_t sent_ = 0;
    std::uint64_t failed_ = 0;
    std::optional<time_point> due_;
    bool daemon_settled_ = false;
    exit_code status_ = exit_code::ok;
    bool fatal_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace mbus::tools
