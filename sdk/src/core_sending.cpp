// Messages on their way out, and how they ended.
#include "core.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "mbws/body.hpp"

namespace mbus::detail {
namespace {

// Of the commands of RFC 3259, section 9, these are a client's to send.
bool may_be_sent(std::string_view name) noexcept {
    return !name.starts_with("mbus.") || name == "mbus.ping" || name == "mbus.quit" || name == "mbus.waiting" ||
           name == "mbus.go";
}

// Why the body can't be sent.
std::optional<error> fault_of(const outgoing_body& what) {
    if (what.status != nullptr && !*what.status) return what.status->error();
    if (!what.type.empty()) {
        if (mbws::is_media_type(what.type)) return std::nullopt;
        return error{errc::bad_argument, "'" + std::string{what.type} + "' is no media type; write for instance text/plain"};
    }
    mbws::body_summary summary;
    if (auto wrong = mbws::check_commands(what.octets, summary)) return wrong;
    if (!summary.has_mbus_command) return std::nullopt;
    command_scanner scan{what.octets};
    while (const auto* next = scan.next()) {
        if (!may_be_sent(next->name)) {
            return error{errc::bad_command, "the command " + std::string{next->name} +
                                                " is not one to send: names that start with mbus. belong to RFC 3259"};
        }
    }
    return std::nullopt;
}

error failure_of(const mbws::message_result& what) { return {what.code, std::string{what.text}}; }

}  // namespace

result<mbws::message_token> core::hand_over(entity_record& from, const destination& to, const outgoing_body& what,
                                            const send_options& how, bool reliable, bool receipt) {
    if (from.gone) return from.gone_reason;
    if (state_ == connection_state::closed) return disconnected(closed_reason_.text);
    // Without a window nothing outlives the connection, so nothing is promised while there is none.
    if (state_ == connection_state::connecting && *options_.window == 0) return disconnected(closed_reason_.text);
    if (from.options.mode != attach_mode::entity) {
        return {errc::no_entity, "a monitor or the reader of a queue has no address to send from; attach an entity"};
    }
    std::string_view target = to.text();
    mbus::address parsed;
    if (to.parsed() == nullptr && target != to_cache_.text()) {
        auto read = mbus::address::parse_relaxed(target);
        if (!read) return read.error();
        parsed = std::move(*read);
        target = parsed.text();
    }
    if (auto wrong = fault_of(what)) return std::move(*wrong);
    if (how.ttl.count() < 0) return {errc::bad_argument, "a ttl can't be negative"};
    const bool only_one = entities_.size() == 1;
    return session_.send({.to = target,
                          .from = only_one ? std::string_view{} : from.address.text(),
                          .body = what.octets,
                          .type = what.type,
                          .reliable = reliable,
                          .receipt_wanted = receipt,
                          .ttl = static_cast<std::uint32_t>(std::min<std::int64_t>(how.ttl.count(), UINT32_MAX))});
}

// A message like the one before, with nothing that wants a closer look. False: nothing was done.
bool core::send_again(const entity_record& from, const destination& to, const outgoing_body& what, const send_options& how) {
    if (to.parsed() == nullptr || !what.type.empty() || (what.status != nullptr && !*what.status) || how.ttl.count() != 0) return false;
    if (from.gone || from.on_refused != nullptr || from.options.mode != attach_mode::entity || entities_.size() != 1) return false;
    mbws::body_summary summary;
    if (mbws::check_commands(what.octets, summary) || summary.has_mbus_command) return false;
    return session_.send_again(to.text(), what.octets);
}

result<void> core::send(entity_record& from, const destination& to, const outgoing_body& what, const send_options& how) {
    if (send_again(from, to, what, how)) {
        settle();
        return {};
    }
    // The daemon names refused messages only to those who ask for an outcome.
    const bool watched = from.on_refused != nullptr;
    auto token = hand_over(from, to, what, how, false, watched);
    if (!token) return std::move(token.error());
    if (watched) {
        results_.emplace(*token, [handler = from.on_refused](const mbws::message_result& outcome) {
            if (!outcome.ok) (*handler)(failure_of(outcome));
        });
    }
    settle();
    return {};
}

// Sends, and ends the operation with what `value_of` makes of a good outcome.
template <class T, class ValueOf>
operation<T> core::send_for_outcome(entity_record& from, const destination& to, const payload& what,
                                    const send_options& how, bool reliable, ValueOf value_of) {
    auto state = make_state<T>();
    operation<T> handle{state};
    auto token = hand_over(from, to, body_of(what), how, reliable, true);
    if (!token) {
        state->finish(std::move(token.error()));
        return handle;
    }
    const auto limit = limit_of(state, options_.operation_limit, "the daemon did not report the outcome in time");
    results_.emplace(*token, [this, state, limit, value_of](const mbws::message_result& outcome) {
        timers_.cancel(limit);
        if (outcome.ok) state->finish(value_of(outcome));
        else state->finish(failure_of(outcome));
    });
    settle();
    return handle;
}

operation<delivery> core::send_reliably(entity_record& from, const destination& to, const payload& what,
                                        const send_options& how) {
    return send_for_outcome<delivery>(from, to, what, how, true, [](const mbws::message_result& outcome) {
        auto by = mbus::address::parse(outcome.entity);
        return delivery{by ? std::move(*by) : mbus::address{}, outcome.tried, std::chrono::milliseconds{outcome.took}};
    });
}

operation<receipt> core::send_with_receipt(entity_record& from, const destination& to, const payload& what,
                                           const send_options& how) {
    return send_for_outcome<receipt>(from, to, what, how, false,
                                     [](const mbws::message_result& outcome) { return receipt{outcome.matched}; });
}

}  // namespace mbus::detail
