#include "subjects/udp_floor.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "harness/receiving_participant.hpp"
#include "subjects/relay.hpp"
#include "subjects/udp_group.hpp"

namespace bench {
namespace {

constexpr std::size_t datagrams_in_flight = 2048;

// Messages of the application's size with a header's worth, as in the relay of octets.
std::size_t message_octets(std::size_t payload) { return payload + relay_header_octets; }

class direct_participant final : public receiving_participant {
public:
    direct_participant(const seat& where, const udp_floor_use& use)
        : receiving_participant(where),
          group_(host_of(where.role) == 0 ? side::first : side::second, message_octets(where.payload),
                 use.segmented),
          block_(message_octets(where.payload) * 64, 'x') {}

    void publish(std::size_t count) override {
        group_.send({block_.data(), count * message_octets(where().payload)});
    }

private:
    std::size_t receive(std::chrono::milliseconds limit) override {
        return group_.receive(limit, [](std::string_view) {});
    }

    udp_group group_;
    std::string block_;
};

class direct_floor final : public subject {
public:
    explicit direct_floor(const udp_floor_use& use) : use_(use) {}
    std::unique_ptr<participant> join(const seat& where) override {
        return std::make_unique<direct_participant>(where, use_);
    }
    [[nodiscard]] std::size_t in_flight() const override { return datagrams_in_flight; }

private:
    udp_floor_use use_;
};

// A relay between one Unix stream and the group, on each host.
class relay_pair final : public subject {
public:
    relay_pair(const subject_plan& plan, const udp_floor_use& use, const std::shared_ptr<network>& where)
        : message_(message_octets(plan.payload)) {
        for (std::size_t host = 0; host < 2; ++host)
            if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, streams_.at(host).data()) != 0)
                throw std::runtime_error("socketpair");
        for (std::size_t host = 0; host < 2; ++host)
            processes_.push_back(people_.hire("relay", [this, use, where, host] {
                where->enter(host);
                relay(host, use.segmented);
            }));
    }
    ~relay_pair() override {
        for (const auto& each : streams_)
            for (const int end : each) ::close(end);
    }
    relay_pair(const relay_pair&) = delete;
    relay_pair& operator=(const relay_pair&) = delete;

    std::unique_ptr<participant> join(const seat& where) override {
        return make_stream_participant(streams_.at(host_of(where.role))[0], where);
    }
    [[nodiscard]] std::vector<pid_t> servers() const override { return processes_; }
    [[nodiscard]] std::size_t in_flight() const override { return datagrams_in_flight; }

private:
    [[noreturn]] void relay(std::size_t host, bool segmented) const {
        const int stream = streams_.at(host)[1];
        udp_group group{host == 0 ? side::first : side::second, message_, segmented};
        std::vector<char> buffer(message_ * 640);
        std::string out;
        std::size_t begun = 0;
        std::array<pollfd, 2> ready{pollfd{stream, POLLIN, 0}, pollfd{group.socket(), POLLIN, 0}};
        while (true) {
            if (::poll(ready.data(), ready.size(), -1) < 0) throw std::runtime_error("poll");
            if ((ready[0].revents & POLLIN) != 0) {
                const auto got = ::read(stream, buffer.data() + begun, buffer.size() - begun);
                if (got <= 0) throw std::runtime_error("a stream of the relay ended");
                begun += static_cast<std::size_t>(got);
                const auto whole = begun / message_ * message_;
                group.send({buffer.data(), whole});
                std::copy(buffer.begin() + static_cast<std::ptrdiff_t>(whole),
                          buffer.begin() + static_cast<std::ptrdiff_t>(begun), buffer.begin());
                begun -= whole;
            }
            if ((ready[1].revents & POLLIN) != 0) {
                out.clear();
                (void)group.receive(std::chrono::milliseconds{0},
                                    [&](std::string_view message) { out.append(message); });
                write_whole(stream, out.data(), out.size());
            }
        }
    }

    std::size_t message_;
    std::array<std::array<int, 2>, 2> streams_{};
    crew people_;
    std::vector<pid_t> processes_;
};

}  // namespace

std::unique_ptr<subject> make_udp_floor(const subject_plan& plan, const udp_floor_use& use) {
    auto where = std::make_shared<network>(use.where);
    // The relays are in the network, their participants need not be.
    if (use.relays) return std::make_unique<relay_pair>(plan, use, where);
    auto direct = std::make_unique<direct_floor>(use);
    return on_network(std::move(where), std::move(direct));
}

}  // namespace bench
