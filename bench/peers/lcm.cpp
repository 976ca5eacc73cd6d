// LCM over UDP multicast. It has no flow control, so few messages may be under way: what its socket takes.
#include <lcm/lcm.h>

#include <string>
#include <thread>

#include "peers/peers.hpp"

namespace bench {
namespace {

constexpr auto to_reader = "BENCH_READER";
constexpr auto to_caller = "BENCH_CALLER";
constexpr auto provider = "udpm://239.255.76.67:7667?ttl=1&recv_buf_size=2097152";
constexpr std::size_t lcm_in_flight = 512;

class lcm_participant final : public participant {
public:
    explicit lcm_participant(const seat& where)
        : where_(where), body_(where.payload, 'x'), lcm_(lcm_create(provider)) {
        if (lcm_ == nullptr) throw std::runtime_error("LCM does not start");
        if (where.role == part::publisher) return;
        auto* const all = lcm_subscribe(lcm_, where.role == part::caller ? to_caller : to_reader,
                                        &lcm_participant::came, this);
        // Of the library's 30 messages that wait for the handler, a burst would lose half.
        lcm_subscription_set_queue_capacity(all, 0);
    }
    ~lcm_participant() override { lcm_destroy(lcm_); }

    void publish(std::size_t count) override {
        for (std::size_t index = 0; index < count; ++index) send(to_reader);
    }

    void serve(std::chrono::milliseconds time) override {
        if (where_.role == part::publisher) return std::this_thread::sleep_for(time);
        (void)lcm_handle_timeout(lcm_, static_cast<int>(time.count()));
    }

    bool call(std::chrono::milliseconds limit) override {
        send(to_reader);
        const auto before = came_;
        return lcm_handle_timeout(lcm_, static_cast<int>(limit.count())) > 0 && came_ != before;
    }

private:
    void send(const char* channel) {
        if (lcm_publish(lcm_, channel, body_.data(), static_cast<unsigned>(body_.size())) != 0)
            throw std::runtime_error("lcm_publish");
    }
    static void came(const lcm_recv_buf_t*, const char*, void* self) {
        auto* const me = static_cast<lcm_participant*>(self);
        ++me->came_;
        if (me->where_.role == part::subscriber) me->where_.delivered->add(1);
        if (me->where_.role == part::echo) me->send(to_caller);
    }

    seat where_;
    std::string body_;
    lcm_t* lcm_;
    std::uint64_t came_ = 0;
};

class lcm final : public subject {
public:
    std::unique_ptr<participant> join(const seat& where) override {
        return std::make_unique<lcm_participant>(where);
    }
    [[nodiscard]] std::size_t in_flight() const override { return lcm_in_flight; }
};

}  // namespace

std::unique_ptr<subject> make_lcm(const subject_plan&) { return std::make_unique<lcm>(); }

}  // namespace bench
