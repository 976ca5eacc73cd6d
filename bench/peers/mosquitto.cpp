// mosquitto with libmosquitto: its own network thread (mosquitto_loop_start), as mosquitto.h recommends for
// programs that do something else. QoS 0, or QoS 1 with the library's limit of messages under way raised.
#include <mosquitto.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "harness/scratch.hpp"
#include "peers/peers.hpp"

namespace bench {
namespace {

constexpr auto to_reader = "bench/reader";
constexpr auto to_caller = "bench/caller";
constexpr int keep_alive_seconds = 60;
constexpr int under_way = 1000;  // QoS 1; the default of 20 would measure waiting
// mosquitto drops QoS 0 messages of a client that has more than its socket takes.
constexpr std::size_t mosquitto_in_flight = 512;

void need(int result, const char* what) {
    if (result != MOSQ_ERR_SUCCESS) throw std::runtime_error(std::string{"mosquitto "} + what + ": " + mosquitto_strerror(result));
}

class mosquitto_participant final : public participant {
public:
    mosquitto_participant(std::uint16_t port, int quality, const seat& where)
        : where_(where), quality_(quality), body_(where.payload, 'x') {
        mosquitto_lib_init();
        client_ = mosquitto_new(nullptr, true, this);
        if (client_ == nullptr) throw std::runtime_error("mosquitto_new");
        mosquitto_message_callback_set(client_, &mosquitto_participant::came);
        mosquitto_subscribe_callback_set(client_, &mosquitto_participant::subscribed);
        (void)mosquitto_int_option(client_, MOSQ_OPT_TCP_NODELAY, 1);
        (void)mosquitto_int_option(client_, MOSQ_OPT_SEND_MAXIMUM, under_way);
        (void)mosquitto_int_option(client_, MOSQ_OPT_RECEIVE_MAXIMUM, under_way);
        need(mosquitto_connect(client_, "127.0.0.1", port, keep_alive_seconds), "connect");
        need(mosquitto_loop_start(client_), "thread");
        if (where.role == part::publisher) return;
        need(mosquitto_subscribe(client_, nullptr, where.role == part::caller ? to_caller : to_reader, quality), "subscribe");
        std::unique_lock lock{guard_};
        if (!changed_.wait_for(lock, std::chrono::seconds{10}, [this] { return ready_; })) throw std::runtime_error("mosquitto: no subscription");
    }

    void publish(std::size_t count) override {
        for (std::size_t index = 0; index < count; ++index) send(to_reader);
    }

    // Its own thread does the work.
    void serve(std::chrono::milliseconds time) override { std::this_thread::sleep_for(time); }

    bool call(std::chrono::milliseconds limit) override {
        std::unique_lock lock{guard_};
        const auto before = answers_;
        lock.unlock();
        send(to_reader);
        lock.lock();
        return changed_.wait_for(lock, limit, [&] { return answers_ != before; });
    }

private:
    void send(const char* topic) {
        need(mosquitto_publish(client_, nullptr, topic, static_cast<int>(body_.size()), body_.data(), quality_, false), "publish");
    }

    // In the library's thread.
    static void came(mosquitto*, void* context, const mosquitto_message*) {
        auto* const self = static_cast<mosquitto_participant*>(context);
        switch (self->where_.role) {
        case part::subscriber: self->where_.delivered->add(1); break;
        case part::echo: self->send(to_caller); break;
        default: {
            const std::lock_guard lock{self->guard_};
            ++self->answers_;
            self->changed_.notify_one();
        }
        }
    }
    static void subscribed(mosquitto*, void* context, int, int, const int*) {
        auto* const self = static_cast<mosquitto_participant*>(context);
        const std::lock_guard lock{self->guard_};
        self->ready_ = true;
        self->changed_.notify_one();
    }

    seat where_;
    int quality_;
    std::string body_;
    mosquitto* client_ = nullptr;
    std::mutex guard_;
    std::condition_variable changed_;
    bool ready_ = false;
    std::uint64_t answers_ = 0;
};

class mosquitto_subject final : public subject {
public:
    explicit mosquitto_subject(int quality)
        : quality_(quality),
          port_(free_port()),
          server_({.words = {find_program("mosquitto", "mosquitto"), "-c",
                             directory_.write("mosquitto.conf",
                                              "listener " + std::to_string(port_) +
                                                  " 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\nlog_type error\n"
                                                  "max_queued_messages 0\nmax_inflight_messages " +
                                                  std::to_string(under_way) + "\n")},
                   .log = directory_ / "mosquitto.log"}) {
        server_.await([this] { return accepts_tcp(port_); });
    }

    std::unique_ptr<participant> join(const seat& where) override {
        return std::make_unique<mosquitto_participant>(port_, quality_, where);
    }
    [[nodiscard]] std::vector<pid_t> servers() const override { return {server_.id()}; }
    [[nodiscard]] std::size_t in_flight() const override { return mosquitto_in_flight; }

private:
    scratch_directory directory_;
    int quality_;
    std::uint16_t port_;
    server_process server_;
};

}  // namespace

std::unique_ptr<subject> make_mosquitto(const subject_plan&, int quality) { return std::make_unique<mosquitto_subject>(quality); }

}  // namespace bench
