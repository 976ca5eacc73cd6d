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
#include "subjects/crowd.hpp"

namespace bench {
namespace {

constexpr auto to_reader = "bench/reader";
constexpr auto to_caller = "bench/caller";
constexpr int keep_alive_seconds = 60;
constexpr int under_way = 1000;  // QoS 1; the default of 20 would measure waiting
// mosquitto drops QoS 0 messages of a client that has more than its socket takes.
constexpr std::size_t mosquitto_in_flight = 512;

void need(int result, const char* what) {
    if (result != MOSQ_ERR_SUCCESS)
        throw std::runtime_error(std::string{"mosquitto "} + what + ": " + mosquitto_strerror(result));
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
        need(mosquitto_subscribe(client_, nullptr, where.role == part::caller ? to_caller : to_reader,
                                 quality),
             "subscribe");
        std::unique_lock lock{guard_};
        if (!changed_.wait_for(lock, std::chrono::seconds{10}, [this] { return ready_; }))
            throw std::runtime_error("mosquitto: no subscription");
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
        need(mosquitto_publish(client_, nullptr, topic, static_cast<int>(body_.size()), body_.data(),
                               quality_, false),
             "publish");
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

// MQTT 3.1.1 by hand, for subscribers that only count: CONNECT with a clean session, SUBSCRIBE with QoS 0.
std::string packet(char type, const std::string& rest) {
    return std::string{type} + static_cast<char>(rest.size()) +
           rest;  // what is sent here has fewer than 128 octets
}
std::string text(const std::string& octets) {
    return std::string{static_cast<char>(octets.size() >> 8), static_cast<char>(octets.size() & 0xFF)} +
           octets;
}
std::string greeting(std::size_t number) {
    using namespace std::string_literals;
    return packet('\x10', text("MQTT") + "\x04\x02\x00\x00"s + text("bench" + std::to_string(number))) +
           packet('\x82', "\x00\x01"s + text(to_reader) + "\x00"s);
}
// PUBLISH with QoS 0: type, length, topic, payload.
std::size_t message_octets(std::size_t payload) {
    const auto rest = 2 + std::string{to_reader}.size() + payload;
    return 1 + (rest < 128 ? 1U : 2U) + rest;
}

class mosquitto_subject final : public subject {
public:
    explicit mosquitto_subject(int quality, bool websocket = false)
        : quality_(quality),
          websocket_(websocket),
          port_(free_port()),
          websocket_port_(free_port()),
          server_(
              {.words = {find_program("mosquitto", "mosquitto"), "-c",
                         directory_.write(
                             "mosquitto.conf",
                             "listener " + std::to_string(port_) +
                                 " 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\nlog_type error\n"
                                 "max_queued_messages 0\nmax_inflight_messages " +
                                 std::to_string(under_way) + "\nlistener " + std::to_string(websocket_port_) +
                                 " 127.0.0.1\nprotocol websockets\n")},
               .log = directory_ / "mosquitto.log"}) {
        server_.await([this] { return accepts_tcp(port_) && accepts_tcp(websocket_port_); });
    }

    std::unique_ptr<participant> join(const seat& where) override {
        if (websocket_ && where.role == part::subscriber) {
            stream_member how{.port = websocket_port_,
                              .websocket = true,
                              .target = "/mqtt",
                              .subprotocol = "mqtt",
                              .welcome = std::string("\x90\x03\x00\x01\x00", 5),  // SUBACK
                              .message_octets = message_octets(where.payload)};
            return make_crowd(where, [how, number = std::size_t{0}]() mutable {
                how.greeting = greeting(++number);
                return make_stream_member(how);
            });
        }
        return std::make_unique<mosquitto_participant>(port_, quality_, where);
    }
    [[nodiscard]] std::vector<pid_t> servers() const override { return {server_.id()}; }
    [[nodiscard]] std::size_t in_flight() const override { return mosquitto_in_flight; }

private:
    scratch_directory directory_;
    int quality_;
    bool websocket_;
    std::uint16_t port_;
    std::uint16_t websocket_port_;
    server_process server_;
};

}  // namespace

std::unique_ptr<subject> make_mosquitto(const subject_plan&, int quality) {
    return std::make_unique<mosquitto_subject>(quality);
}
std::unique_ptr<subject> make_mosquitto_websocket(const subject_plan&) {
    return std::make_unique<mosquitto_subject>(0, true);
}

}  // namespace bench
