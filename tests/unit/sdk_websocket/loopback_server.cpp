#include "unit/sdk_websocket/loopback_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <optional>

#include "mbws/websocket_port.hpp"
#include "websocket/handshake.hpp"

using namespace std::chrono_literals;
using steady = mbus::clock;
namespace mbws = mbus::mbws;

namespace {

constexpr auto patience = 30s;  // far more than anything here takes, also under sanitizers

std::string field(const std::string& request, std::string_view name) {
    const auto at = request.find("\r\n" + std::string{name} + ": ");
    if (at == std::string::npos) return {};
    const auto start = at + name.size() + 4;
    return request.substr(start, request.find("\r\n", start) - start);
}

class server_port final : public mbws::websocket_port {
public:
    void wake() override {}
    void read_again() override {}
};

}  // namespace

struct loopback_server::client {
    explicit client(int descriptor) : socket(descriptor) {}
    ~client() {
        if (broker) broker->lost(steady::now());
        if (socket >= 0) ::close(socket);
    }

    int socket;
    bool gone = false;
    std::string request;   // until the handshake is answered
    std::string output;    // before the WebSocket's own
    std::optional<mbws::websocket_input> input;
    server_port port;
    std::unique_ptr<mbws::broker_connection> broker;
};

loopback_server::loopback_server() {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t octets = sizeof name;
    REQUIRE(::bind(listener_, reinterpret_cast<const sockaddr*>(&name), octets) == 0);
    REQUIRE(::listen(listener_, 16) == 0);
    REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&name), &octets) == 0);
    port_ = ntohs(name.sin_port);
}

loopback_server::~loopback_server() {
    clients_.clear();
    ::close(listener_);
}

mbus::connect_options loopback_server::options() const {
    mbus::connect_options out;
    out.socket = url();
    out.name = "test";
    out.reconnect.first = 1ms;
    out.reconnect.most = 5ms;
    out.flush_limit = 100ms;
    return out;
}

void loopback_server::accept() {
    for (;;) {
        const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (socket < 0) return;
        clients_.push_back(std::make_unique<client>(socket));
    }
}

void loopback_server::turn() {
    accept();
    for (const auto& each : host.sessions) each->advance(steady::now());
    for (const auto& each : clients_) serve(*each);
    std::erase_if(clients_, [](const auto& each) { return each->gone; });
}

void loopback_server::run_until(mbus::connection& bus, const std::function<bool()>& done) {
    const auto end = steady::now() + patience;
    while (!done()) {
        REQUIRE(steady::now() < end);
        pollfd ready{.fd = bus.fd(), .events = POLLIN, .revents = 0};
        (void)::poll(&ready, 1, 1);
        if (ready.revents != 0) (void)bus.process();
        turn();
    }
}

void loopback_server::answer_handshake(client& one) {
    if (one.request.find("\r\n\r\n") == std::string::npos || !answers) return;
    requests.push_back(one.request);
    if (!refusal.empty()) {
        one.output = refusal;
        one.gone = true;
        return;
    }
    one.output = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Protocol: mbws\r\nSec-WebSocket-Accept: " +
                 mbus::websocket::accept_key(field(one.request, "Sec-WebSocket-Key")) + "\r\n";
    if (offers_native) one.output += "Sec-WebSocket-Extensions: mbws\r\n";
    one.output += "\r\n";
    one.input.emplace(mbws::websocket_input::rules{.native = offers_native});
    one.port.set_binding(offers_native ? mbws::binding::native : mbws::binding::binary);
    one.broker = std::make_unique<mbws::broker_connection>(one.port, host, mbws::connection_info{1, false}, steady::now());
}

void loopback_server::take_frames(client& one) {
    using status = mbws::websocket_input::status;
    mbws::frame_view frame;
    for (;;) {
        switch (one.input->next(frame)) {
        case status::need_more: return;
        case status::ping: one.port.pong(one.input->payload()); break;
        case status::pong: pongs.emplace_back(one.input->payload()); break;
        case status::closed: one.gone = true; return;
        case status::failed: FAIL(one.input->failure().text); return;
        case status::frame:
            last_binding = one.input->last_binding();
            if (one.broker->handle(steady::now(), frame) == mbws::verdict::closing) return;
        }
    }
}

void loopback_server::serve(client& one) {
    std::array<char, 16384> octets;
    const auto got = ::recv(one.socket, octets.data(), octets.size(), 0);
    if (got == 0 || (got < 0 && errno != EAGAIN)) one.gone = true;
    const auto count = got > 0 ? static_cast<std::size_t>(got) : 0;
    if (!one.input) {
        one.request.append(octets.data(), count);
        answer_handshake(one);
    } else if (count > 0) {
        one.input->feed({octets.data(), count});
        take_frames(one);
    }
    if (!one.output.empty()) {
        (void)::send(one.socket, one.output.data(), one.output.size(), MSG_NOSIGNAL);
        one.output.clear();
    }
    if (!one.broker) return;
    one.broker->fill(steady::now());
    for (auto left = write_octets_max; left > 0 && one.port.waiting() > 0;) {
        std::array<mbws::octet_span, 1> piece;
        if (one.port.gather(piece) == 0) break;
        const auto put = ::send(one.socket, piece[0].data, std::min(piece[0].size, left), MSG_NOSIGNAL);
        if (put <= 0) break;
        one.port.consumed(static_cast<std::size_t>(put));
        left -= static_cast<std::size_t>(put);
    }
    if (one.port.finished() && one.port.waiting() == 0) one.gone = true;
}

void loopback_server::deliver(std::string_view body) {
    const auto ready = preparer_.prepare({.to = "()", .from = "(app:server id:9-9@10.0.0.9)", .body = body});
    host.sessions.back()->offer(steady::now(), ready, {.slot = 0});
}

void loopback_server::cut() {
    for (const auto& each : clients_) {
        const linger at_once{.l_onoff = 1, .l_linger = 0};
        (void)::setsockopt(each->socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    clients_.clear();
}

void loopback_server::ping(std::string_view payload) {
    std::string frame;
    mbus::websocket::append_frame(frame, mbus::websocket::opcode::ping, payload);
    write_raw(frame);
}

void loopback_server::write_raw(std::string_view octets) {
    for (const auto& each : clients_) (void)::send(each->socket, octets.data(), octets.size(), MSG_NOSIGNAL);
}
