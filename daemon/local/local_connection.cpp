#include "local/local_connection.hpp"

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <utility>

namespace mbusd {
namespace {

using mbus::mbws::frame_reader;
using mbus::mbws::verdict;

// Pieces of one writev; more than 128 messages with shared bodies wait for the next turn.
constexpr std::size_t pieces_max = 256;

// What a Unix socket's buffer holds at most by default, a few times over.
constexpr int discards_max = 16;

}  // namespace

local_connection::local_connection(local_environment& environment, unique_fd socket,
                                   std::shared_ptr<const peer_identity> who)
    : environment_(environment),
      socket_(environment.context, socket.release()),
      id_(environment.hub.connections().add(std::move(who), this)),
      reader_(environment.hub.session_settings().frame_octets_max),
      connection_(*this, environment.hub, {.id = id_, .local = true, .addresses = mbus::mbws::addresses_of_client}, environment.now()) {
    use(environment.output);
    reader_.remember(mbus::mbws::addresses_of_client);
}

local_connection::~local_connection() { close(); }

void local_connection::start() { wait_readable(); }

void local_connection::close() {
    if (std::exchange(closed_, true)) return;
    if (auto* session = connection_.session()) environment_.hub.touch(*session);
    connection_.lost(environment_.now());
    boost::system::error_code ignored;
    socket_.close(ignored);
    // From here on nothing outside is touched: a handler may keep this object beyond its listener.
    environment_.hub.connections().remove(id_);
    environment_.ended(id_);
}

bool local_connection::has_deadline() noexcept {
    return !closed_ && (finished() || connection_.session() == nullptr);
}

void local_connection::advance(mbus::mbws::time_point now) {
    if (closed_) return;
    if (finished() && linger_until_ <= now) {
        close();
    } else if (connection_.next_deadline() <= now) {
        connection_.advance(now);
    }
}

// --- reading ------------------------------------------------------------------------------------

void local_connection::wait_readable() {
    if (closed_ || std::exchange(reading_, true)) return;
    socket_.async_wait(descriptor::wait_read,
                       [self = shared_from_this()](const boost::system::error_code& fault) {
                           self->reading_ = false;
                           if (!fault && !self->closed_) self->readable();
                       });
}

void local_connection::readable() {
    if (!connection_.closing() && !connection_.wants_input()) {
        paused_ = true;  // read_again() goes on
        return;
    }
    const auto buffer = environment_.read_buffer;
    const auto got = ::read(socket_.native_handle(), buffer.data(), buffer.size());
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
        close();
        return;
    }
    // After `error` or `close` what still comes is thrown away, so that the client can read our
    // last words before it hears of the end.
    if (got > 0 && !connection_.closing()) {
        turn_end::at_once now{environment_.turns.end()};
        reader_.feed({buffer.data(), static_cast<std::size_t>(got)});
        take_frames();
        now.finish(static_cast<std::size_t>(got) < small_read_octets);
    }
    if (!paused_) wait_readable();
}

void local_connection::take_frames() {
    const auto now = environment_.now();
    mbus::mbws::frame_view frame;
    std::optional<router::gather_scope> together{std::in_place, environment_.hub};
    while (!connection_.closing()) {
        if (!connection_.wants_input()) {
            reader_.keep();
            paused_ = true;
            break;
        }
        const auto status = reader_.next(frame);
        if (status == frame_reader::status::need_more) break;
        if (status == frame_reader::status::failed) {
            environment_.hub.count_malformed();
            connection_.fault(now, reader_.failure());
            break;
        }
        if (connection_.handle(now, frame) == verdict::closing) break;
    }
    together.reset();
    if (auto* session = connection_.session()) environment_.hub.touch(*session);
    wake();
}

// Must not call the session, so the rest waits for the end of the turn.
void local_connection::read_again() {
    resume_ = true;
    wake();
}

// --- writing ------------------------------------------------------------------------------------

void local_connection::finish(mbus::errc reason, std::string_view text) {
    stream_port::finish(reason, text);
    linger_until_ = environment_.now() + linger_patience;
    environment_.deadline(id_);
    wake();
}

void local_connection::end_of_turn() {
    if (closed_) return;
    const auto keep_alive = shared_from_this();
    if (std::exchange(resume_, false) && std::exchange(paused_, false)) {
        take_frames();
        if (!paused_) wait_readable();
    }
    connection_.fill(environment_.now());
    if (auto* session = connection_.session()) environment_.hub.touch(*session);
    if (!writing_) write();
    give_back();
}

// One piece is most, and cheaper to hand over than a list of one.
ssize_t local_connection::send(std::span<const mbus::mbws::octet_span> pieces) {
    constexpr int flags = MSG_NOSIGNAL | MSG_DONTWAIT;
    if (pieces.size() == 1) return ::send(socket_.native_handle(), pieces[0].data, pieces[0].size, flags);
    std::array<iovec, pieces_max> vectors;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled as far as used
    for (std::size_t i = 0; i < pieces.size(); ++i) vectors[i] = {const_cast<char*>(pieces[i].data), pieces[i].size};
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = pieces.size();
    return ::sendmsg(socket_.native_handle(), &message, flags);
}

void local_connection::write() {
    std::array<mbus::mbws::octet_span, pieces_max> pieces;
    const auto count = gather(pieces);
    if (count > 0) {
        const auto put = send({pieces.data(), count});
        if (put < 0 && errno != EAGAIN && errno != EINTR) {
            close();
            return;
        }
        if (put > 0) {
            consumed(static_cast<std::size_t>(put));
            // It made room for what waits in the session; nothing else would bring us back for that.
            connection_.fill(environment_.now());
        }
    }
    if (waiting() > 0) {
        wait_writable();
    } else if (finished()) {
        discard_input();
        close();
    }
}

// Input that is left unread would reach the client as a reset, before it has read our last words.
void local_connection::discard_input() {
    ::shutdown(socket_.native_handle(), SHUT_RDWR);
    const auto buffer = environment_.read_buffer;
    for (int i = 0; i < discards_max; ++i) {
        if (::read(socket_.native_handle(), buffer.data(), buffer.size()) <= 0) break;
    }
}

void local_connection::wait_writable() {
    if (closed_ || std::exchange(writing_, true)) return;
    socket_.async_wait(descriptor::wait_write,
                       [self = shared_from_this()](const boost::system::error_code& fault) {
                           self->writing_ = false;
                           if (!fault && !self->closed_) self->wake();
                       });
}

}  // namespace mbusd
