// What is left for the end of a turn of the event loop: writing to connections, deadlines, objects
// that may not go away while they are in use.
//
//     void wake() override { turns_.add(*this); }   // however often: run once, at the end
//     void end_of_turn() override { fill(); write(); }
//
// Tasks run when all handlers that were ready have run, so that many messages cost one write.
// One thread. A task takes itself out (forget) before it dies; its destructor does that.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "runtime/turn_end.hpp"

namespace mbusd {

class turn_queue;

class turn_task {
public:
    turn_task() = default;
    turn_task(const turn_task&) = delete;
    turn_task& operator=(const turn_task&) = delete;

    virtual void end_of_turn() = 0;

protected:
    virtual ~turn_task();

private:
    friend class turn_queue;
    turn_queue* queue_ = nullptr;  // while it waits
};

class turn_queue {
public:
    // `post` runs its argument after the handlers that are ready now: asio::post on the context, or
    // whatever a test does.
    explicit turn_queue(std::function<void(turn_end::step)> post) : end_(std::move(post)) {}
    turn_queue(const turn_queue&) = delete;
    turn_queue& operator=(const turn_queue&) = delete;
    ~turn_queue();

    void add(turn_task& task);
    void forget(turn_task& task) noexcept;

    // For who ends a turn at once, and others whose work waits for its end.
    [[nodiscard]] turn_end& end() noexcept { return end_; }

    // Runs what waits; what is added meanwhile waits for the next turn.
    void run();

private:
    turn_end end_;
    std::vector<turn_task*> waiting_;
    std::vector<turn_task*> running_;
    bool posted_ = false;
};

}  // namespace mbusd
