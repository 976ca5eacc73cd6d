#include "router/journal.hpp"

#include <utility>

namespace mbusd {

journal::batch& journal::open() {
    if (batches_.empty() || (under_way_ && batches_.size() == 1)) batches_.emplace_back();
    wake_();
    return batches_.back();
}

void journal::step() {
    const std::size_t gathering = under_way_ ? 1 : 0;
    if (batches_.size() > gathering && batches_.back().changes.octets() > step_octets_max) batches_.emplace_back();
}

transaction& journal::now() {
    ++position_;
    return open().changes;
}

void journal::after(std::function<void()> then) { open().then.push_back(std::move(then)); }

void journal::flush() {
    if (under_way_ || failed_ || batches_.empty()) return;
    submit();
}

// A copy goes to the store, in case that it has to be tried again; bodies are shared.
void journal::submit() {
    under_way_ = true;
    commit_(batches_.front().changes, [this](const mbus::result<void>& outcome) { written(outcome); });
}

void journal::written(const mbus::result<void>& outcome) {
    if (finishing_) return;
    under_way_ = false;
    if (!outcome) {
        failed_ = true;
        retry_at_ = now_ + retry_interval;
        wake_();
        return;
    }
    const auto then = std::move(batches_.front().then);
    batches_.pop_front();
    for (const auto& each : then) each();
    wake_();
}

void journal::advance(mbus::mbws::time_point now) {
    now_ = now;
    if (retry_at_ > now) return;
    retry_at_ = mbus::mbws::never;
    failed_ = false;
    flush();
}

void journal::finish() {
    finishing_ = true;
    if (under_way_) batches_.pop_front();
    under_way_ = false;
    for (auto& each : batches_) commit_(std::move(each.changes), [](const mbus::result<void>&) {});
    batches_.clear();
}

}  // namespace mbusd
