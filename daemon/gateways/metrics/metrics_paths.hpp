// The paths /metrics and /healthz (docs/http-api.md).
//
//     metrics_gateway gateway{facts, clients, post, clock};
//     gateway.add_source([&](metric_page& page) { page.counter(...); });   // other parts' figures
//     gateway.add_paths(paths);
//
// Who may read /metrics says gateway.metrics. /healthz is open: it tells no secret. One thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bus/bus_status.hpp"
#include "gateways/metrics/metric_page.hpp"
#include "http/path_table.hpp"
#include "router/router.hpp"

namespace mbusd {

class link_table;
class queue_table;
class store;

// A daemon whose event loop answers later than this is not well: local messages take as long.
inline constexpr std::chrono::milliseconds loop_lag_max{1000};

struct health {
    std::vector<std::string> problems;  // each a sentence; empty: all is well
    std::chrono::milliseconds lag{0};
};
[[nodiscard]] health examine_health(const bus_status& bus, std::string_view store_problem, std::chrono::milliseconds lag);
[[nodiscard]] std::string health_json(const health& what);

void add_process_metrics(metric_page& page);
void add_bus_metrics(metric_page& page, const bus_status& status, const mbus::protocol::counters& counts);
void add_router_metrics(metric_page& page, const router& hub);
void add_store_metrics(metric_page& page, const store& kept);
void add_session_metrics(metric_page& page, router& hub);
void add_queue_metrics(metric_page& page, queue_table& queues);
void add_link_metrics(metric_page& page, const link_table& links);

// True for 127.0.0.0/8, ::1, and the Unix socket.
[[nodiscard]] bool is_loopback_client(std::string_view client) noexcept;

class metrics_gateway {
public:
    using source = std::function<void(metric_page&)>;
    using post_function = std::function<void(std::function<void()>)>;  // after the handlers that are ready now

    metrics_gateway(router& hub, const store& kept, client_directory& clients, post_function post)
        : hub_(hub), store_(kept), clients_(clients), post_(std::move(post)) {}
    metrics_gateway(const metrics_gateway&) = delete;
    metrics_gateway& operator=(const metrics_gateway&) = delete;

    void add_source(source figures) { sources_.push_back(std::move(figures)); }
    void add_paths(path_table& paths);

private:
    using call_pointer = std::shared_ptr<exchange>;
    bool admitted(const call_pointer& call);
    // Calls `then` with the time that the event loop took to get there.
    void measure(std::function<void(std::chrono::nanoseconds)> then);

    router& hub_;
    const store& store_;
    client_directory& clients_;
    post_function post_;
    std::vector<source> sources_;
    std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace mbusd
