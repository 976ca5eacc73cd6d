#include "mbus-send/sender.hpp"

#include <algorithm>
#include <memory>
#include <set>

#include <fmt/format.h>

#include "cli/daemon_requests.hpp"
#include "cli/duration.hpp"
#include "cli/text.hpp"

namespace mbus::tools {
namespace {

using namespace std::chrono_literals;

// Outcomes under way: enough to keep the daemon busy, few enough that a failure is told soon.
constexpr std::size_t outcomes_most = 256;
// Equal reliable messages under way: each waits up to a second for its acknowledgement, and their
// order does not matter.
constexpr std::size_t reliable_most = 64;
// Unreliable messages without a receipt between two looks at the connection.
constexpr std::uint64_t burst_most = 64;

// Statuses after which the next message would only fail the same way.
bool ends_everything(exit_code status) { return status == exit_code::no_daemon; }

}  // namespace

bool sender::stopped() const noexcept { return fatal_ || bus_.events().caught() != 0 || out_.broken(); }

exit_code sender::run(std::optional<line_reader> lines) {
    me_.on_refused([this](const error& failure) { report_failure({}, false, failure, 0); });
    if (plan_.wait_for) {
        if (auto done = wait_for_matches(); !done) return tools::report(out_, bus_.events(), done.error());
    }
    while (!stopped()) {
        auto what = next(lines);
        if (!what || !pace()) break;
        send(*what);
    }
    make_room(0);
    if (bus_.events().caught() == 0 && !fatal_) {
        if (auto done = bus_.bus().flush(plan_.limit); !done) report_failure({}, false, std::move(done).error(), 0);
    }
    if (plan_.many()) out_.detail(fmt::format("{} message{} sent, {} failed", sent_, plural(sent_), failed_));
    if (bus_.events().caught() != 0) return tools::report(out_, bus_.events(), {errc::cancelled, "interrupted"});
    return status_;
}

result<void> sender::wait_for_matches() {
    const auto& to = plan_.message ? plan_.message->to : plan_.lines_to;
    std::set<address> there;
    auto watching = bus_.await(bus_.bus().watch(to,
                                                [&](const peer& one) {
                                                    const bool here = one.state == peer_state::present || one.state == peer_state::joined;
                                                    if (!here) there.erase(one.address);
                                                    else if (one.address != me_.address()) there.insert(one.address);
                                                }),
                               plan_.limit);
    if (!watching) return std::move(watching).error();
    const auto enough = [&] { return there.size() >= *plan_.wait_for; };
    const auto end = bus_.run(enough, std::chrono::steady_clock::now() + plan_.limit);
    if (end == ended::done) return {};
    if (end != ended::time_limit) return bus_.failure_of(end, plan_.limit);
    return {errc::timed_out, fmt::format("{} of {} entities matched {} within {}", there.size(), *plan_.wait_for, to.text(),
                                         format_duration(plan_.limit))};
}

std::optional<sender::numbered> sender::next(std::optional<line_reader>& lines) {
    if (lines) return next_of_lines(*lines);
    if (taken_ == plan_.count) return std::nullopt;
    ++taken_;
    return numbered{*plan_.message, 0};
}

std::optional<sender::numbered> sender::next_of_lines(line_reader& lines) {
    while (!stopped()) {
        if (auto line = lines.next()) {
            ++line_;
            if (*line && (*line)->find_first_not_of(" \t") == std::string::npos) continue;
            auto what = *line ? message_of_line(plan_, **line) : result<planned_message>{std::move(*line).error()};
            if (what) {
                if (auto fits = check_message(plan_, *what); !fits) what = std::move(fits).error();
            }
            if (what) return numbered{std::move(*what), line_};
            report_failure(plan_.lines_to, plan_.reliable, {what.error().code, describe(what.error())}, line_);
            continue;
        }
        if (lines.ended()) return std::nullopt;
        bool readable = false;
        const auto end = bus_.run([&] { return readable; }, std::nullopt, {lines.fd(), [&] {
                                                                               readable = true;
                                                                               lines.read_some();
                                                                           }});
        if (end == ended::closed) report_failure(plan_.lines_to, plan_.reliable, bus_.failure_of(end, plan_.limit), 0);
        if (end != ended::done) return std::nullopt;
    }
    return std::nullopt;
}

// Waits until the next message is due. False on a signal.
bool sender::pace() {
    const auto now = std::chrono::steady_clock::now();
    if (plan_.interval.count() == 0) return true;
    const auto due = due_.value_or(now);
    if (due > now) {
        const auto end = bus_.run([] { return false; }, due);
        if (end == ended::closed) report_failure({}, plan_.reliable, bus_.failure_of(end, plan_.limit), 0);
        if (end != ended::time_limit) return false;
    }
    due_ = std::max(due, now - 1s) + plan_.interval;  // catches up, but not for more than a second
    return true;
}

void sender::send(const numbered& what) {
    ++sent_;
    if (plan_.each) return send_each(what);
    if (what.message.reliable) {
        const bool first = taken_ == 1;  // it finds out whether there is a receiver
        return what.line == 0 && !first ? send_reliably_in_a_row(what) : send_reliably(what, what.message.to);
    }
    // A receipt tells whether anybody matched, and keeps a message from sharing a datagram. So in a row
    // of equal messages only the first and the last ask for one.
    const bool asked = plan_.json || what.line != 0 || taken_ == 1 || taken_ == plan_.count;
    if (asked) send_with_receipt(what);
    else send_plainly(what);
}

void sender::send_each(const numbered& what) {
    auto found = bus_.await(bus_.bus().peers(what.message.to), plan_.limit);
    if (!found) return report_failure(what.message.to, true, std::move(found).error(), what.line);
    std::erase_if(*found, [&](const peer& one) { return one.address == me_.address(); });
    if (found->empty() && !daemon_settled_) {
        settle_young_daemon(what.message.to);
        --sent_;
        if (!stopped()) return send(what);
    }
    if (found->empty()) {
        send_outcome nobody{.to = what.message.to, .reliable = true, .failure = error{errc::no_match, {}}};
        return report(nobody, what.line);
    }
    for (const auto& one : *found) {
        if (stopped()) return;
        send_reliably(what, one.address);
    }
}

void sender::send_reliably(const numbered& what, const address& to) {
    auto done = bus_.await(me_.send_reliably(to, what.message.commands), plan_.limit);
    if (!done && done.error().code == errc::no_match && !daemon_settled_) {
        settle_young_daemon(to);
        if (!stopped()) return send_reliably(what, to);
    }
    if (!done) return report_failure(to, true, std::move(done).error(), what.line);
    report({.to = to, .reliable = true, .matched = {}, .delivered = std::move(*done), .failure = {}}, what.line);
}

// One of many equal messages; the others need not wait for its outcome.
void sender::send_reliably_in_a_row(const numbered& what) {
    make_room(reliable_most - 1);
    if (stopped()) return;
    ++under_way_;
    me_.send_reliably(what.message.to, what.message.commands)
        .then([this, alive = std::weak_ptr<bool>{alive_}, to = what.message.to](result<delivery> done) {
            if (alive.expired()) return;
            --under_way_;
            if (!done) report_failure(to, true, std::move(done).error(), 0);
            else report({.to = to, .reliable = true, .matched = {}, .delivered = std::move(*done), .failure = {}}, 0);
        });
}

void sender::send_with_receipt(const numbered& what) {
    make_room(outcomes_most - 1);
    if (stopped()) return;
    auto under_way = me_.send_with_receipt(what.message.to, what.message.commands);
    if (!daemon_settled_) {  // the first one is waited for: perhaps the daemon knows nobody yet
        auto done = bus_.await(std::move(under_way), plan_.limit);
        if (done && done->matched == 0) {
            settle_young_daemon(what.message.to);
            if (!stopped()) return send_with_receipt(what);
        }
        daemon_settled_ = true;
        if (!done) return report_failure(what.message.to, false, std::move(done).error(), what.line);
        return report({.to = what.message.to, .matched = done->matched}, what.line);
    }
    ++under_way_;
    // The connection outlives this object and ends what is still under way.
    under_way.then([this, alive = std::weak_ptr<bool>{alive_}, to = what.message.to, line = what.line](result<receipt> done) {
        if (alive.expired()) return;
        --under_way_;
        if (!done) report_failure(to, false, std::move(done).error(), line);
        else report({.to = to, .matched = done->matched}, line);
    });
}

void sender::send_plainly(const numbered& what) {
    auto done = me_.send(what.message.to, what.message.commands);
    if (!done && done.error().code == errc::overflow) {
        if (auto flushed = bus_.bus().flush(plan_.limit); flushed) done = me_.send(what.message.to, what.message.commands);
    }
    if (!done) return report_failure(what.message.to, false, std::move(done).error(), what.line);
    if (sent_ % burst_most == 0) make_room(outcomes_most);
}

// Nobody matched. If the daemon has only just started, it may not have heard the others yet: they say
// hello about once a second (RFC 3259, section 8). Waits until somebody matches or it has had its second.
void sender::settle_young_daemon(const address& to) {
    daemon_settled_ = true;
    const auto age = daemon_age(bus_, me_);
    if (!age || *age >= discovery_time) return;
    const auto left = std::min(discovery_time - *age, plan_.limit);
    out_.detail(fmt::format("the daemon has just started; waiting {} for others", format_duration(left)));
    bool somebody = false;
    auto watching = bus_.await(bus_.bus().watch(to, [&](const peer& one) {
        const bool here = one.state == peer_state::present || one.state == peer_state::joined;
        somebody |= here && one.address != me_.address();
    }), left);
    if (watching) bus_.run([&] { return somebody; }, std::chrono::steady_clock::now() + left);
}

void sender::make_room(std::size_t under_way_most) {
    const auto end = bus_.run([&] { return under_way_ <= under_way_most; }, std::chrono::steady_clock::now() + plan_.limit + 1s);
    if (end == ended::closed) report_failure({}, plan_.reliable, bus_.failure_of(end, plan_.limit), 0);
    if (end != ended::time_limit) return;
    report_failure({}, false, {errc::timed_out, fmt::format("{} outcome{} did not come within {}", under_way_, plural(under_way_),
                                                            format_duration(plan_.limit))}, 0);
    fatal_ = true;
}

void sender::report(const send_outcome& outcome, std::uint64_t line) {
    const auto status = outcome.status();
    status_ = first_failure(status_, status);
    if (plan_.json) out_.line(outcome_json(outcome));
    if (status == exit_code::ok) return out_.detail(outcome_text(outcome));
    ++failed_;
    fatal_ |= ends_everything(status);
    out_.note(line == 0 ? outcome_text(outcome) : fmt::format("line {}: {}", line, outcome_text(outcome)));
}

void sender::report_failure(const address& to, bool reliable, error failure, std::uint64_t line) {
    if (failure.code == errc::cancelled && bus_.events().caught() != 0) return;
    if (fatal_) return;  // told once
    report({.to = to, .reliable = reliable, .matched = {}, .delivered = {}, .failure = std::move(failure)}, line);
}

}  // namespace mbus::tools
