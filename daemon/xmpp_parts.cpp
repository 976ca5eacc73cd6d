#include "xmpp_parts.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "clients/account_table.hpp"
#include "feeds/feed_home.hpp"
#include "gateways/metrics/metric_page.hpp"
#include "gateways/xmpp/bus_service.hpp"
#include "gateways/xmpp/pubsub_service.hpp"
#include "gateways/xmpp/xmpp_gateway.hpp"
#include "http/delayed_calls.hpp"

namespace mbusd {
namespace {

xmpp_options options_of(const settings& values) {
    const auto& from = values.xmpp;
    return {.server = {.domain = xmpp_domain(values),
                       .sessions_max = from.sessions,
                       .sessions_of_one = from.sessions_per_account,
                       .stanza_octets = from.stanza_octets,
                       .resumption = std::chrono::seconds{from.resume_seconds}},
            .anonymous = from.anonymous};
}

void add_domain_metrics(metric_page& page, const xmpp::server& domain) {
    const auto& c = domain.counters();
    page.gauge("mbusd_xmpp_sessions", "XMPP sessions, those that wait for their client included.", domain.sessions());
    page.gauge("mbusd_xmpp_sessions_waiting", "XMPP sessions without a connection, which their client may resume.", domain.sessions_waiting());
    page.counter("mbusd_xmpp_sessions_total", "XMPP sessions, by what happened.", c.sessions_bound, {{"event", "bound"}});
    page.counter("mbusd_xmpp_sessions_total", {}, c.sessions_resumed, {{"event", "resumed"}});
    page.counter("mbusd_xmpp_sessions_total", {}, c.sessions_ended, {{"event", "ended"}});
    page.counter("mbusd_xmpp_sessions_total", {}, c.overflowed, {{"event", "overflowed"}});
    page.counter("mbusd_xmpp_stanzas_total", "Stanzas, by direction.", c.stanzas_in, {{"direction", "in"}});
    page.counter("mbusd_xmpp_stanzas_total", {}, c.stanzas_out, {{"direction", "out"}});
    const auto each = [&page](const char* name, const char* help, const xmpp::server_counters::by_condition& counts) {
        for (const auto& [condition, count] : counts) page.counter(name, help, count, {{"condition", condition}});
    };
    each("mbusd_xmpp_errors_total", "Stanzas that were answered with an error, by condition (RFC 6120, section 8.3.3).", c.stanza_errors);
    each("mbusd_xmpp_stream_errors_total", "Streams that ended with an error, by condition (RFC 6120, section 4.9.3).", c.stream_errors);
    each("mbusd_xmpp_login_failures_total", "Logins that were refused, by condition (RFC 6120, section 6.5).", c.logins_refused);
    page.counter("mbusd_xmpp_logins_total", "Logins that succeeded.", c.logins, {{"as", "account"}});
    page.counter("mbusd_xmpp_logins_total", {}, c.guest_logins, {{"as", "guest"}});
    page.counter("mbusd_xmpp_stanzas_lost_total", "Stanzas that were kept for a client that did not come back.", c.lost);
    page.counter("mbusd_xmpp_undeliverable_total", "Stanzas for nobody that are not answered.", c.undeliverable);
}

void add_connection_metrics(metric_page& page, const xmpp_gateway& gateway) {
    const auto& c = gateway.counters();
    page.gauge("mbusd_xmpp_connections", "XMPP connections.", gateway.connections());
    page.counter("mbusd_xmpp_connections_total", "XMPP connections, by what became of them.", c.opened, {{"result", "opened"}});
    page.counter("mbusd_xmpp_connections_total", {}, c.malformed, {{"result", "malformed"}});
    page.counter("mbusd_xmpp_connections_total", {}, c.stalled, {{"result", "stalled"}});
    page.counter("mbusd_xmpp_connections_total", {}, c.silent, {{"result", "silent"}});
}

void add_pubsub_door_metrics(metric_page& page, const xmpp::pubsub_service& door) {
    const auto& c = door.counters();
    page.counter("mbusd_xmpp_pubsub_requests_total", "Requests to publish-subscribe over XMPP, by result.", c.requests - c.refused, {{"result", "done"}});
    page.counter("mbusd_xmpp_pubsub_requests_total", {}, c.refused, {{"result", "refused"}});
    page.counter("mbusd_xmpp_events_total", "Events of publish-subscribe to XMPP addresses.", c.events, {{"result", "delivered"}});
    page.counter("mbusd_xmpp_events_total", {}, c.events_unread, {{"result", "nobody there"}});
    page.counter("mbusd_xmpp_approvals_total", "Owners that were asked to approve a subscription.", c.approvals);
    page.gauge("mbusd_xmpp_answers_waiting", "Answers to XMPP sessions that wait for the disk.", door.answers_waiting());
}

template <class Number>
mbus::value pair(std::string_view name, Number count) {
    return mbus::value::list{mbus::value{name}, mbus::value{static_cast<std::int64_t>(count)}};
}

std::uint64_t sum_of(const xmpp::server_counters::by_condition& counts) {
    std::uint64_t out = 0;
    for (const auto& [condition, count] : counts) out += count;
    return out;
}

void add_bus_door_metrics(metric_page& page, const xmpp::bus_service& door) {
    const auto& c = door.counters();
    page.counter("mbusd_xmpp_bus_messages_total", "Messages between XMPP sessions and the bus.", c.sent, {{"result", "sent"}});
    page.counter("mbusd_xmpp_bus_messages_total", {}, c.refused, {{"result", "refused"}});
    page.counter("mbusd_xmpp_bus_messages_total", {}, c.delivered, {{"result", "delivered"}});
    page.counter("mbusd_xmpp_bus_messages_total", {}, c.ignored, {{"result", "ignored"}});
    page.counter("mbusd_xmpp_bus_presences_total", "Entities that came and went, as told to XMPP sessions.", c.presences);
}

}  // namespace

struct xmpp_parts::state {
    state(boost::asio::io_context& context, router& hub, account_table& accounts_, feed_home* feeds_, turn_queue& turns, logger& log)
        : accounts(accounts_),
          feeds(feeds_),
          calls(context),
          gateway(context, options_of(hub.configuration()), accounts, turns, [&hub] { return hub.now(); }, log),
          bus({.host = "bus." + std::string{gateway.domain().domain()},
               .rights = [this](const xmpp::session& whose) { return rights_of(whose); },
               .after = [this](std::chrono::milliseconds wait, std::function<void()> what) { calls.after(wait, std::move(what)); }},
              hub, turns, gateway.domain()) {
        auto& blocked = gateway.domain().blocked();
        for (const auto& [user, jid] : accounts.blocked_at_start()) blocked.load(user, jid);
        blocked.on_change([this](std::string_view user, std::string_view jid, bool now) { accounts.keep_blocked(user, jid, now); });
        gateway.domain().add(bus);
        if (feeds == nullptr) return;
        pubsub.emplace(xmpp::pubsub_service_options{.host = "pubsub." + std::string{gateway.domain().domain()},
                                                    .when_stored = [this](std::function<void()> then) { feeds->when_stored(std::move(then)); },
                                                    .problem = [this] { return feeds->problem(); }},
                       feeds->nodes(), gateway.domain());
        gateway.domain().add(*pubsub);
        feeds->add(*pubsub);
    }
    ~state() {
        if (pubsub) feeds->forget(*pubsub);
    }
    state(const state&) = delete;
    state& operator=(const state&) = delete;

    std::shared_ptr<const granted_rights> rights_of(const xmpp::session& whose) {
        const auto who = whose.guest() ? accounts.guest() : accounts.find(whose.bare().substr(0, whose.bare().find('@')));
        return who ? who->rights : nullptr;
    }

    account_table& accounts;
    feed_home* feeds;
    delayed_calls calls;
    xmpp_gateway gateway;
    xmpp::bus_service bus;
    std::optional<xmpp::pubsub_service> pubsub;
};

xmpp_parts::xmpp_parts(boost::asio::io_context& context, router& hub, account_table& accounts, feed_home* feeds, turn_queue& turns,
                       logger& log)
    : state_(std::make_unique<state>(context, hub, accounts, feeds, turns, log)) {}

xmpp_parts::~xmpp_parts() = default;

void xmpp_parts::add_paths(path_table& paths) { state_->gateway.add_paths(paths); }

void xmpp_parts::add_metrics(metric_page& page) const {
    add_connection_metrics(page, state_->gateway);
    add_domain_metrics(page, state_->gateway.domain());
    add_bus_door_metrics(page, state_->bus);
    if (state_->pubsub) add_pubsub_door_metrics(page, *state_->pubsub);
}

void xmpp_parts::add_status(mbus::value::list& into) const {
    const auto& domain = state_->gateway.domain();
    into.push_back(pair("xmpp-connections", state_->gateway.connections()));
    into.push_back(pair("xmpp-sessions", domain.sessions()));
    into.push_back(pair("xmpp-sessions-waiting", domain.sessions_waiting()));
}

void xmpp_parts::add_counters(mbus::value::list& into) const {
    const auto& c = state_->gateway.domain().counters();
    const auto& b = state_->bus.counters();
    into.push_back(mbus::value::list{
        mbus::value{"xmpp"},
        mbus::value::list{pair("logins", c.logins), pair("guest-logins", c.guest_logins), pair("logins-refused", sum_of(c.logins_refused)),
                          pair("sessions-bound", c.sessions_bound), pair("sessions-resumed", c.sessions_resumed), pair("sessions-ended", c.sessions_ended),
                          pair("sessions-overflowed", c.overflowed), pair("stanzas-in", c.stanzas_in), pair("stanzas-out", c.stanzas_out),
                          pair("stanza-errors", sum_of(c.stanza_errors)), pair("stream-errors", sum_of(c.stream_errors)),
                          pair("undeliverable", c.undeliverable), pair("stanzas-lost", c.lost), pair("bus-sent", b.sent), pair("bus-refused", b.refused), pair("bus-delivered", b.delivered),
                          pair("bus-ignored", b.ignored)}});
}

void xmpp_parts::end_sessions_of(std::string_view identity) {
    constexpr std::string_view client = "client:";
    if (!identity.starts_with(client)) return;
    const auto user = identity.substr(client.size());
    state_->gateway.end_sessions_of(user);
    if (state_->accounts.find(user) == nullptr) state_->gateway.domain().blocked().forget(user);
}

void xmpp_parts::stop_accepting() {
    state_->gateway.stop_accepting();
    state_->calls.cancel();
}

void xmpp_parts::close() { state_->gateway.close(); }

std::size_t xmpp_parts::connections() const noexcept { return state_->gateway.connections(); }

}  // namespace mbusd
