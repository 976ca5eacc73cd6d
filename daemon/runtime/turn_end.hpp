// The end of a turn of the event loop: what handlers leave to be done once, when all that were ready
// have run.
//
//     turn_end end{[&](turn_end::step what) { boost::asio::post(context, std::move(what)); }};
//     end.post(turn_end::step_of<&turn_queue::run>(this));
//
// A handler that took in little does not wait for the others: it is a request, and its sender waits.
//
//     turn_end::at_once now{end};
//     ...                                    // what is posted here
//     now.finish(octets < small);            // runs here (true), or after the handlers that are ready
//
// That spares a look at all sockets per turn; who took in much keeps the benefit of one write for many.
// Thread-safety: none; belongs to the thread of the loop.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace mbusd {

// Small enough to be a request or an answer rather than a piece of a stream.
inline constexpr std::size_t small_read_octets = 4096;

class turn_end {
public:
    // A member function to be called, and what keeps its object until then, if anything must. Every turn makes some,
    // so making one allocates nothing.
    class step {
    public:
        void operator()() const { run_(object_); }

    private:
        friend class turn_end;
        step(void* object, void (*run)(void*), std::shared_ptr<void> keeps) noexcept
            : object_(object), run_(run), keeps_(std::move(keeps)) {}
        void* object_;
        void (*run_)(void*);
        std::shared_ptr<void> keeps_;
    };
    // For an object that outlives the loop's handlers.
    template <auto Member, class Object>
    [[nodiscard]] static step step_of(Object* object) noexcept {
        return {object, [](void* it) { (static_cast<Object*>(it)->*Member)(); }, nullptr};
    }
    // For one that may go earlier.
    template <auto Member, class Object>
    [[nodiscard]] static step step_of(std::shared_ptr<Object> object) noexcept {
        auto* const it = object.get();
        return {it, [](void* what) { (static_cast<Object*>(what)->*Member)(); }, std::move(object)};
    }

    explicit turn_end(std::function<void(step)> post) : post_(std::move(post)) {}
    turn_end(const turn_end&) = delete;
    turn_end& operator=(const turn_end&) = delete;

    void post(step what) {
        if (gathering_) gathered_.push_back(std::move(what));
        else post_(std::move(what));
    }

    class at_once {
    public:
        explicit at_once(turn_end& end) noexcept : end_(end), mine_(!std::exchange(end.gathering_, true)) {}
        ~at_once() { finish(false); }
        at_once(const at_once&) = delete;
        at_once& operator=(const at_once&) = delete;

        // Once; the destructor does it for who left early.
        void finish(bool now) {
            if (!std::exchange(mine_, false)) return;
            const release after{end_};
            // The last first: the bus began the turn, and ends it.
            for (std::size_t left = now ? rounds_max : 0; left > 0 && !end_.gathered_.empty(); --left) {
                const auto next = std::move(end_.gathered_.back());
                end_.gathered_.pop_back();
                next();
            }
        }

    private:
        // Also when something threw.
        struct release {
            turn_end& end;
            ~release() {
                end.gathering_ = false;
                for (auto& each : end.gathered_) end.post_(std::move(each));
                end.gathered_.clear();
            }
        };
        // What goes on and on does so between the handlers.
        static constexpr std::size_t rounds_max = 8;

        turn_end& end_;
        bool mine_;
    };

private:
    std::function<void(step)> post_;
    std::vector<step> gathered_;
    bool gathering_ = false;
};

}  // namespace mbusd
