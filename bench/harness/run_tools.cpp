#include "harness/run_tools.hpp"

#include <thread>

namespace bench {

using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;

std::uint64_t delivered_in(const run_state& run, std::size_t readers) {
    std::uint64_t sum = 0;
    for (std::size_t index = 0; index < readers; ++index) sum += run.delivered[index].count();
    return sum;
}

std::uint64_t settled(const run_state& run, std::size_t readers, std::chrono::milliseconds still) {
    auto last = delivered_in(run, readers);
    for (auto since = clock_type::now(); clock_type::now() - since < still;) {
        std::this_thread::sleep_for(2ms);
        if (const auto now = delivered_in(run, readers); now != last) {
            last = now;
            since = clock_type::now();
        }
    }
    return last;
}

}  // namespace bench
