#include "subjects/crowd.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "websocket/frame.hpp"
#include "websocket/handshake.hpp"

namespace bench {
namespace {

namespace websocket = mbus::websocket;

constexpr std::size_t read_octets = std::size_t{256} * 1024;

// All connections of a process read into one buffer.
std::vector<char>& buffer() {
    static std::vector<char> octets(read_octets);
    return octets;
}

class crowd final : public participant {
public:
    crowd(const seat& where, const member_maker& make)
        : where_(where), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
        for (std::size_t index = 0; index < crowd_connections; ++index) members_.push_back(make());
        for (const auto& each : members_) each->finish_handshake();
        for (const auto& each : members_) each->await_welcome();
        for (std::size_t index = 0; index < crowd_connections; ++index) {
            epoll_event event{};
            event.events = EPOLLIN;
            event.data.u64 = index;
            if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, members_[index]->socket(), &event) != 0)
                throw std::runtime_error("epoll_ctl");
        }
    }
    ~crowd() override { ::close(epoll_); }
    crowd(const crowd&) = delete;
    crowd& operator=(const crowd&) = delete;

    void publish(std::size_t) override { throw std::logic_error("a crowd only listens"); }
    bool call(std::chrono::milliseconds) override { throw std::logic_error("a crowd only listens"); }

    void serve(std::chrono::milliseconds time) override {
        std::array<epoll_event, 128> events;
        const int ready = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()),
                                       static_cast<int>(time.count()));
        for (int index = 0; index < ready; ++index)
            counted_ += members_[events[static_cast<std::size_t>(index)].data.u64]->read();
        where_.delivered->add(counted_ / members_.size());
        counted_ %= members_.size();
    }

private:
    seat where_;
    int epoll_;
    std::vector<std::unique_ptr<crowd_member>> members_;
    std::uint64_t counted_ = 0;
};

class octet_member final : public crowd_member {
public:
    explicit octet_member(const stream_member& how)
        : how_(how),
          opening_({.host = "127.0.0.1:" + std::to_string(how.port),
                    .target = how.target,
                    .subprotocol = how.subprotocol},
                   {}),
          socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in name{};
        name.sin_family = AF_INET;
        name.sin_port = htons(how.port);
        name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(socket_, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0)
            throw std::runtime_error("a subscriber can't connect");
        const int on = 1;
        (void)::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (how.websocket) send_all(opening_.request());
    }
    ~octet_member() override { ::close(socket_); }
    octet_member(const octet_member&) = delete;
    octet_member& operator=(const octet_member&) = delete;

    void finish_handshake() override {
        if (how_.websocket) {
            auto status = websocket::client_handshake::status::need_more;
            while (status == websocket::client_handshake::status::need_more)
                status = opening_.receive(receive_some());
            if (status == websocket::client_handshake::status::failed)
                throw std::runtime_error(opening_.failure());
            take(opening_.leftover(), &welcome_);
        }
        if (how_.greeting.empty()) return;
        std::string octets;
        // Masked with zeros, which costs nothing and is legal.
        if (how_.websocket)
            websocket::append_frame(octets, websocket::opcode::binary, how_.greeting, websocket::mask_key{});
        else
            octets = how_.greeting;
        send_all(octets);
    }

    void await_welcome() override {
        while (!welcome_.ends_with(how_.welcome)) take(receive_some(), &welcome_);
        payload_ = 0;
    }

    [[nodiscard]] int socket() const override { return socket_; }

    std::uint64_t read() override {
        const auto got = ::recv(socket_, buffer().data(), buffer().size(), MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
        if (got <= 0) throw std::runtime_error("a subscriber's connection ended");
        take({buffer().data(), static_cast<std::size_t>(got)}, nullptr);
        const auto whole = payload_ / how_.message_octets;
        payload_ %= how_.message_octets;
        return whole;
    }

private:
    std::string receive_some() const {
        std::array<char, 4096> some{};
        const auto got = ::recv(socket_, some.data(), some.size(), 0);
        if (got <= 0) throw std::runtime_error("a server closed the connection of a subscriber");
        return {some.data(), static_cast<std::size_t>(got)};
    }

    void send_all(const std::string& octets) const {
        if (::send(socket_, octets.data(), octets.size(), MSG_NOSIGNAL) !=
            static_cast<ssize_t>(octets.size()))
            throw std::runtime_error("send");
    }

    // Counts the payload; a head of a frame may be cut anywhere.
    void take(std::string_view octets, std::string* copy) {
        if (!how_.websocket) {
            payload_ += octets.size();
            if (copy != nullptr) copy->append(octets);
            return;
        }
        while (!octets.empty()) {
            if (frame_left_ > 0) {
                const auto part = std::min<std::uint64_t>(frame_left_, octets.size());
                payload_ += part;
                if (copy != nullptr) copy->append(octets.substr(0, part));
                frame_left_ -= part;
                octets.remove_prefix(part);
                continue;
            }
            begun_.push_back(octets.front());
            octets.remove_prefix(1);
            if (begun_.size() < 2 || begun_.size() < websocket::head_octets(begun_.data())) continue;
            frame_left_ = websocket::read_head(begun_.data()).payload;
            begun_.clear();
        }
    }

    stream_member how_;
    websocket::client_handshake opening_;
    int socket_;
    std::string welcome_;
    std::string begun_;             // a head that is not whole yet
    std::uint64_t frame_left_ = 0;  // payload of the frame that is being read
    std::uint64_t payload_ = 0;     // not counted yet
};

}  // namespace

std::unique_ptr<participant> make_crowd(const seat& where, const member_maker& make) {
    return std::make_unique<crowd>(where, make);
}
std::unique_ptr<crowd_member> make_stream_member(const stream_member& how) {
    return std::make_unique<octet_member>(how);
}

}  // namespace bench
