#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "runtime/turn_end.hpp"

namespace mbusd {
namespace {

// What a test wants done at the end of a turn.
struct work {
    std::function<void()> what;
    void run() { what(); }
};

turn_end::step step(std::function<void()> what) {
    return turn_end::step_of<&work::run>(std::make_shared<work>(work{std::move(what)}));
}

struct loop {
    std::vector<turn_end::step> posted{};
    turn_end end{[this](turn_end::step what) { posted.push_back(std::move(what)); }};
    std::string done{};

    turn_end::step note(char what) {
        return step([this, what] { done += what; });
    }
    void run_posted() {
        for (auto& each : std::exchange(posted, {})) each();
    }
};

}  // namespace

TEST_CASE("what is posted runs when the loop comes round") {
    loop it;
    it.end.post(it.note('a'));
    CHECK(it.done.empty());
    it.run_posted();
    CHECK(it.done == "a");
}

TEST_CASE("given a handler that took little, then what it posts runs at once, the last first") {
    loop it;
    {
        turn_end::at_once now{it.end};
        it.end.post(it.note('a'));
        it.end.post(step([&] {
            it.done += 'b';
            it.end.post(it.note('c'));
        }));
        now.finish(true);
        CHECK(it.done == "bca");
    }
    CHECK(it.posted.empty());
    it.end.post(it.note('d'));
    CHECK(it.posted.size() == 1);
}

TEST_CASE("given a handler that took much, or left early, then the loop runs it") {
    loop it;
    {
        turn_end::at_once now{it.end};
        it.end.post(it.note('a'));
        now.finish(false);
    }
    {
        const turn_end::at_once early{it.end};
        it.end.post(it.note('b'));
    }
    CHECK(it.done.empty());
    it.run_posted();
    CHECK(it.done == "ab");
}

TEST_CASE("given work that always makes more, then the loop gets its turn") {
    loop it;
    work again{[&] {
        it.done += 'x';
        it.end.post(turn_end::step_of<&work::run>(&again));
    }};
    turn_end::at_once now{it.end};
    it.end.post(turn_end::step_of<&work::run>(&again));
    now.finish(true);
    CHECK(it.done.size() < 100);
    CHECK(it.posted.size() == 1);
}

TEST_CASE("given handlers inside each other, then the outer one ends the turn") {
    loop it;
    turn_end::at_once outer{it.end};
    {
        turn_end::at_once inner{it.end};
        it.end.post(it.note('a'));
        inner.finish(true);
        CHECK(it.done.empty());
    }
    outer.finish(true);
    CHECK(it.done == "a");
}

TEST_CASE("given work whose owner has gone, then what it needs is still there") {
    loop it;
    auto owner = std::make_shared<work>(work{[&] { it.done += 'a'; }});
    it.end.post(turn_end::step_of<&work::run>(owner));
    const std::weak_ptr<work> seen = owner;
    owner.reset();
    it.run_posted();
    CHECK(it.done == "a");
    CHECK(seen.expired());
}

TEST_CASE("given work that throws, then nothing that waits is lost") {
    loop it;
    {
        turn_end::at_once now{it.end};
        it.end.post(it.note('a'));
        it.end.post(step([] { throw std::runtime_error{"work"}; }));
        CHECK_THROWS_AS(now.finish(true), std::runtime_error);
    }
    it.end.post(it.note('b'));
    it.run_posted();
    CHECK(it.done == "ab");
}

}  // namespace mbusd
