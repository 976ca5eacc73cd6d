// task: the smallest coroutine that can wait for operations.
//
//     mbus::task greet(mbus::entity& me) {
//         auto m = co_await me.receive();
//         if (m) co_await me.send_reliably(m->from, "hello.again()");
//     }
//     auto greeting = greet(me);
//     connection.run();
//
// Starts at once, runs inside process(), and ends with its handle: destroying a task that is not done
// gives up what it waits for. Operations work in any other coroutine type too.
//
// Thread-safety: belongs to the connection's thread.
#pragma once

#include <coroutine>
#include <exception>
#include <utility>

namespace mbus {

class [[nodiscard]] task {
public:
    class promise_type {
    public:
        task get_return_object() noexcept {
            return task{std::coroutine_handle<promise_type>::from_promise(*this)};
        }
        std::suspend_never initial_suspend() noexcept { return {}; }
        // Goes on with whoever waits for this task.
        auto final_suspend() noexcept {
            struct hand_over {
                bool await_ready() noexcept { return false; }
                std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> self) noexcept {
                    const auto waiting = self.promise().waiting_;
                    return waiting ? waiting : std::coroutine_handle<>{std::noop_coroutine()};
                }
                void await_resume() noexcept {}
            };
            return hand_over{};
        }
        void return_void() noexcept {}
        void unhandled_exception() noexcept { failure_ = std::current_exception(); }

    private:
        friend class task;
        std::coroutine_handle<> waiting_;
        std::exception_ptr failure_;
    };

    task(task&& other) noexcept : self_(std::exchange(other.self_, nullptr)) {}
    task& operator=(task&& other) noexcept {
        std::swap(self_, other.self_);
        return *this;
    }
    ~task() {
        if (self_) self_.destroy();
    }

    [[nodiscard]] bool done() const noexcept { return !self_ || self_.done(); }

    // Throws what the coroutine threw. Call when done().
    void rethrow() const {
        if (self_ && self_.promise().failure_) std::rethrow_exception(self_.promise().failure_);
    }

    // A task can wait for another.
    [[nodiscard]] bool await_ready() const noexcept { return done(); }
    void await_suspend(std::coroutine_handle<> waiting) noexcept { self_.promise().waiting_ = waiting; }
    void await_resume() const { rethrow(); }

private:
    explicit task(std::coroutine_handle<promise_type> self) noexcept : self_(self) {}

    std::coroutine_handle<promise_type> self_;
};

}  // namespace mbus
