#include "mbus-send/run.hpp"

#include <chrono>

#include <fmt/format.h>

#include "mbus-send/plan.hpp"
#include "mbus-send/sender.hpp"

namespace mbus::tools {
namespace {

std::uint64_t now_ms() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

// Prints one message as it would go out.
exit_code show(const send_plan& plan, const planned_message& what, output& out) {
    const auto text = plan.json ? json_text(plan, what, now_ms()) : datagram_text(plan, what, now_ms());
    if (!text) return out.fail(text.error());
    if (!(plan.json ? out.line(*text) : out.raw(*text))) return exit_code::ok;
    return exit_code::ok;
}

exit_code dry_run(const send_plan& plan, std::optional<line_reader> lines, output& out) {
    if (plan.message) {
        // The repeats look the same; one is enough.
        if (plan.count > 1) out.detail(fmt::format("{} times", plan.count));
        return show(plan, *plan.message, out);
    }
    auto status = exit_code::ok;
    for (std::uint64_t number = 0; !lines->ended() && !out.broken();) {
        auto line = lines->next();
        if (!line) {
            lines->read_some();
            continue;
        }
        ++number;
        if (*line && (*line)->find_first_not_of(" \t") == std::string::npos) continue;
        auto what = *line ? message_of_line(plan, **line) : result<planned_message>{std::move(*line).error()};
        if (what) {
            status = first_failure(status, show(plan, *what, out));
        } else {
            out.note(fmt::format("line {}: {}", number, describe(what.error())));
            status = first_failure(status, exit_code_of(what.error().code));
        }
    }
    return status;
}

}  // namespace

exit_code run_mbus_send(const arguments& args, output& out) {
    auto plan = make_plan(args);
    if (!plan) return out.fail(plan.error());
    std::optional<line_reader> lines;
    if (!plan->input.empty()) {
        auto opened = line_reader::open(plan->input);
        if (!opened) {
            out.fail(opened.error());
            return exit_code::failed;
        }
        lines.emplace(std::move(*opened));
    }
    if (plan->message) {
        if (auto fits = check_message(*plan, *plan->message); !fits) return out.fail(fits.error());
    }
    if (plan->dry_run) return dry_run(*plan, std::move(lines), out);

    signals events;
    mbus::connect_options options;
    options.operation_limit = plan->limit;
    options.reconnect.enabled = false;  // a broken connection is an outcome here
    auto bus = session::open(args, events, options);
    if (!bus) return report(out, events, bus.error());
    auto me = bus->await(bus->bus().attach(plan->as), plan->limit);
    if (!me) return report(out, events, me.error());
    return sender{*bus, *me, *plan, out}.run(std::move(lines));
}

}  // namespace mbus::tools
