#include "service.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "bus/bus_driver.hpp"
#include "bus/bus_options.hpp"
#include "clients/account_table.hpp"
#include "clients/client_requests.hpp"
#include "clients/client_table.hpp"
#include "config/key_table.hpp"
#include "config/reload.hpp"
#include "config/session_file.hpp"
#include "feed_figures.hpp"
#include "feeds/feed_entity.hpp"
#include "feeds/feed_home.hpp"
#include "gateways.hpp"
#include "gateways/mbws/link_dialer.hpp"
#include "http/delayed_calls.hpp"
#include "local/local_listener.hpp"
#include "local/socket_file.hpp"
#include "protocol/envelope.hpp"
#include "router/router.hpp"
#include "router/turn.hpp"
#include "runtime/log.hpp"
#include "runtime/memory.hpp"
#include "runtime/notify.hpp"
#include "runtime/process.hpp"
#include "runtime/state_directory.hpp"
#include "store/store.hpp"

namespace mbusd {
namespace {

namespace protocol = mbus::protocol;

// Bye and the clients' last words; systemd waits longer than that.
constexpr std::chrono::seconds drain_patience{2};
constexpr std::chrono::milliseconds drain_period{10};
constexpr std::chrono::hours expiry_look{1};
// UCL's buffers have 1500 octets (docs/rfc3259.md, "The legacy dialect").
constexpr std::size_t legacy_datagram_octets = 1400;

std::string expanded(const std::string& path) {
    const char* home = std::getenv("HOME");
    return path.starts_with("~/") && home != nullptr ? home + path.substr(1) : path;
}

template <class T>
T value_or_throw(mbus::result<T> from) {
    if (!from) throw std::runtime_error(from.error().text);
    return std::move(*from);
}

protocol::node_options engine_options(const settings& values) {
    protocol::node_options out;
    out.legacy = values.bus.compat == "legacy";
    out.writing = out.legacy ? mbus::dialect::legacy : mbus::dialect::rfc;
    out.coalesce = values.bus.coalesce;
    out.unicast = values.bus.unicast;
    out.seed = random_seed();
    return out;
}

bus_options network_options(const settings& values, const protocol::session_config& session) {
    auto out = options_from(session);
    out.families = value_or_throw(parse_family_rule(values.bus.families));
    out.allow = values.bus.allow_interfaces;
    out.deny = values.bus.deny_interfaces;
    if (values.bus.compat == "legacy") out.datagram_budget_max = legacy_datagram_octets;
    return out;
}

std::uint64_t wall_ms() {
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(since).count());
}

// Without a state directory nothing is kept.
store_options kept_in(const state_directory& state, const settings& values) {
    struct stat about{};
    const bool there = !state.path().empty() && ::stat(state.path().c_str(), &about) == 0;
    return {.file = there ? state.path() + "/mbusd.db" : std::string{}, .sync_full = values.state.sync == "full"};
}

level level_of(const settings& values) {
    level out = level::info;
    if (!parse_level(values.log.level, out)) throw std::runtime_error("log.level is no level: " + values.log.level);
    return out;
}

}  // namespace

protocol::session_config load_session(const settings& values, std::string& path) {
    auto search = session_file_search::from_environment();
    search.explicit_path = expanded(values.bus.key_file);
    path = value_or_throw(find_session_file(search));
    // The keys of the years around 2000 have 12 octets, whatever the hash.
    const bool short_keys = values.bus.allow_short_keys || values.bus.compat == "legacy";
    auto out = value_or_throw(load_session_file(path, {.allow_short_hash_key = short_keys}));
    if (values.bus.scope == "HOSTLOCAL") out.scope = protocol::scope::host_local;
    if (values.bus.scope == "LINKLOCAL") out.scope = protocol::scope::link_local;
    return out;
}

mbus::result<protocol::envelope> make_envelope(const settings& values, const protocol::session_config& session) {
    return protocol::envelope::create(session, {.legacy = values.bus.compat == "legacy"});
}

struct service::parts {
    parts(config_reading configuration, command_line asked);

    void start();
    void reload();
    void stop(int signal);
    void drain(std::chrono::steady_clock::time_point until);
    void arm_deadline();
    void start_clients();
    void start_feeds();
    void arm_expiry();
    unique_fd open_socket();
    std::vector<inherited_socket> gateway_sockets();
    std::string known_broker();
    std::string status() const;

    std::string id_problem;  // why the id is not kept; empty: it is
    command_line asked;
    config_reading reading;
    logger log;
    service_manager manager;
    state_directory state;
    std::vector<inherited_socket> inherited;
    // One thread runs it and has all sockets and timers; the store's worker posts to it.
    boost::asio::io_context context{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
    turn_queue turns;
    store kept;
    router hub;
    client_table clients;
    account_table accounts;
    delayed_calls later;
    std::unique_ptr<feed_home> feeds;  // null: no publish-subscribe
    std::unique_ptr<feed_entity> feeds_on_the_bus;
    std::unique_ptr<bus_driver> bus;
    std::unique_ptr<local_listener> local;
    std::unique_ptr<gateways> doors;
    std::unique_ptr<link_table> links;
    std::unique_ptr<link_dialers> dialers;
    std::unique_ptr<signal_watch> signals;
    std::unique_ptr<watchdog> dog;
    boost::asio::steady_timer deadline_timer;
    boost::asio::steady_timer drain_timer;
    boost::asio::steady_timer expiry_timer;
    std::chrono::steady_clock::time_point armed_for = std::chrono::steady_clock::time_point::max();
    std::string socket_path;  // empty: systemd's
    int socket_number = -1;
};

service::parts::parts(config_reading configuration, command_line command)
    : asked(std::move(command)),
      reading(std::move(configuration)),
      log(level_of(reading.values)),
      state(expanded(reading.values.state.directory)),
      inherited(take_inherited_sockets()),
      turns([this](turn_end::step run) { boost::asio::post(context, std::move(run)); }),
      kept(kept_in(state, reading.values), [this](std::function<void()> run) { boost::asio::post(context, std::move(run)); }, log),
      hub(reading, known_broker(), turns, log),
      clients(kept, wall_ms),
      accounts(clients, kept, xmpp_domain(reading.values)),
      later(context),
      deadline_timer(context),
      drain_timer(context),
      expiry_timer(context) {}

// The id of this daemon, the same at each start as far as it can be kept.
std::string service::parts::known_broker() {
    auto known = state.broker_id(random_broker_id());
    id_problem = std::move(known.problem);
    return std::move(known.id);
}

std::string service::parts::status() const {
    return kept.problem().empty() ? "ready" : "ready; nothing can be stored: " + kept.problem();
}

// What the store holds comes first, then its worker writes.
void service::parts::start_clients() {
    if (!kept.keeps() && kept.problem().empty()) {
        log.info("tokens and sessions end with this run of the daemon", {{"reason", "there is no state directory; set state.directory"}});
    }
    if (auto read = clients.load(); !read) log.error("clients could not be read", {{"reason", read.error().text}});
    if (auto read = accounts.load(); !read) log.error("accounts could not be read", {{"reason", read.error().text}});
    clients.use_rights(reading.values.rights);
    clients.on_withdrawn([this](const std::string& identity) {
        hub.end_sessions_of(identity, mbus::errc::unauthorized, "this token was withdrawn; 'mbus client add NAME' makes a new one");
        if (links) links->end_links_of(identity);
        if (doors) doors->end_streams_of(identity);
    });
    clients.on_expiry([this] { arm_expiry(); });
    hub.use_clients(clients);
    add_client_requests(hub.requests(), clients, wall_ms);
    arm_expiry();
    kept.on_problem([this] { manager.status(status()); });
    hub.use_store(kept);
    doors->restored(kept);
    start_feeds();
    doors->use_accounts(accounts, feeds.get());
    kept.start();
}

void service::parts::start_feeds() {
    const auto& run = reading.values.pubsub.run;
    if (run == "never" || (run == "gateway" && !reading.values.gateway.enabled)) return;
    const auto after = [this](std::chrono::milliseconds wait, std::function<void()> what) { later.after(wait, std::move(what)); };
    feeds = std::make_unique<feed_home>(feed_options{.domain = xmpp_domain(reading.values), .limits = feed_limits(reading.values)}, kept,
                                        turns, after, wall_ms, log);
    if (auto read = feeds->load(); !read) log.error("feeds could not be read", {{"reason", read.error().text}});
    feeds_on_the_bus = std::make_unique<feed_entity>(*feeds, hub, turns);
    if (auto joined = feeds_on_the_bus->join(); !joined) log.error("publish-subscribe is not on the bus", {{"reason", joined.error().text}});
    hub.requests().add_status([this](mbus::value::list& into) { add_feed_status(into, *feeds); });
    hub.requests().add_counters([this](mbus::value::list& into) { add_feed_counters(into, *feeds, *feeds_on_the_bus); });
    doors->add_figures([this](metric_page& page) { add_feed_metrics(page, *feeds, *feeds_on_the_bus); });
}

// By the clock of the wall, which may jump: so it is looked at again every hour.
void service::parts::arm_expiry() {
    expiry_timer.cancel();
    const auto next = clients.next_expiry();
    if (next == 0) return;
    const auto now = wall_ms();
    const std::chrono::milliseconds left{next > now ? static_cast<std::int64_t>(next - now) : 0};
    expiry_timer.expires_after(std::min<std::chrono::milliseconds>(left, expiry_look));
    expiry_timer.async_wait([this](const boost::system::error_code& gone) {
        if (gone) return;
        clients.sweep();
        arm_expiry();
    });
}

// Those of the handed over sockets that are no business of local programs.
std::vector<inherited_socket> service::parts::gateway_sockets() {
    std::vector<inherited_socket> out;
    std::erase_if(inherited, [&](inherited_socket& each) {
        if (!belongs_to_gateway(each)) return false;
        out.push_back(std::move(each));
        return true;
    });
    return out;
}

unique_fd service::parts::open_socket() {
    if (!inherited.empty()) {
        log.debug("socket taken over from the service manager", {{"name", inherited.front().name}});
        return std::move(inherited.front().fd);
    }
    socket_path = reading.values.socket.path.empty() ? default_socket_path() : reading.values.socket.path;
    return listen_on({socket_path, mode_bits(reading.values), reading.values.socket.group});
}

void service::parts::start() {
    keep_heap_small();
    raise_open_files();
    std::string key_file;
    const auto session = load_session(reading.values, key_file);
    for (const auto& each : session.warnings) log.warning("key file", {{"file", key_file}, {"warning", each}});
    doors = std::make_unique<gateways>(context, reading.values, gateway_sockets(), hub, turns, log);
    doors->use_clients(clients, kept);
    auto socket = open_socket();
    socket_number = socket.get();
    if (!id_problem.empty()) log.info("the id of this daemon will be another at its next start", {{"reason", id_problem}});

    const auto options = network_options(reading.values, session);
    for (const auto& each : option_warnings(options)) log.warning(each);
    bus = std::make_unique<bus_driver>(context, options, engine_options(reading.values),
                                       value_or_throw(make_envelope(reading.values, session)), hub, log);
    bus->use(turns.end());
    bus->start();
    hub.start(*bus);
    hub.on_deadline([this] { arm_deadline(); });
    start_clients();
    links = std::make_unique<link_table>(hub, turns, log);
    doors->use_links(*links);
    dialers = std::make_unique<link_dialers>(context, *links, turns, log);
    local = std::make_unique<local_listener>(context, std::move(socket), hub, turns, log);
    local->start();
    doors->start();
    links->start();
    dialers->apply(reading.values.links);
    signals = std::make_unique<signal_watch>(context, [this](int signal) { stop(signal); }, [this] { reload(); });
    dog = std::make_unique<watchdog>(context, manager);
    manager.ready(status());
    log.info("ready", {{"socket", socket_path.empty() ? "from the service manager" : socket_path},
                       {"scope", std::string{to_string(session.scope)}},
                       {"hash", std::string{to_string(session.hash)}},
                       {"cipher", std::string{to_string(session.cipher)}},
                       {"key_file", key_file},
                       {"key_fingerprint", protocol::key_fingerprint(session)}});
}

// One timer for the deadlines of all sessions; without any there is no wake-up.
void service::parts::arm_deadline() {
    const auto next = hub.next_deadline();
    if (next == armed_for) return;
    armed_for = next;
    deadline_timer.cancel();
    if (next == std::chrono::steady_clock::time_point::max()) return;
    deadline_timer.expires_at(next);
    deadline_timer.async_wait([this](const boost::system::error_code& gone) {
        if (gone) return;
        armed_for = std::chrono::steady_clock::time_point::max();
        hub.advance(bus->now().now);
    });
}

void service::parts::reload() {
    manager.reloading();
    const auto fresh = read_config(asked);
    const auto plan = plan_reload(reading.values, fresh);
    for (const auto& line : plan.refusals) log.error("not reloaded", {{"reason", line}});
    if (plan.refusals.empty()) {
        reading = fresh;
        log.set_level(level_of(reading.values));
        bus->set_interface_filter(reading.values.bus.allow_interfaces, reading.values.bus.deny_interfaces);
        hub.apply(reading);
        clients.use_rights(reading.values.rights);
        local->configuration_changed();
        doors->reload(reading.values);
        dialers->apply(reading.values.links);
        for (const auto& line : plan.changes) log.notice("reloaded", {{"change", line}});
        if (plan.changes.empty()) log.notice("reloaded, nothing has changed");
    }
    manager.ready(plan.refusals.empty() ? status() : "ready; the last reload was refused");
}

void service::parts::stop(int signal) {
    log.info("stopping", {{"signal", std::to_string(signal)}});
    manager.stopping();
    dog->stop();
    if (!socket_path.empty()) remove_socket_file(socket_path, socket_number);
    local->stop_accepting();
    doors->stop_accepting();
    links->shut_down();
    hub.shut_down();
    drain(std::chrono::steady_clock::now() + drain_patience);
}

// Clients get their last words, then the bus its bye; both within drain_patience.
void service::parts::drain(std::chrono::steady_clock::time_point until) {
    drain_timer.expires_after(drain_period);
    drain_timer.async_wait([this, until](const boost::system::error_code&) {
        if (local->connections() + doors->connections() > 0 && std::chrono::steady_clock::now() < until) {
            drain(until);
            return;
        }
        local->close();
        doors->close();
        dialers->close();
        bus->stop();
        later.cancel();
        if (feeds) feeds->finish();
        kept.close();
        deadline_timer.cancel();
        expiry_timer.cancel();
        signals->close();
        // After the handlers that all this has cancelled.
        boost::asio::post(context, [this] { context.stop(); });
    });
}

service::service(config_reading configuration, command_line asked)
    : parts_(std::make_unique<parts>(std::move(configuration), std::move(asked))) {
    parts_->start();
}

service::~service() = default;

int service::run() {
    give_back_startup_memory();
    parts_->context.run();
    parts_->log.info("stopped");
    return 0;
}

}  // namespace mbusd
