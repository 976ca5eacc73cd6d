// The publisher's process: warms up, offers messages as a load says, and never has more of them on their way than
// the subject can hold.
//
//     publishing{*run, *self, offered, subject.in_flight()}.run();
#pragma once

#include <chrono>
#include <cstdint>

#include "harness/drive.hpp"
#include "harness/shared_run.hpp"

namespace bench {

class publishing {
public:
    publishing(run_state& run, participant& self, const load& offered, std::size_t in_flight);

    // Until the process is ended; offers until run_state::stop.
    [[noreturn]] void run();

private:
    void warm_up();
    [[nodiscard]] std::uint64_t slowest() const;
    void hold_back();

    run_state& run_;
    participant& self_;
    const load& offered_;
    std::uint64_t credit_;
    std::uint64_t sent_ = 0;
    std::uint64_t heard_ = 0;        // by the slowest, when last looked at
    std::uint64_t written_off_ = 0;  // lost on the way
};

}  // namespace bench
