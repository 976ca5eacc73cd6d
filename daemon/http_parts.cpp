#include "http_parts.hpp"

#include <chrono>
#include <utility>

#include <boost/asio/post.hpp>

#include "gateways/capability/capability_paths.hpp"
#include "gateways/metrics/metrics_paths.hpp"
#include "gateways/publish/publish_gateway.hpp"
#include "http/delayed_calls.hpp"
#include "store/store.hpp"

namespace mbusd {
namespace {

std::uint64_t wall_ms() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

void add_http_metrics(metric_page& page, const http_listener& web) {
    const auto& c = web.counters();
    page.gauge("mbusd_http_connections", "Connections of the gateway, WebSockets included.", web.connections());
    page.counter("mbusd_http_connections_total", "Connections, by what became of them.", c.accepted, {{"result", "accepted"}});
    page.counter("mbusd_http_connections_total", {}, c.refused_connections, {{"result", "refused"}});
    page.counter("mbusd_http_requests_total", "HTTP requests.", c.requests);
    const std::string help = "HTTP requests and connections that failed, by reason.";
    page.counter("mbusd_http_failures_total", help, c.malformed, {{"reason", "malformed"}});
    page.counter("mbusd_http_failures_total", {}, c.forbidden, {{"reason", "host or origin"}});
    page.counter("mbusd_http_failures_total", {}, c.timeouts, {{"reason", "timeout"}});
    page.counter("mbusd_http_failures_total", {}, c.slow_readers, {{"reason", "slow reader"}});
    page.counter("mbusd_http_failures_total", {}, c.tls_failures, {{"reason", "tls"}});
    page.counter("mbusd_http_failures_total", {}, c.credential_failures, {{"reason", "credential"}});
}

void add_capability_metrics(metric_page& page, const capability_gateway& gateway, const capability_authority& authority) {
    const auto& c = gateway.counters();
    page.gauge("mbusd_capabilities", "Capability URLs that are valid.", authority.size());
    page.gauge("mbusd_capability_waiting", "Requests that wait for a client's reply.", gateway.waiting());
    const std::string help = "Requests to capability URLs, by result.";
    page.counter("mbusd_capability_requests_total", help, c.queued, {{"result", "queued"}});
    page.counter("mbusd_capability_requests_total", {}, c.unknown, {{"result", "unknown"}});
    page.counter("mbusd_capability_requests_total", {}, c.refused_body, {{"result", "bad body"}});
    page.counter("mbusd_capability_requests_total", {}, c.refused_command, {{"result", "forbidden"}});
    page.counter("mbusd_capability_requests_total", {}, c.refused_rate, {{"result", "rate"}});
    page.counter("mbusd_capability_requests_total", {}, c.undeliverable, {{"result", "undeliverable"}});
    const std::string replies = "Requests that waited for a reply, by outcome.";
    page.counter("mbusd_capability_replies_total", replies, c.replied, {{"outcome", "replied"}});
    page.counter("mbusd_capability_replies_total", {}, c.unanswered, {{"outcome", "none"}});
}

void add_publish_metrics(metric_page& page, const publish_gateway& gateway) {
    const auto& c = gateway.counters();
    page.counter("mbusd_send_requests_total", "Requests to /send and /events, by result.", c.sent, {{"result", "sent"}});
    page.counter("mbusd_send_requests_total", {}, c.refused, {{"result", "refused"}});
    page.gauge("mbusd_event_streams", "Open streams of /events.", gateway.streams());
    page.counter("mbusd_event_streams_total", "Streams of /events that were opened.", c.streams_opened);
    page.counter("mbusd_events_total", "Messages to streams of /events, by result.", c.streams.events, {{"result", "sent"}});
    page.counter("mbusd_events_total", {}, c.streams.missed, {{"result", "missed"}});
    page.counter("mbusd_events_total", {}, c.streams.refused, {{"result", "refused"}});
}

}  // namespace

struct http_parts::state {
    state(boost::asio::io_context& context, router& router_, client_directory& clients, store& kept, logger& log,
          std::function<std::string()> base_url)
        : hub(router_),
          calls(context),
          authority({.configuration = [this]() -> const settings& { return hub.configuration(); },
                     .base_url = std::move(base_url),
                     .wall_ms = wall_ms,
                     .journal_of = [this](std::uint64_t session) { return hub.journal_of(session); }},
                    log),
          capabilities(authority, hub, later()),
          publishing(hub, clients, later()),
          figures(hub, kept, clients, [&context](std::function<void()> run) { boost::asio::post(context, std::move(run)); }) {}

    std::function<void(std::chrono::milliseconds, std::function<void()>)> later() {
        return [this](std::chrono::milliseconds wait, std::function<void()> what) { calls.after(wait, std::move(what)); };
    }

    router& hub;
    delayed_calls calls;
    capability_authority authority;
    capability_gateway capabilities;
    publish_gateway publishing;
    metrics_gateway figures;
};

http_parts::http_parts(boost::asio::io_context& context, router& hub, client_directory& clients, store& kept, logger& log,
                       std::function<std::string()> base_url)
    : state_(std::make_unique<state>(context, hub, clients, kept, log, std::move(base_url))) {
    hub.use_grants(state_->authority);
    add_capability_requests(hub.requests(), state_->authority);
}

http_parts::~http_parts() { state_->hub.forget_grants(); }

void http_parts::add_paths(path_table& paths, const http_listener& web) {
    state_->capabilities.add_paths(paths);
    state_->publishing.add_paths(paths);
    state_->figures.add_paths(paths);
    state_->figures.add_source([&web, parts = state_.get()](metric_page& page) {
        add_http_metrics(page, web);
        add_capability_metrics(page, parts->capabilities, parts->authority);
        add_publish_metrics(page, parts->publishing);
    });
}

void http_parts::restored(store& kept) {
    state_->authority.load(kept, [this](std::uint64_t session) { return state_->hub.find_session(session); });
}

void http_parts::add_figures(std::function<void(metric_page&)> source) { state_->figures.add_source(std::move(source)); }

void http_parts::use_links(const link_table& links) {
    state_->figures.add_source([&links](metric_page& page) { add_link_metrics(page, links); });
}

void http_parts::start() { state_->capabilities.start(); }

void http_parts::configuration_changed() {
    state_->capabilities.configuration_changed();
    state_->publishing.configuration_changed();
}

void http_parts::end_streams_of(std::string_view identity) { state_->publishing.end_streams_of(identity); }

void http_parts::stopping() {
    state_->authority.stopping();
    state_->calls.cancel();
}

}  // namespace mbusd
