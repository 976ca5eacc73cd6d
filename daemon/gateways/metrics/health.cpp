// What /healthz concludes.
#include <algorithm>

#include <fmt/format.h>
#include <mbus_json/message_json.hpp>

#include "gateways/metrics/metrics_paths.hpp"

namespace mbusd {

health examine_health(const bus_status& bus, std::string_view store_problem, std::chrono::milliseconds lag) {
    health out{.problems = {}, .lag = lag};
    const bool joined = std::ranges::any_of(bus.interfaces, [](const auto& each) { return each.joined_v4 || each.joined_v6; });
    if (!joined) out.problems.emplace_back("no network interface has joined the bus; mbus doctor says why");
    if (!store_problem.empty()) out.problems.push_back("nothing can be stored: " + std::string{store_problem});
    if (lag > loop_lag_max) out.problems.push_back(fmt::format("the event loop is {} ms behind", lag.count()));
    return out;
}

std::string health_json(const health& what) {
    std::string out = fmt::format(R"({{"v":1,"ok":{},"lag_ms":{},"problems":[)", what.problems.empty(), what.lag.count());
    for (std::size_t i = 0; i < what.problems.size(); ++i) {
        if (i > 0) out += ',';
        mbus::json::append_string(out, what.problems[i]);
    }
    return out + "]}\n";
}

}  // namespace mbusd
