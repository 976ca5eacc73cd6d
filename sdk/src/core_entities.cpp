// Entities: attach, detach, and the way of a message to the program.
#include "core.hpp"

#include <algorithm>
#include <utility>

namespace mbus::detail {
namespace {

mbws::attach_mode to_mbws(attach_mode mode) noexcept {
    switch (mode) {
    case attach_mode::monitor: return mbws::attach_mode::monitor;
    case attach_mode::queue: return mbws::attach_mode::queue;
    case attach_mode::entity: break;
    }
    return mbws::attach_mode::entity;
}

mbws::reader_policy to_mbws(slow_reader_policy policy) noexcept {
    switch (policy) {
    case slow_reader_policy::drop_newest: return mbws::reader_policy::drop_newest;
    case slow_reader_policy::latest: return mbws::reader_policy::latest;
    case slow_reader_policy::block: return mbws::reader_policy::block;
    case slow_reader_policy::disconnect: return mbws::reader_policy::disconnect;
    case slow_reader_policy::drop_oldest: break;
    }
    return mbws::reader_policy::drop_oldest;
}

// What the daemon is asked for: the program's globs, and what the SDK needs for itself.
std::string wanted_commands(const attach_options& options) {
    if (options.commands.empty() || options.mode != attach_mode::entity) return options.commands;
    return options.commands + ",*.return,mbus.go";
}

// Larger bodies are not kept for the next message.
constexpr std::size_t spare_body_octets_max = 16 * 1024;

error entity_gone(const entity_record& which) {
    return which.gone_reason.text.empty() ? error{errc::disconnected, "this entity was detached"} : which.gone_reason;
}

}  // namespace

operation<entity> core::attach(const destination& address, const attach_options& options) {
    auto state = make_state<entity>();
    operation<entity> handle{state};
    auto parsed = mbus::address::parse_relaxed(address.text());
    if (!parsed && !(options.mode == attach_mode::queue && address.text().empty())) {
        state->finish(std::move(parsed.error()));
        return handle;
    }
    if (state_ == connection_state::closed) {
        state->finish(disconnected(closed_reason_.text));
        return handle;
    }
    auto which = std::make_shared<entity_record>();
    which->owner = weak_from_this();
    which->sender = this;
    which->options = options;
    which->attaching = state;
    const auto commands = wanted_commands(options);
    which->request = session_.attach({.entity = parsed ? parsed->text() : std::string_view{},
                                      .mode = to_mbws(options.mode),
                                      .policy = to_mbws(options.policy),
                                      .type = options.types,
                                      .commands = commands,
                                      .queue = options.queue});
    entities_.emplace(which->request, which);
    which->attach_limit = timers_.at(link_->now() + options_.operation_limit, [this, which] {
        if (!which->attaching) return;
        const auto undo = detach(which);
        forget_entity(which, {errc::timed_out, "the daemon did not answer the attach in time"});
    });
    settle();
    return handle;
}

operation<void> core::detach(const std::shared_ptr<entity_record>& which) {
    auto state = make_state<void>();
    operation<void> handle{state};
    if (which->gone || entities_.erase(which->request) == 0) {
        state->finish({});
        return handle;
    }
    detaches_.emplace(session_.detach(which->request), state);
    forget_entity(which, {errc::disconnected, "this entity was detached"});
    settle();
    return handle;
}

// The entity is over: everything that waits in it ends. It is no longer in entities_.
void core::forget_entity(const std::shared_ptr<entity_record>& which, const error& why) {
    if (which->gone) return;
    which->gone = true;
    which->has_news = true;
    which->sender = nullptr;
    which->gone_reason = why;
    retire(which);
    if (const auto at = by_address_.find(which->address.text());
        at != by_address_.end() && at->second == which) {
        by_address_.erase(at);
    }
    timers_.cancel(which->attach_limit);
    if (auto state = std::exchange(which->attaching, nullptr)) {
        post([state, why] { state->finish(why); });
    } else if (why.code != errc::disconnected && which->on_refused) {
        post([handler = which->on_refused, why] { (*handler)(why); });
    }
    for (auto& state : std::exchange(which->receivers, {})) post([state, why] { state->finish(why); });
    for (auto& [id, call] : std::exchange(which->calls, {})) {
        timers_.cancel(call.limit);
        post([state = call.outcome, why] { state->finish(why); });
    }
    for (auto& [number, wait] : std::exchange(which->waits, {})) {
        timers_.cancel(wait.again);
        post([state = wait.outcome, why] { state->finish(why); });
    }
    for (const auto& entry : which->inbox) handled(entry.number);
    which->inbox.clear();
    // Handlers may own the handle of this entity: let them go when none of them runs.
    post([this, which] {
        retire(std::exchange(which->on_message, nullptr));
        which->on_refused.reset();
        which->rules.clear();
    });
}

entity_record* core::find_entity(std::string_view text, bool monitor) const {
    if (!monitor && !text.empty()) {
        const auto at = by_address_.find(text);
        return at != by_address_.end() ? at->second.get() : nullptr;
    }
    for (const auto& [request, which] : entities_) {
        const bool monitors = which->options.mode == attach_mode::monitor;
        if (monitors == monitor && which->attached && (text.empty() || which->address.text() == text)) return which.get();
    }
    return nullptr;
}

// A message counts as handled also when its handler threw.
class core::handled_guard {
public:
    handled_guard(core& owner, std::uint64_t number) noexcept : owner_(owner), number_(number) {}
    ~handled_guard() {
        if (std::exchange(owner_.job_refused_, false)) owner_.refuse(number_);
        else owner_.handled(number_);
    }
    handled_guard(const handled_guard&) = delete;
    handled_guard& operator=(const handled_guard&) = delete;

private:
    core& owner_;
    std::uint64_t number_;
};

// --- receiving --------------------------------------------------------------------------------------

// Whether messages may hold something that is for the SDK, or that the program did not ask for.
bool core::looks_into(const entity_record& to) noexcept {
    return !to.calls.empty() || !to.waits.empty() || !to.rules.empty() || !to.options.commands.empty();
}

// Takes what is for the SDK out of a message. False when nothing is left for the program.
bool core::for_program(entity_record& to, received_message& message) {
    const auto& globs = to.options.commands;
    if (message.monitored || !looks_into(to) || message.commands().empty()) return true;
    auto& commands = message.commands_;
    const auto before = commands.size();
    std::erase_if(commands, [&](const command& what) { return consume(to, message, what); });
    if (commands.size() != before && commands.empty()) return false;
    // What the daemon sent only because the SDK needs it (wanted_commands()).
    return globs.empty() ||
           std::ranges::any_of(commands, [&](const command& what) { return glob_matches(globs, what.name); });
}

// May leave the entry without its message.
void core::deliver(entity_record& to, inbox_entry& entry) {
    auto& message = entry.message;
    if (to.gone || !for_program(to, message) || to.gone) return handled(entry.number);
    if (to.on_message) {
        const auto& handler = *to.on_message;  // retired, not destroyed, when it is replaced while it runs
        const handled_guard guard{*this, entry.number};
        handler(message);
        return;
    }
    entry.filled = 0;
    while (!to.receivers.empty()) {
        auto state = std::move(to.receivers.front());
        to.receivers.pop_front();
        if (state->done()) continue;
        const auto number = entry.number;
        state->finish(std::move(message));
        return handled(number);
    }
    put_into_inbox(to, std::move(entry));
}

// Messages that differ from the one just delivered in their bodies only go to the same handler one after the other, as long
// as it changes nothing that matters here; whatever it changed, the next step() finds out.
void core::deliver_more(entity_record& to, inbox_entry& entry) {
    if (to.options.mode != attach_mode::entity || !to.on_message) return;
    const auto* const handler = to.on_message.get();
    auto& message = entry.message;
    // Another message meanwhile: a turn within the handler went on with the frames.
    const auto unchanged = [&] {
        return open_ && events_.empty() && entry.filled != 0 && entry.filled == filled_ && !to.gone &&
               to.on_message.get() == handler && !looks_into(to);
    };
    std::string_view body;
    while (unchanged() && session_.step_again(body)) {
        entry.filled = ++filled_;
        message.body = body;
        message.commands_.clear();
        message.taken_apart_ = false;
        (*handler)(message);
    }
}

// Entries are used again with what they hold, so that steady traffic allocates nothing.
core::pooled_entry core::take_entry() {
    if (spare_entries_.empty()) return std::make_unique<inbox_entry>();
    auto entry = std::move(spare_entries_.back());
    spare_entries_.pop_back();
    return entry;
}

void core::give_entry(pooled_entry entry) noexcept {
    if (spare_entries_.size() == spare_entries_.capacity() || entry->message.body.capacity() > spare_body_octets_max) return;
    spare_entries_.push_back(std::move(entry));
}

// What the program may be running, or its owner, lives until the outermost turn ends.
void core::retire(std::shared_ptr<void> what) {
    if (depth_ > 0 && what) retired_.push_back(std::move(what));
}

// With a window the daemon stops at its end; without, the oldest make room.
void core::put_into_inbox(entity_record& to, inbox_entry entry) {
    to.inbox_octets += entry.message.body.size();
    to.inbox.push_back(std::move(entry));
    to.has_news = true;
    if (*options_.window != 0) return;
    while (to.inbox.size() > inbox_messages_max || (to.inbox_octets > inbox_octets_max && to.inbox.size() > 1)) {
        (void)take_from_inbox(to);
        count_missed(1);
    }
}

inbox_entry core::take_from_inbox(entity_record& from) {
    auto entry = std::move(from.inbox.front());
    from.inbox.pop_front();
    from.has_news = !from.inbox.empty() || from.gone;
    from.inbox_octets -= entry.message.body.size();
    return entry;
}

operation<received_message> core::receive(const std::shared_ptr<entity_record>& which) {
    auto state = make_state<received_message>();
    operation<received_message> handle{state};
    if (!which->inbox.empty()) {
        auto entry = take_from_inbox(*which);
        state->finish(std::move(entry.message));
        handled(entry.number);
        settle();
    } else if (which->gone) {
        state->finish(entity_gone(*which));
    } else {
        which->receivers.push_back(state);
        state->on_abandoned([entity = std::weak_ptr{which}, waiting = std::weak_ptr{state}] {
            if (const auto to = entity.lock()) std::erase(to->receivers, waiting.lock());
        });
    }
    return handle;
}

result<received_message> core::receive(const std::shared_ptr<entity_record>& which, std::chrono::milliseconds limit) {
    const auto keep = which;  // a handler may let go of the handle
    if (!keep->has_news) run_until(keep->has_news, limit);
    if (keep->inbox.empty()) {
        if (keep->gone) return entity_gone(*keep);
        return {errc::timed_out, "no message came in time"};
    }
    auto entry = take_from_inbox(*keep);
    handled(entry.number);
    if (entry.number != 0) settle();
    return std::move(entry.message);
}

void core::set_handler(const std::shared_ptr<entity_record>& which, message_handler handler) {
    retire(std::exchange(which->on_message, handler ? std::make_shared<message_handler>(std::move(handler)) : nullptr));
    if (!which->on_message) return;
    // What waited comes first, in the next turn. Events of this entity that are queued already follow.
    for (auto at = which->inbox.rbegin(); at != which->inbox.rend(); ++at) {
        auto waiting = std::make_shared<inbox_entry>(std::move(*at));
        events_.push_front({nullptr, {}, [this, which, waiting] {
            if (which->on_message) {
                const auto& current = *which->on_message;
                const handled_guard guard{*this, waiting->number};
                current(waiting->message);
            } else {
                put_into_inbox(*which, std::move(*waiting));
            }
        }});
    }
    which->inbox.clear();
    which->inbox_octets = 0;
    which->has_news = which->gone;
    settle();
}

// Given back unless it says otherwise, also when it throws.
void core::set_job_handler(const std::shared_ptr<entity_record>& which, job_handler handler) {
    if (!handler) return set_handler(which, nullptr);
    set_handler(which, [this, handler = std::move(handler)](const received_message& message) {
        bool done = false;
        const auto said = [&] { job_refused_ = !done; };
        try {
            done = handler(message);
        } catch (...) {
            said();
            throw;
        }
        said();
    });
}

// Acknowledged when the daemon has heard of it: on_refusal_heard().
void core::refuse(std::uint64_t number) {
    if (number != 0) session_.refuse(number);
}

// Messages are taken over in the order of their numbers, whatever order they are handled in.
void core::handled(std::uint64_t number) {
    if (number == 0) return;
    const auto at = std::ranges::lower_bound(untaken_, number, {}, &std::pair<std::uint64_t, bool>::first);
    if (at == untaken_.end() || at->first != number) return;  // of an earlier session
    at->second = true;
    std::uint64_t up_to = 0;
    while (!untaken_.empty() && untaken_.front().second) {
        up_to = untaken_.front().first;
        untaken_.pop_front();
    }
    if (up_to != 0) session_.take_over(link_->now(), up_to);
}

void core::count_missed(std::uint64_t messages) {
    missed_ += messages;
    missed_untold_ += messages;
}

}  // namespace mbus::detail
