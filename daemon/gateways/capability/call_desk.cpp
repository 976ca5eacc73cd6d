#include "gateways/capability/call_desk.hpp"

#include <utility>
#include <vector>

namespace mbusd {
namespace {

using mbus::mbws::route_report;
using mbus::mbws::route_status;
using stage = call_outcome::stage;

}  // namespace

call_desk::~call_desk() {
    if (entity_) hub_.leave(*entity_);
}

mbus::result<mbus::protocol::entity_handle> call_desk::entity() {
    if (entity_ && hub_.entity(*entity_) != nullptr) return *entity_;
    auto joined = hub_.join(*this, mbus::address::parse("(app:mbusd module:capability)").value(), {});
    if (joined) entity_ = *joined;
    return joined;
}

void call_desk::deliver(std::string_view to, const posted_body& posted, std::optional<std::chrono::seconds> wait,
                        outcome_function done) {
    const auto from = entity();
    if (!from) {
        done({.what = stage::refused,
              .report = {.failed = true, .code = from.error().code, .text = from.error().text, .entity = {}},
              .reply = {}});
        return;
    }
    std::uint64_t id = 0;
    std::string question;
    if (wait && posted.question) {
        id = ++last_id_;
        question = request_text(id, *posted.question).value();  // its parts were formatted or read before
        calls_.emplace(id, call{std::string{to}, reply_name(*posted.question), done});
    }
    const auto patience = wait.value_or(std::chrono::seconds{0});
    const outgoing_message message{.from = *from, .to = to, .type = posted.type, .body = id != 0 ? question : posted.body,
                                   .reliable = true, .receipt_wanted = true};
    route_report report;
    auto later = [this, id, patience, done, alive = std::weak_ptr{alive_}](const route_report& how) {
        if (alive.expired()) return;
        sent(id, patience, how, done);
    };
    switch (hub_.send(hub_.now(), message, nullptr, report, later)) {
    case route_status::routed: sent(id, patience, report, done); break;
    case route_status::refused:
        report.failed = true;
        sent(id, patience, report, done);
        break;
    case route_status::receipt_later:
    case route_status::take_over_later: break;
    }
}

void call_desk::sent(std::uint64_t id, std::chrono::seconds wait, const route_report& report, const outcome_function& done) {
    if (report.failed) {
        calls_.erase(id);
        done({.what = stage::refused, .report = report, .reply = {}});
        return;
    }
    done({.what = stage::queued, .report = report, .reply = {}});
    if (!calls_.contains(id)) return;
    after_(wait, [this, id, alive = std::weak_ptr{alive_}] {
        if (!alive.expired()) give_up(id);
    });
}

void call_desk::give_up(std::uint64_t id) {
    const auto found = calls_.find(id);
    if (found == calls_.end()) return;
    const auto done = std::move(found->second.done);
    calls_.erase(found);
    done({.what = stage::no_reply, .report = {}, .reply = {}});
}

// Only answers mean anything here; whatever else somebody sends to this entity has no effect.
acceptance call_desk::offer(mbus::mbws::time_point, local_entity&, message_forms& forms, const mbus::mbws::delivery&, delivery_ticket) {
    if (calls_.empty()) return acceptance::taken;
    const auto text = forms.commands();
    const auto commands = text ? mbus::parse_commands(*text) : mbus::result<std::vector<mbus::command>>{text.error()};
    if (!commands) return acceptance::taken;
    for (const auto& each : *commands) {
        const auto id = answered_request(each);
        const auto found = id ? calls_.find(*id) : calls_.end();
        if (found == calls_.end() || found->second.name != each.name || found->second.callee != forms.source().from) continue;
        const auto done = std::move(found->second.done);
        calls_.erase(found);
        done({.what = stage::replied, .report = {}, .reply = reply_of(each)});
    }
    return acceptance::taken;
}

}  // namespace mbusd
