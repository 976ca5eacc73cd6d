// The end of a turn.
#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "router/turn.hpp"

namespace {

struct counting final : mbusd::turn_task {
    void end_of_turn() override {
        ++runs;
        if (then) then();
    }
    int runs = 0;
    std::function<void()> then;
};

struct loop {
    std::vector<std::function<void()>> posted;
    mbusd::turn_queue turns{[this](std::function<void()> run) { posted.push_back(std::move(run)); }};
    void run() {
        for (auto& each : std::exchange(posted, {})) each();
    }
};

}  // namespace

TEST_CASE("a task runs once, however often it was added") {
    loop here;
    counting task;
    here.turns.add(task);
    here.turns.add(task);
    CHECK(here.posted.size() == 1);
    here.run();
    here.run();
    CHECK(task.runs == 1);
}

TEST_CASE("what a task adds waits for the next turn") {
    loop here;
    counting task;
    task.then = [&] { if (task.runs < 3) here.turns.add(task); };
    here.turns.add(task);
    here.run();
    CHECK(task.runs == 1);
    here.run();
    here.run();
    CHECK(task.runs == 3);
}

TEST_CASE("a task that dies is forgotten, also in the middle of a turn") {
    loop here;
    counting first;
    auto second = std::make_unique<counting>();
    first.then = [&] { second.reset(); };
    here.turns.add(first);
    here.turns.add(*second);
    here.run();
    CHECK(first.runs == 1);
}
