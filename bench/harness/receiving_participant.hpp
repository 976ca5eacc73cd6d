// A participant whose receipts are one blocking call: it counts them as a subscriber, answers them as an echo
// and waits for one as a caller.
#pragma once

#include <chrono>
#include <cstddef>
#include <thread>

#include "harness/subject.hpp"

namespace bench {

class receiving_participant : public participant {
public:
    void serve(std::chrono::milliseconds time) final {
        if (where_.role == part::publisher) return std::this_thread::sleep_for(time);
        const auto got = receive(time);
        if (where_.role == part::subscriber)
            where_.delivered->add(got);
        else if (got > 0)
            publish(got);
    }
    bool call(std::chrono::milliseconds limit) final {
        publish(1);
        return receive(limit) > 0;
    }

protected:
    explicit receiving_participant(const seat& where) : where_(where) {}
    // Takes the messages that are there, at least one unless the time is over; how many.
    virtual std::size_t receive(std::chrono::milliseconds limit) = 0;
    [[nodiscard]] const seat& where() const noexcept { return where_; }

private:
    seat where_;
};

}  // namespace bench
