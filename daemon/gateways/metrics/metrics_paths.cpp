#include "gateways/metrics/metrics_paths.hpp"

#include <utility>

#include "store/store.hpp"

namespace mbusd {
namespace {

constexpr std::string_view open_to_all = "open";
constexpr std::string_view off = "off";
constexpr std::string_view loopback = "loopback";

}  // namespace

bool is_loopback_client(std::string_view client) noexcept {
    return client == "unix" || client == "::1" || client.starts_with("127.") || client.starts_with("::ffff:127.");
}

void metrics_gateway::add_paths(path_table& paths) {
    paths.add("/metrics", {.methods = {"GET"}}, [this](const call_pointer& call) {
        if (!admitted(call)) return;
        measure([this, call](std::chrono::nanoseconds lag) {
            metric_page page;
            page.gauge("mbusd_event_loop_lag_seconds", "How long a task waited for its turn, measured at this request.",
                       std::chrono::duration<double>(lag).count());
            add_bus_metrics(page, hub_.facts().status(), hub_.facts().node().counters());
            add_router_metrics(page, hub_);
            add_session_metrics(page, hub_);
            if (auto* queues = hub_.queues()) add_queue_metrics(page, *queues);
            add_store_metrics(page, store_);
            for (const auto& each : sources_) each(page);
            add_process_metrics(page);
            call->respond({.status = 200, .type = metric_page::media_type, .body = page.text()});
        });
    });
    paths.add("/healthz", {.methods = {"GET"}}, [this](const call_pointer& call) {
        measure([this, call](std::chrono::nanoseconds lag) {
            const auto found = examine_health(hub_.facts().status(), store_.problem(), std::chrono::duration_cast<std::chrono::milliseconds>(lag));
            call->respond(http_response::json(found.problems.empty() ? 200 : 503, health_json(found)).with("Cache-Control", "no-store"));
        });
    });
}

bool metrics_gateway::admitted(const call_pointer& call) {
    const std::string_view rule = hub_.configuration().gateway.metrics;
    if (rule == open_to_all) return true;
    if (rule == off) {
        call->refuse(404, "not-found", "metrics are off; set gateway.metrics = \"loopback\", \"token\" or \"open\" in mbusd.toml");
        return false;
    }
    if (rule == loopback && is_loopback_client(call->request().client)) return true;
    if (const auto wait = call->blocked_for()) {
        call->too_many_failures(*wait);
        return false;
    }
    const auto token = call->request().bearer();
    if (token && clients_.find_client(*token)) return true;
    call->unauthorized(rule == loopback ? "metrics are for programs of this host, or with a token; set gateway.metrics = \"open\" or make a "
                                          "token: mbus client add NAME"
                                        : "metrics need 'Authorization: Bearer TOKEN'; 'mbus client add NAME' makes a token");
    return false;
}

void metrics_gateway::measure(std::function<void(std::chrono::nanoseconds)> then) {
    const auto asked = std::chrono::steady_clock::now();
    post_([asked, after = std::move(then), alive = std::weak_ptr{alive_}] {
        if (!alive.expired()) after(std::chrono::steady_clock::now() - asked);
    });
}

}  // namespace mbusd
