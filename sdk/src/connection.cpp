#include <mbus/connection.hpp>

#include <sys/stat.h>

#include <atomic>
#include <cerrno>   // program_invocation_short_name
#include <cstdlib>
#include <utility>

#include "core.hpp"
#include "unix_link.hpp"

namespace mbus {
namespace {

constinit std::atomic<detail::link_maker> url_links{nullptr};

// What docs/mbws.md s3 and s4 name as defaults of WebSocket.
constexpr std::chrono::seconds websocket_expiry{60};

bool is_url(const std::string& socket) { return socket.find("://") != std::string::npos; }

connect_options complete(connect_options options) {
    if (options.socket.empty()) options.socket = default_socket();
    if (options.name.empty()) options.name = ::program_invocation_short_name;
    const bool websocket = is_url(options.socket);
    if (!options.window) options.window = websocket ? mbws::window_default_websocket : mbws::window_default_local;
    if (!options.expiry) options.expiry = websocket ? websocket_expiry : std::chrono::seconds{0};
    if (*options.window == 0) options.expiry = std::chrono::seconds{0};
    return options;
}

std::unique_ptr<detail::link> make_link(const connect_options& options) {
    const auto for_url = url_links.load();
    if (for_url != nullptr && is_url(options.socket)) return for_url(options);
    return std::make_unique<detail::unix_link>(options.socket);
}

std::shared_ptr<detail::core> make_core(const connect_options& options) {
    auto whole = complete(options);
    auto way = make_link(whole);
    return std::make_shared<detail::core>(std::move(way), whole);
}

}  // namespace

std::string default_socket() {
    if (const char* named = std::getenv("MBUS_SOCKET"); named != nullptr && *named != '\0') return named;
    if (const char* runtime = std::getenv("XDG_RUNTIME_DIR"); runtime != nullptr && *runtime != '\0') {
        auto own = std::string{runtime} + "/mbusd/mbusd.sock";
        struct stat found{};
        if (::stat(own.c_str(), &found) == 0) return own;
    }
    return "/run/mbusd/mbusd.sock";
}

std::string_view to_string(connection_state state) noexcept {
    switch (state) {
    case connection_state::connecting: return "connecting";
    case connection_state::connected: return "connected";
    case connection_state::closed: break;
    }
    return "closed";
}

std::string_view to_string(peer_state state) noexcept {
    switch (state) {
    case peer_state::present: return "present";
    case peer_state::joined: return "joined";
    case peer_state::left: return "left";
    case peer_state::lost: break;
    }
    return "lost";
}

connection::connection(std::shared_ptr<detail::core> shared) noexcept : shared_(std::move(shared)) {}
connection::connection(connection&&) noexcept = default;

connection& connection::operator=(connection&& other) noexcept {
    std::swap(shared_, other.shared_);
    return *this;
}

connection::~connection() {
    if (const auto core = std::exchange(shared_, nullptr)) core->shut_down();
}

result<connection> connection::connect(const connect_options& options) {
    connection made{make_core(options)};
    made.shared_->begin(true);
    if (auto open = made.ready().wait(); !open) return std::move(open.error());
    return made;
}

connection connection::start(const connect_options& options) {
    connection made{make_core(options)};
    made.shared_->begin(false);
    return made;
}

result<connection> connect(std::string_view where, connect_options options) {
    options.socket = where;
    return connection::connect(options);
}

operation<void> connection::ready() { return shared_->ready(); }
connection_state connection::state() const noexcept { return shared_->state(); }

operation<entity> connection::attach(const destination& address) { return shared_->attach(address, {}); }
operation<entity> connection::attach(const destination& address, const attach_options& options) {
    return shared_->attach(address, options);
}

operation<std::vector<peer>> connection::peers(const destination& pattern) { return shared_->peers(pattern); }
operation<std::size_t> connection::match(const destination& to) { return shared_->match(to); }
operation<peer_watch> connection::watch(const destination& pattern, std::function<void(const peer&)> handler) {
    return shared_->watch(pattern, std::move(handler));
}
operation<std::chrono::microseconds> connection::ping() { return shared_->ping(); }

void connection::on_state(std::function<void(const connection_event&)> handler) {
    shared_->on_state = std::move(handler);
}
void connection::on_missed(std::function<void(std::uint64_t)> handler) {
    shared_->on_missed_messages = std::move(handler);
}
std::uint64_t connection::missed() const noexcept { return shared_->missed(); }

result<void> connection::run() { return shared_->run(no_limit); }
result<void> connection::run_for(std::chrono::milliseconds time) { return shared_->run(time); }
void connection::stop() noexcept { shared_->stop(); }

int connection::fd() { return shared_->fd(); }

io_interest connection::interest() const noexcept {
    return shared_->state() == connection_state::closed ? io_interest::none : io_interest::read;
}

std::optional<clock::time_point> connection::deadline() const {
    const auto when = shared_->deadline();
    if (when == detail::never) return std::nullopt;
    return when;
}

result<void> connection::process() { return shared_->process(); }
result<void> connection::flush(std::chrono::milliseconds limit) { return shared_->flush(limit); }

send_batch connection::batch() { return send_batch{shared_}; }
result<void> connection::close(std::chrono::milliseconds limit) { return shared_->close(limit); }

send_batch::send_batch(std::shared_ptr<detail::core> shared) noexcept : shared_(std::move(shared)) { shared_->hold(); }
send_batch::~send_batch() {
    if (shared_) shared_->release();
}

peer_watch::peer_watch(std::shared_ptr<detail::watch_record> shared) noexcept : shared_(std::move(shared)) {}
peer_watch::peer_watch(peer_watch&&) noexcept = default;

peer_watch& peer_watch::operator=(peer_watch&& other) noexcept {
    std::swap(shared_, other.shared_);
    return *this;
}

peer_watch::~peer_watch() {
    if (!shared_) return;
    if (const auto core = shared_->owner.lock()) core->unwatch(*shared_);
}

namespace detail {

void use_for_urls(link_maker maker) noexcept { url_links.store(maker); }

connection connect_over(std::unique_ptr<link> way, const connect_options& options, driver& out) {
    const auto made = std::make_shared<core>(std::move(way), complete(options));
    const std::weak_ptr<core> seen = made;
    out.ready = [seen] {
        const auto alive = seen.lock();
        return alive && !alive->running();
    };
    out.turn = [seen] {
        if (const auto alive = seen.lock()) (void)alive->process();
    };
    out.deadline = [seen] {
        const auto alive = seen.lock();
        return alive ? alive->deadline() : never;
    };
    out.has_output = [seen] {
        const auto alive = seen.lock();
        return alive && alive->has_output();
    };
    made->begin(false);
    return connection{made};
}

}  // namespace detail

}  // namespace mbus
