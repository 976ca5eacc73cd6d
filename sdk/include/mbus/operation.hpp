// operation<T>: something under way that ends exactly once, in a T or an error.
//
// Three ways to take the outcome, the same for every operation:
//
//     auto sent = entity.send_reliably("app:b", text).wait(2s);           // blocking: runs the connection
//     entity.send_reliably("app:b", text).then([](auto outcome) {...});   // callback, inside process()
//     auto sent = co_await entity.send_reliably("app:b", text);           // coroutine of any type
//
// A handle that is dropped before the end gives the outcome up; what was sent stays sent, and waiting
// (receive, wait_for, request) stops. Every operation has a time limit of its own
// (connect_options::operation_limit), but receive(), wait_for() and run().
//
// Callbacks and coroutines run inside process(), wait() or run() of the connection. They may call
// everything, also wait(). An exception that leaves one leaves through that call.
//
// Thread-safety: belongs to its connection's thread.
#pragma once

#include <chrono>
#include <concepts>
#include <coroutine>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <mbus/result.hpp>

namespace mbus {

using clock = std::chrono::steady_clock;

// Limit of wait() without an argument: none beyond the operation's own.
inline constexpr std::chrono::milliseconds no_limit = std::chrono::milliseconds::max();

namespace detail {

// Runs the connection that an operation belongs to; implemented inside libmbus.
class loop {
public:
    // Runs until `done` or until `limit` has passed.
    virtual void run_until(const bool& done, std::chrono::milliseconds limit) = 0;
    // Calls `what` inside the next process().
    virtual void post(std::function<void()> what) = 0;

protected:
    ~loop() = default;
};

template <class T>
struct continuation {
    virtual ~continuation() = default;
    virtual void run(result<T> outcome) = 0;
};

// What the handle and the connection share.
template <class T>
class operation_state : public std::enable_shared_from_this<operation_state<T>> {
public:
    explicit operation_state(std::weak_ptr<loop> owner) : owner_(std::move(owner)) {}

    // The end. Only the first one counts.
    void finish(result<T> outcome) {
        if (done_) return;
        done_ = true;
        outcome_.emplace(std::move(outcome));
        abandoned_ = nullptr;
        if (next_) run_next();
    }

    [[nodiscard]] const bool& done() const noexcept { return done_; }
    [[nodiscard]] std::weak_ptr<loop> owner() const { return owner_; }

    result<T> take() { return std::move(*outcome_); }

    // Who gets the outcome. When it is there already, in the next process().
    void set_next(std::unique_ptr<continuation<T>> next) {
        next_ = std::move(next);
        if (!done_) return;
        auto self = this->shared_from_this();
        if (auto runner = owner_.lock()) {
            runner->post([self] { if (self->next_) self->run_next(); });
        } else {
            run_next();
        }
    }

    // Called when nobody waits for the outcome any more and it is not there yet.
    void on_abandoned(std::function<void()> what) { abandoned_ = std::move(what); }

    void abandon() {
        next_.reset();
        if (auto what = std::exchange(abandoned_, nullptr)) what();
    }

private:
    void run_next() {
        auto next = std::move(next_);
        next->run(take());
    }

    std::weak_ptr<loop> owner_;
    bool done_ = false;
    std::optional<result<T>> outcome_;
    std::unique_ptr<continuation<T>> next_;
    std::function<void()> abandoned_;
};

}  // namespace detail

template <class T>
class [[nodiscard]] operation {
public:
    using state = detail::operation_state<T>;

    explicit operation(std::shared_ptr<state> shared) noexcept : state_(std::move(shared)) {}
    operation(operation&&) noexcept = default;
    operation& operator=(operation&& other) noexcept {
        if (this != &other) {
            drop();
            state_ = std::move(other.state_);
        }
        return *this;
    }
    ~operation() { drop(); }

    // True when the outcome is there, so that wait() returns at once.
    [[nodiscard]] bool done() const noexcept { return state_ && state_->done(); }

    // Runs the connection until the outcome is there. errc::timed_out when `limit` passes first:
    // the operation goes on and can be waited for again. The outcome is given out once.
    result<T> wait(std::chrono::milliseconds limit = no_limit) {
        if (!state_) return taken();
        if (!state_->done()) {
            if (auto runner = state_->owner().lock()) runner->run_until(state_->done(), limit);
        }
        if (!state_->done()) return {errc::timed_out, "no outcome within the time limit of wait()"};
        return std::exchange(state_, nullptr)->take();
    }

    // The same without a limit beyond the operation's own.
    result<T> get() { return wait(); }

    // Calls `f(result<T>)` with the outcome, inside process(). `f` may be move-only.
    template <std::invocable<result<T>> F>
    void then(F f) {
        struct call final : detail::continuation<T> {
            explicit call(F&& function) : function_(std::move(function)) {}
            void run(result<T> outcome) override { std::invoke(function_, std::move(outcome)); }
            F function_;
        };
        if (auto shared = std::exchange(state_, nullptr)) shared->set_next(std::make_unique<call>(std::move(f)));
    }

    // Lets it go on without anybody taking the outcome.
    void detach() noexcept { state_.reset(); }

    // For `co_await`: gives a result<T>. A coroutine that is destroyed while it waits gives up.
    class awaiter {
    public:
        explicit awaiter(std::shared_ptr<state> shared) noexcept : state_(std::move(shared)) {}
        awaiter(awaiter&&) noexcept = default;
        awaiter& operator=(awaiter&&) = delete;
        ~awaiter() {
            if (state_ && !outcome_) state_->abandon();
        }

        [[nodiscard]] bool await_ready() {
            if (!state_) outcome_.emplace(taken());
            else if (state_->done()) outcome_.emplace(state_->take());
            return outcome_.has_value();
        }
        void await_suspend(std::coroutine_handle<> waiting) {
            struct resume final : detail::continuation<T> {
                resume(awaiter& self, std::coroutine_handle<> handle) : self_(self), handle_(handle) {}
                void run(result<T> outcome) override {
                    self_.outcome_.emplace(std::move(outcome));
                    handle_.resume();
                }
                awaiter& self_;
                std::coroutine_handle<> handle_;
            };
            state_->set_next(std::make_unique<resume>(*this, waiting));
        }
        result<T> await_resume() { return std::move(*outcome_); }

    private:
        std::shared_ptr<state> state_;
        std::optional<result<T>> outcome_;
    };

    awaiter operator co_await() noexcept { return awaiter{std::exchange(state_, nullptr)}; }

private:
    static result<T> taken() {
        return {errc::bad_argument, "the outcome of this operation was taken already"};
    }
    void drop() noexcept {
        if (state_ && !state_->done()) state_->abandon();
        state_.reset();
    }

    std::shared_ptr<state> state_;
};

}  // namespace mbus
