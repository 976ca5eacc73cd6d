// Who is on the bus.
#include "core.hpp"

#include <utility>

namespace mbus::detail {

void core::begin_watch(const std::shared_ptr<watch_record>& which, const destination& pattern) {
    auto parsed = mbus::address::parse_relaxed(pattern.text());
    if (!parsed) {
        std::exchange(which->answered, nullptr)(std::move(parsed.error()));
        return;
    }
    if (state_ == connection_state::closed) {
        std::exchange(which->answered, nullptr)(disconnected(closed_reason_.text));
        return;
    }
    which->owner = weak_from_this();
    which->request = session_.watch(parsed->text());
    watches_.emplace(which->request, which);
    which->limit = timers_.at(link_->now() + options_.operation_limit, [this, which] {
        post([this, which] {
            auto answered = std::exchange(which->answered, nullptr);
            unwatch(*which);
            if (answered) answered({errc::timed_out, "the daemon did not answer the watch in time"});
        });
    });
    settle();
}

void core::unwatch(watch_record& which) {
    const auto at = watches_.find(which.request);
    if (at == watches_.end() || at->second.get() != &which) return;
    const auto keep = at->second;
    watches_.erase(at);
    timers_.cancel(which.limit);
    (void)session_.detach(which.request);
    settle();
}

void core::tell_peer(const std::shared_ptr<watch_record>& which, std::string_view text, peer_state state) {
    auto address = mbus::address::parse(text);
    if (!address) return;
    const auto at = which->known.find(text);
    const bool gone = state == peer_state::left || state == peer_state::lost;
    if (gone) {
        if (at == which->known.end()) return;
        which->known.erase(at);
    } else if (at != which->known.end()) {
        at->second = true;  // still there
        return;
    } else {
        which->known.emplace(text, true);
        if (state == peer_state::present && !which->first_round) state = peer_state::joined;
    }
    if (const auto handler = which->handler) handler({std::move(*address), state});
}

operation<std::vector<peer>> core::peers(const destination& pattern) {
    auto state = make_state<std::vector<peer>>();
    operation<std::vector<peer>> handle{state};
    auto which = std::make_shared<watch_record>();
    which->answered = [this, state, weak = std::weak_ptr{which}](result<std::uint32_t> outcome) {
        const auto record = weak.lock();
        if (!outcome) return state->finish(std::move(outcome.error()));
        std::vector<peer> found;
        for (const auto& [text, seen] : record->known) {
            if (auto address = mbus::address::parse(text)) found.push_back({std::move(*address), peer_state::present});
        }
        unwatch(*record);
        state->finish(std::move(found));
    };
    begin_watch(which, pattern);
    return handle;
}

operation<std::size_t> core::match(const destination& to) {
    auto state = make_state<std::size_t>();
    operation<std::size_t> handle{state};
    auto which = std::make_shared<watch_record>();
    which->answered = [this, state, weak = std::weak_ptr{which}](result<std::uint32_t> outcome) {
        if (!outcome) return state->finish(std::move(outcome.error()));
        unwatch(*weak.lock());
        state->finish(std::size_t{*outcome});
    };
    begin_watch(which, to);
    return handle;
}

operation<peer_watch> core::watch(const destination& pattern, std::function<void(const peer&)> handler) {
    auto state = make_state<peer_watch>();
    operation<peer_watch> handle{state};
    auto which = std::make_shared<watch_record>();
    which->handler = std::move(handler);
    which->answered = [state, weak = std::weak_ptr{which}](result<std::uint32_t> outcome) {
        if (!outcome) return state->finish(std::move(outcome.error()));
        state->finish(peer_watch{weak.lock()});
    };
    state->on_abandoned([this, self = weak_from_this(), weak = std::weak_ptr{which}] {
        const auto alive = self.lock();
        const auto record = weak.lock();
        if (alive && record) unwatch(*record);
    });
    begin_watch(which, pattern);
    return handle;
}

operation<std::chrono::microseconds> core::ping() {
    auto state = make_state<std::chrono::microseconds>();
    operation<std::chrono::microseconds> handle{state};
    if (state_ != connection_state::connected) {
        state->finish(disconnected(closed_reason_.text));
        return handle;
    }
    const auto body = "ping " + std::to_string(++next_id_);
    pings_.emplace(body, std::pair{link_->now(), state});
    session_.ping(body);
    (void)limit_of(state, options_.operation_limit, "the daemon did not answer the ping in time");
    settle();
    return handle;
}

}  // namespace mbus::detail
