#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "runtime/turn_end.hpp"

namespace mbusd {
namespace {

struct loop {
    std::vector<turn_end::function> posted{};
    turn_end end{[this](turn_end::function what) { posted.push_back(std::move(what)); }};
    std::string done{};

    turn_end::function note(char what) {
        return [this, what] { done += what; };
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
        it.end.post([&] {
            it.done += 'b';
            it.end.post(it.note('c'));
        });
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
    turn_end::function again = [&] {
        it.done += 'x';
        it.end.post(again);
    };
    turn_end::at_once now{it.end};
    it.end.post(again);
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

TEST_CASE("given work that throws, then nothing that waits is lost") {
    loop it;
    {
        turn_end::at_once now{it.end};
        it.end.post(it.note('a'));
        it.end.post([] { throw std::runtime_error{"work"}; });
        CHECK_THROWS_AS(now.finish(true), std::runtime_error);
    }
    it.end.post(it.note('b'));
    it.run_posted();
    CHECK(it.done == "ab");
}

}  // namespace mbusd
