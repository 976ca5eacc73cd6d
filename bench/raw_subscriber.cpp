#include "raw_subscriber.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <utility>

#include "mbws/frame.hpp"
#include "websocket/frame.hpp"
#include "websocket/handshake.hpp"

namespace bench {
namespace {

namespace mbws = mbus::mbws;
namespace websocket = mbus::websocket;

constexpr std::size_t read_octets = std::size_t{256} * 1024;
constexpr std::uint32_t expiry_seconds = 60;

// All subscribers of a process read into one buffer.
std::vector<char>& buffer() {
    static std::vector<char> octets(read_octets);
    return octets;
}

[[noreturn]] void fail(const std::string& why) { throw std::runtime_error("a subscriber: " + why); }

}  // namespace

raw_subscriber::raw_subscriber(const subscription& how) : window_(how.window), received_(how.received), acknowledged_(how.received) {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    name.sin_port = htons(how.port);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) fail("can't connect to the gateway");
    const int on = 1;
    (void)::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    shake_hands(how);
    open_session(how);
}

raw_subscriber::~raw_subscriber() {
    if (socket_ >= 0) ::close(socket_);
}

raw_subscriber::raw_subscriber(raw_subscriber&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)),
      window_(other.window_),
      opened_(other.opened_),
      attached_(other.attached_),
      session_(std::move(other.session_)),
      messages_(other.messages_),
      message_octets_(other.message_octets_),
      missed_(other.missed_),
      received_(other.received_),
      acknowledged_(other.acknowledged_),
      begun_(std::move(other.begun_)) {}

void raw_subscriber::shake_hands(const subscription& how) {
    websocket::client_handshake opening{{.host = "127.0.0.1:" + std::to_string(how.port),
                                         .target = "/mbws",
                                         .subprotocol = "mbws",
                                         .extension = "mbws",
                                         .headers = {{"Authorization", "Bearer " + how.token}}},
                                        websocket::handshake_nonce{}};
    const auto& request = opening.request();
    if (::send(socket_, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) fail("send");
    auto status = websocket::client_handshake::status::need_more;
    while (status == websocket::client_handshake::status::need_more) {
        const auto got = ::recv(socket_, buffer().data(), 4096, 0);
        if (got <= 0) fail("the gateway closed the connection");
        status = opening.receive({buffer().data(), static_cast<std::size_t>(got)});
    }
    if (status == websocket::client_handshake::status::failed) fail(opening.failure());
    if (!opening.extension_accepted()) fail("the gateway declined the native binding");
    begun_ = opening.leftover();
}

void raw_subscriber::open_session(const subscription& how) {
    std::string connect;
    mbws::frame_writer writer{connect, mbws::verb::connect};
    writer.set(mbws::key::version, std::uint64_t{mbws::protocol_version}).set(mbws::key::window, std::uint64_t{how.window});
    writer.set(mbws::key::expiry, std::uint64_t{expiry_seconds});
    if (!how.session.empty()) writer.set(mbws::key::session, how.session).set(mbws::key::received, how.received);
    if (!writer.finish()) fail("connect");
    send(static_cast<unsigned>(websocket::opcode::binary), connect);
    attached_ = how.entity.empty();
    if (!attached_) {
        std::string attach;
        mbws::frame_writer request{attach, mbws::verb::attach};
        request.set(mbws::key::request, std::uint64_t{1}).set(mbws::key::entity, how.entity).set(mbws::key::policy, "block");
        if (!request.finish()) fail("attach");
        send(static_cast<unsigned>(websocket::opcode::binary), attach);
    }
    while (!opened_ || !attached_) fill();
    if (!how.session.empty() && session_ != how.session) fail("the session was not resumed");
}

// Waits for octets and takes them.
void raw_subscriber::fill() {
    pollfd ready{.fd = socket_, .events = POLLIN, .revents = 0};
    if (::poll(&ready, 1, 10'000) != 1) fail("nothing came for 10 s");
    if (!read()) fail("the gateway closed the connection");
}

void raw_subscriber::read_until(std::uint64_t messages) {
    while (messages_ < messages) fill();
}

bool raw_subscriber::read() {
    const auto got = ::recv(socket_, buffer().data(), buffer().size(), MSG_DONTWAIT);
    if (got == 0) return false;
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    std::string_view octets{buffer().data(), static_cast<std::size_t>(got)};
    if (begun_.empty()) {
        octets.remove_prefix(take(octets));
        begun_ = octets;
    } else {
        begun_.append(octets);
        begun_.erase(0, take(begun_));
    }
    if (begun_.empty() && begun_.capacity() > 1024) std::string{}.swap(begun_);
    if (received_ - acknowledged_ >= window_ / 4) acknowledge();
    return true;
}

// Whole frames from the front; how many octets they had.
std::size_t raw_subscriber::take(std::string_view octets) {
    std::size_t used = 0;
    while (octets.size() - used >= 2) {
        const auto head_octets = websocket::head_octets(octets.data() + used);
        if (octets.size() - used < head_octets) break;
        const auto head = websocket::read_head(octets.data() + used);
        const auto whole = head_octets + static_cast<std::size_t>(head.payload);
        if (octets.size() - used < whole) break;
        if (head.what == websocket::opcode::extension_data) message_octets_ += whole;
        handle(static_cast<unsigned>(head.what), octets.substr(used + head_octets, whole - head_octets));
        used += whole;
    }
    return used;
}

void raw_subscriber::handle(unsigned opcode, std::string_view frame) {
    if (opcode == static_cast<unsigned>(websocket::opcode::close)) {
        fail("the gateway closed: " + std::string{frame.substr(std::min<std::size_t>(2, frame.size()))});
    }
    if (frame.size() < mbws::frame_header_octets) fail("a frame that is too short");
    const auto head = mbws::read_frame_head(frame.data());
    if (head.number != 0 && opcode != static_cast<unsigned>(websocket::opcode::extension_control)) received_ = head.number;
    if (head.verb == mbws::verb::message) {
        ++messages_;
        return;
    }
    mbws::frame_view view;
    if (mbws::decode_frame(frame, view) != nullptr) fail("a bad frame");
    switch (head.verb) {
    case mbws::verb::connected:
        session_ = view.text(mbws::key::session);
        missed_ += view.integer(mbws::key::missed);
        opened_ = true;
        break;
    case mbws::verb::ok: attached_ = true; break;
    case mbws::verb::ping: {
        std::string pong;
        (void)mbws::frame_writer{pong, mbws::verb::pong}.finish(view.body);
        send(static_cast<unsigned>(websocket::opcode::extension_control), pong);
        break;
    }
    case mbws::verb::nak:
    case mbws::verb::error: fail(std::string{view.text(mbws::key::text)});
    default: break;
    }
}

void raw_subscriber::acknowledge() {
    std::string ack;
    (void)mbws::frame_writer{ack, mbws::verb::ack, 0, received_}.finish();
    send(static_cast<unsigned>(websocket::opcode::extension_control), ack);
    acknowledged_ = received_;
}

// Masked with zeros, which costs nothing and is legal.
void raw_subscriber::send(unsigned opcode, std::string_view frame) const {
    std::string octets;
    websocket::append_frame(octets, static_cast<websocket::opcode>(opcode), frame, websocket::mask_key{});
    if (::send(socket_, octets.data(), octets.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(octets.size())) fail("send");
}

}  // namespace bench
