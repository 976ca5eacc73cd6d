// One sender on the Unix socket to a crowd of WebSocket subscribers of mbusd, and the relay beside it.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "harness/crew.hpp"
#include "raw_subscriber.hpp"
#include "subjects/crowd.hpp"
#include "subjects/mbusd.hpp"
#include "subjects/mbusd_process.hpp"
#include "subjects/relay.hpp"

namespace bench {
namespace {

constexpr std::uint32_t subscriber_window = 256;
// What a message of the native binding has beside its body: heads of frame and message, the sender's address.
constexpr std::size_t websocket_header_octets = 80;

class mbus_member final : public crowd_member {
public:
    explicit mbus_member(const subscription& how) : reader_(how) {}
    [[nodiscard]] int socket() const override { return reader_.socket(); }
    std::uint64_t read() override {
        const auto before = reader_.messages();
        if (!reader_.read()) throw std::runtime_error("a subscriber's connection ended");
        return reader_.messages() - before;
    }

private:
    raw_subscriber reader_;
};

class mbusd_websocket final : public subject {
public:
    explicit mbusd_websocket(const subject_plan& plan)
        : port_(free_port()),
          daemon_({.gateway_port = port_, .count_allocations = plan.counted}),
          token_(daemon_.add_client("bench")) {}

    std::unique_ptr<participant> join(const seat& where) override {
        if (where.role != part::subscriber)
            return make_mbus_participant(daemon_.socket(), where, {.full_address = false});
        const subscription how{.port = port_,
                               .token = token_,
                               .entity = std::string{reader_address},
                               .window = subscriber_window};
        return make_crowd(where, [how] { return std::make_unique<mbus_member>(how); });
    }
    [[nodiscard]] std::vector<pid_t> servers() const override { return {daemon_.id()}; }
    [[nodiscard]] std::optional<std::uint64_t> allocations() const override { return daemon_.allocations(); }
    // The daemon holds the sender itself.
    [[nodiscard]] std::size_t in_flight() const override { return 2048; }

private:
    std::uint16_t port_;
    mbusd_process daemon_;
    std::string token_;
};

int listen_on_loopback(std::uint16_t port) {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(port);
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(listener, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0 ||
        ::listen(listener, SOMAXCONN) != 0)
        throw std::runtime_error("listen");
    return listener;
}

class tcp_relay final : public subject {
public:
    explicit tcp_relay(const subject_plan& plan)
        : message_(plan.payload + websocket_header_octets),
          port_(free_port()),
          listener_(listen_on_loopback(port_)) {
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in_.data()) != 0)
            throw std::runtime_error("socketpair");
        process_.push_back(people_.hire("relay", [this] { relay(); }));
    }
    ~tcp_relay() override {
        for (const int each : {listener_, in_[0], in_[1]}) ::close(each);
    }
    tcp_relay(const tcp_relay&) = delete;
    tcp_relay& operator=(const tcp_relay&) = delete;

    std::unique_ptr<participant> join(const seat& where) override {
        if (where.role == part::subscriber)
            return make_crowd(where, [how = stream_member{.port = port_, .message_octets = message_}] {
                return make_stream_member(how);
            });
        auto sender = where;
        sender.payload = message_ - relay_header_octets;
        return make_stream_participant(in_[0], sender);
    }
    [[nodiscard]] std::vector<pid_t> servers() const override { return process_; }
    [[nodiscard]] std::size_t in_flight() const override { return 2048; }

private:
    [[noreturn]] void relay() const {
        std::vector<int> readers;
        while (readers.size() < crowd_connections) {
            const int one = ::accept(listener_, nullptr, nullptr);
            const int on = 1;
            (void)::setsockopt(one, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            readers.push_back(one);
        }
        std::vector<char> octets(std::size_t{64} * 1024);
        while (true) {
            const auto got = ::read(in_[1], octets.data(), octets.size());
            if (got <= 0) throw std::runtime_error("the relay's stream ended");
            for (const int each : readers) write_whole(each, octets.data(), static_cast<std::size_t>(got));
        }
    }

    std::size_t message_;
    std::uint16_t port_;
    int listener_;
    std::array<int, 2> in_{};
    crew people_;
    std::vector<pid_t> process_;
};

}  // namespace

std::unique_ptr<subject> make_tcp_relay(const subject_plan& plan) {
    return std::make_unique<tcp_relay>(plan);
}
std::unique_ptr<subject> make_mbusd_websocket(const subject_plan& plan) {
    return std::make_unique<mbusd_websocket>(plan);
}

}  // namespace bench
