#include "mbus-listen/listener.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "cli/text.hpp"
#include "mbus-listen/exec.hpp"

namespace mbus::tools {
namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

// After this long in silence, say what could be wrong.
constexpr auto silence = 5s;

}  // namespace

exit_code listener::run() {
    observe_connection();
    auto ready = plan_.peers ? watch() : attach();
    if (!ready) return report(out_, bus_.events(), ready.error());
    return finish(listen());
}

void listener::observe_connection() {
    bus_.bus().on_missed([this](std::uint64_t number) {
        totals_.missed += number;
        out_.note(fmt::format("{} message{} dropped: this program reads too slowly", number, number == 1 ? " was" : "s were"));
    });
    bus_.bus().on_state([this](const connection_event& event) {
        if (event.state == connection_state::connecting) {
            detached_ = true;
            out_.note(fmt::format("the daemon is gone ({}); waiting for it", event.reason.text));
        } else if (event.state == connection_state::connected && detached_) {
            detached_ = false;
            out_.note(event.resumed ? "the daemon is back; nothing was lost" : "the daemon is back; what was sent meanwhile is lost");
            if (!event.resumed) ++totals_.missed;  // unknown how many, but --no-loss must not be silent
        }
    });
}

result<void> listener::attach() {
    for (const auto& address : plan_.addresses) {
        attach_options options;
        options.mode = plan_.monitor ? attach_mode::monitor : attach_mode::entity;
        options.commands = plan_.commands;
        auto attached = bus_.await(bus_.bus().attach(address, options), default_limit);
        if (!attached) return std::move(attached).error();
        entities_.push_back(std::move(*attached));
    }
    // Handlers only now: an entity does not move any more.
    for (auto& one : entities_) {
        one.on_message([this](const received_message& message) { on_message(message); });
        out_.detail(fmt::format("listening as {}", one.address().text()));
    }
    return {};
}

result<void> listener::watch() {
    for (const auto& pattern : plan_.addresses) {
        auto watching = bus_.await(bus_.bus().watch(pattern, [this](const peer& which) { on_peer(which); }), default_limit);
        if (!watching) return std::move(watching).error();
        watches_.push_back(std::move(*watching));
    }
    return {};
}

bool listener::complete() const noexcept { return out_.broken() || (plan_.count && counted_ >= *plan_.count); }

void listener::on_message(const received_message& message) {
    if (complete()) return;
    last_ = steady::now();
    const auto wanted = plan_.wanted(message);
    if (!wanted) return;
    ++totals_.messages;
    totals_.commands += wanted->commands().size();
    totals_.octets += message.body.size();
    counted_ += std::max<std::size_t>(1, wanted->commands().size());
    print(*wanted);
}

void listener::on_peer(const peer& which) {
    if (complete()) return;
    last_ = steady::now();
    ++totals_.messages;
    ++counted_;
    const auto now = std::chrono::system_clock::now();
    if (plan_.form == print_form::json) out_.line(peer_json(which, milliseconds(now)));
    else out_.line(fmt::format("{} {:<7} {}", local_time(now), to_string(which.state), which.address.text()));
}

void listener::print(const received_message& message) {
    switch (plan_.form) {
        case print_form::json: out_.line(message_json(message)); return;
        case print_form::exec: execute(message); return;
        case print_form::raw: print_raw(message); return;
        default: print_commands(message);
    }
}

void listener::print_raw(const received_message& message) {
    if (!plan_.commands.empty() || !plan_.exclude.empty()) {  // only part of the body is wanted
        for (const auto& one : message.commands()) out_.line(command_text(one));
        return;
    }
    out_.raw(message.body);
    if (message.type.empty() && !message.body.ends_with('\n')) out_.raw("\n");
}

void listener::print_commands(const received_message& message) {
    if (!message.type.empty() && plan_.form == print_form::plain) {
        out_.line(plain_opaque_line(message));
        return;
    }
    for (const auto& one : message.commands()) {
        out_.line(plan_.form == print_form::format ? plan_.format->apply(message, one) : plain_line(message, one));
    }
    if (message.commands().empty() && plan_.form == print_form::plain) {
        out_.line(printable(fmt::format("{} {} (no command)", local_time(message.time), message.from.text())));
    }
}

void listener::execute(const received_message& message) {
    const auto status = run_for_message(plan_.exec, message, bus_.events());
    if (!status) {
        ++totals_.exec_failures;
        out_.note(status.error().text);
    } else if (*status != 0 && bus_.events().caught() == 0) {
        ++totals_.exec_failures;
        out_.note(fmt::format("the command of --exec ended with status {}", *status));
    }
}

std::string listener::listening_as() const {
    std::string out;
    for (const auto& one : plan_.addresses) out += (out.empty() ? "" : ", ") + std::string{one.text()};
    return out;
}

void listener::hint_at_silence() const {
    if (plan_.peers || detached_) return;
    if (plan_.monitor) {
        out_.note("nothing was routed for 5 s; send something: mbus-send '()' hello.world");
        return;
    }
    const auto& first = plan_.addresses.front();
    out_.note(fmt::format("nothing came for {} in 5 s; send something: mbus-send '{}' hello.world; see everything: mbus-listen -a; see who "
                          "is there: mbus peers",
                          listening_as(), first.text()));
}

// Runs until the plan's end; hints once.
ended listener::listen() {
    start_ = steady::now();
    last_ = start_;
    bool hinted = false;
    for (;;) {
        std::optional<time_point> until;
        const auto sooner = [&](time_point when) { until = until ? std::min(*until, when) : when; };
        if (plan_.limit) sooner(start_ + *plan_.limit);
        if (plan_.idle) sooner(last_ + *plan_.idle);
        if (!hinted && counted_ == 0) sooner(start_ + silence);
        const auto end = bus_.run([&] { return complete(); }, until);
        if (end != ended::time_limit) return end;
        const auto now = steady::now();
        if (plan_.limit && now >= start_ + *plan_.limit) return end;
        if (plan_.idle && now >= last_ + *plan_.idle) {
            idle_ended_ = true;
            return end;
        }
        if (!hinted && counted_ == 0 && now >= start_ + silence) {
            hinted = true;
            hint_at_silence();
        }
    }
}

exit_code listener::finish(ended how) {
    auto status = exit_code::ok;
    if (how == ended::signal) status = report(out_, bus_.events(), {errc::cancelled, "interrupted"});
    if (how == ended::closed) status = report(out_, bus_.events(), bus_.failure_of(how, default_limit));
    if (how == ended::time_limit && !(idle_ended_ && !plan_.count)) {
        status = exit_code::time_limit;
        if (plan_.count) out_.note(fmt::format("the time is over after {} of {} commands", counted_, *plan_.count));
    }
    if (plan_.stats) {
        const auto took = std::chrono::duration<double>(steady::now() - start_).count();
        out_.note(fmt::format("{} messages, {} commands, {} octets in {:.1f} s ({:.1f} commands/s), {} missed", totals_.messages,
                              totals_.commands, totals_.octets, took, static_cast<double>(totals_.commands) / took, totals_.missed));
    }
    if (status == exit_code::ok && plan_.no_loss && totals_.missed > 0) return exit_code::failed;
    if (status == exit_code::ok && totals_.exec_failures > 0) return exit_code::failed;
    return status;
}

}  // namespace mbus::tools
