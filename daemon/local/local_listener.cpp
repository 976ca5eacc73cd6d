#include "local/local_listener.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <boost/asio/post.hpp>

#include "mbws/frame.hpp"

namespace mbusd {
namespace {

// Clients accepted in one turn; others wait for the next one, so that a rush holds up nobody.
constexpr int accepts_per_turn = 64;
// How often connections with a deadline are looked at; they have 5 s.
constexpr std::chrono::seconds deadline_period{1};
// Without free file descriptors accept() fails at once, again and again.
constexpr std::chrono::milliseconds accept_pause{200};
// Users, each in one set of groups, whose rights are remembered.
constexpr std::size_t rights_remembered_max = 1024;

}  // namespace

local_listener::local_listener(boost::asio::io_context& context, unique_fd socket, router& hub, turn_queue& turns,
                               logger& log)
    : context_(context),
      socket_(context, socket.release()),
      retry_(context),
      deadline_timer_(context),
      hub_(hub),
      turns_(turns),
      log_(log),
      read_buffer_(new char[local_read_octets]),
      environment_{context_, hub_, turns_, {read_buffer_.get(), local_read_octets}, output_,
                   [this](std::uint64_t id) {
                       const auto found = connections_.find(id);
                       if (found == connections_.end()) return;
                       with_deadline_.push_back(found->second);
                       watch_deadlines();
                   },
                   [this](std::uint64_t id) {
                       // It is in the middle of a call: let go of it when that has ended.
                       const auto found = connections_.find(id);
                       if (found == connections_.end()) return;
                       boost::asio::post(context_, [last = std::move(found->second)] {});
                       connections_.erase(found);
                   },
                   [this] { return hub_.now(); }} {}

local_listener::~local_listener() { close(); }

void local_listener::start() {
    accepting_ = true;
    wait_for_client();
}

void local_listener::stop_accepting() {
    accepting_ = false;
    boost::system::error_code ignored;
    socket_.close(ignored);
    retry_.cancel();
}

void local_listener::close() {
    stop_accepting();
    deadline_timer_.cancel();
    const auto all = connections_;
    for (const auto& [id, each] : all) each->close();
}

void local_listener::wait_for_client() {
    if (!accepting_) return;
    socket_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                       [this](const boost::system::error_code& fault) {
                           if (!fault && accepting_) accept_some();
                       });
}

void local_listener::accept_some() {
    for (int i = 0; i < accepts_per_turn; ++i) {
        if (accept_one()) continue;
        const int fault = errno;
        if (fault == EINTR || fault == ECONNABORTED) continue;
        if (fault == EAGAIN) break;
        log_.limited(level::warning, "accept", "can't accept a client; raise LimitNOFILE or close programs",
                     {{"error", std::generic_category().message(fault)}});
        retry_.expires_after(accept_pause);
        retry_.async_wait([this](const boost::system::error_code& gone) {
            if (!gone) wait_for_client();
        });
        return;
    }
    wait_for_client();
}

bool local_listener::accept_one() {
    unique_fd client{::accept4(socket_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
    if (!client) return false;
    const auto limit = hub_.configuration().limits.connections;
    if (connections_.size() >= limit) {
        log_.limited(level::warning, "connections", "a client was refused: too many connections",
                     {{"limit", std::to_string(limit)}, {"setting", "limits.connections"}});
        refuse(std::move(client), mbus::errc::limit, "mbusd has as many connections as limits.connections allows");
        return true;
    }
    serve(std::move(client));
    return true;
}

void local_listener::serve(unique_fd client) {
    peer_identity peer;
    try {
        peer.user = identify_peer(client.get(), names_);
    } catch (const std::system_error& fault) {
        log_.limited(level::warning, "credentials", "a client was refused", {{"error", fault.what()}});
        return;
    }
    peer.rights = rights_of(peer.user);
    peer.user.groups = {};  // many connections, and the rights are all that they are for
    // A program with many connections makes them one after the other.
    const bool same = last_ && last_->user.pid == peer.user.pid && last_->user.uid == peer.user.uid &&
                      last_->user.name == peer.user.name && last_->rights == peer.rights;
    if (!same) last_ = std::make_shared<const peer_identity>(std::move(peer));
    auto connection = std::make_shared<local_connection>(environment_, std::move(client), last_);
    connections_.emplace(connection->id(), connection);
    with_deadline_.push_back(connection);
    connection->start();
    watch_deadlines();
}

std::shared_ptr<const granted_rights> local_listener::rights_of(const user_identity& user) {
    std::string key = std::to_string(user.uid);
    for (const auto& group : user.groups) key += ' ' + group;
    if (rights_.size() > rights_remembered_max) rights_.clear();
    auto& known = rights_[key];
    if (!known) known = std::make_shared<const granted_rights>(hub_.configuration().rights.granted_to(user));
    return known;
}

void local_listener::configuration_changed() {
    names_.clear();
    rights_.clear();
}

// One frame into the empty socket buffer always fits.
void local_listener::refuse(unique_fd client, mbus::errc code, std::string_view text) {
    std::string frame;
    const bool whole = mbus::mbws::frame_writer{frame, mbus::mbws::verb::error}
                           .set(mbus::mbws::key::code, mbus::to_string(code))
                           .set(mbus::mbws::key::text, text)
                           .finish();
    if (whole && ::send(client.get(), frame.data(), frame.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
        log_.debug("a refused client had gone already");
    }
}

void local_listener::watch_deadlines() {
    if (std::exchange(watching_, true)) return;
    deadline_timer_.expires_after(deadline_period);
    deadline_timer_.async_wait([this](const boost::system::error_code& gone) {
        watching_ = false;
        if (gone) return;
        const auto now = hub_.now();
        // What ends here says so through environment_.deadline, into the fresh list.
        for (const auto& each : std::exchange(with_deadline_, {})) {
            const auto connection = each.lock();
            if (!connection) continue;
            const bool was_finished = connection->finished();
            connection->advance(now);
            if (connection->has_deadline() && connection->finished() == was_finished) with_deadline_.push_back(each);
        }
        if (!with_deadline_.empty()) watch_deadlines();
    });
}

}  // namespace mbusd
