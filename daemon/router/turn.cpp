#include "router/turn.hpp"

#include <algorithm>
#include <cstddef>

namespace mbusd {

turn_task::~turn_task() {
    if (queue_ != nullptr) queue_->forget(*this);
}

turn_queue::~turn_queue() {
    for (auto* list : {&waiting_, &running_}) {
        for (auto* task : *list) {
            if (task != nullptr) task->queue_ = nullptr;
        }
    }
}

void turn_queue::add(turn_task& task) {
    if (task.queue_ != nullptr) return;
    task.queue_ = this;
    waiting_.push_back(&task);
    if (posted_) return;
    posted_ = true;
    end_.post(turn_end::step_of<&turn_queue::run>(this));
}

void turn_queue::forget(turn_task& task) noexcept {
    if (task.queue_ == nullptr) return;
    task.queue_ = nullptr;
    for (auto* list : {&waiting_, &running_}) std::ranges::replace(*list, &task, static_cast<turn_task*>(nullptr));
}

void turn_queue::run() {
    posted_ = false;
    running_.swap(waiting_);
    // By index: a task that dies is replaced by null, never erased.
    for (std::size_t i = 0; i < running_.size(); ++i) {
        auto* task = running_[i];
        if (task == nullptr) continue;
        running_[i] = nullptr;
        task->queue_ = nullptr;
        task->end_of_turn();
    }
    running_.clear();
}

}  // namespace mbusd
