#include "protocol/timer_queue.hpp"

namespace mbus::protocol {

timer::~timer() { cancel(); }

void timer::set(time_point at) {
    if (at == never) return cancel();
    const bool later = at > at_;
    at_ = at;
    if (position_ == idle) {
        queue_->heap_.push_back(this);
        queue_->rise(*this, queue_->heap_.size() - 1);
    } else if (later) {
        queue_->sink(*this, position_);
    } else {
        queue_->rise(*this, position_);
    }
}

void timer::cancel() noexcept {
    if (position_ != idle) queue_->remove(*this);
    at_ = never;
}

timer* timer_queue::take_due(time_point now) noexcept {
    if (heap_.empty() || heap_.front()->at_ > now) return nullptr;
    timer* const due = heap_.front();
    due->cancel();
    return due;
}

void timer_queue::put(timer& which, std::size_t position) noexcept {
    heap_[position] = &which;
    which.position_ = position;
}

void timer_queue::rise(timer& which, std::size_t position) noexcept {
    while (position > 0) {
        const auto parent = (position - 1) / 2;
        if (heap_[parent]->at_ <= which.at_) break;
        put(*heap_[parent], position);
        position = parent;
    }
    put(which, position);
}

void timer_queue::sink(timer& which, std::size_t position) noexcept {
    for (;;) {
        auto child = 2 * position + 1;
        if (child >= heap_.size()) break;
        if (child + 1 < heap_.size() && heap_[child + 1]->at_ < heap_[child]->at_) ++child;
        if (heap_[child]->at_ >= which.at_) break;
        put(*heap_[child], position);
        position = child;
    }
    put(which, position);
}

void timer_queue::remove(timer& which) noexcept {
    const auto position = which.position_;
    timer* const last = heap_.back();
    heap_.pop_back();
    which.position_ = timer::idle;
    if (last == &which) return;
    if (position > 0 && heap_[(position - 1) / 2]->at_ > last->at_)
        rise(*last, position);
    else
        sink(*last, position);
}

}  // namespace mbus::protocol
