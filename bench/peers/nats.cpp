// nats-server with libnats. Subscriptions are asynchronous, publishing is buffered by the library, which
// flushes by itself; for round trips the option that flushes at once is on (natsOptions_SetSendAsap).
#include <nats/nats.h>

#include <memory>
#include <string>
#include <thread>

#include "harness/scratch.hpp"
#include "peers/peers.hpp"
#include "subjects/crowd.hpp"

namespace bench {
namespace {

constexpr auto to_reader = "bench.reader";
constexpr auto to_caller = "bench.caller";

void need(natsStatus status, const char* what) {
    if (status != NATS_OK)
        throw std::runtime_error(std::string{"NATS "} + what + ": " + natsStatus_GetText(status));
}

template <class T, void (*Destroy)(T*)>
struct destroyer {
    void operator()(T* which) const { Destroy(which); }
};
using connection = std::unique_ptr<natsConnection, destroyer<natsConnection, natsConnection_Destroy>>;
using subscription = std::unique_ptr<natsSubscription, destroyer<natsSubscription, natsSubscription_Destroy>>;

connection connect(const std::string& url, bool at_once) {
    natsOptions* options = nullptr;
    need(natsOptions_Create(&options), "options");
    natsOptions_SetURL(options, url.c_str());
    natsOptions_SetSendAsap(options, at_once);
    natsConnection* made = nullptr;
    const auto status = natsConnection_Connect(&made, options);
    natsOptions_Destroy(options);
    need(status, "connect");
    return connection{made};
}

class nats_participant final : public participant {
public:
    nats_participant(const std::string& url, const seat& where)
        : where_(where), connection_(connect(url, round_trip())), body_(where.payload, 'x') {
        natsSubscription* made = nullptr;
        if (where.role == part::subscriber) {
            need(natsConnection_Subscribe(&made, connection_.get(), to_reader, &nats_participant::came, this),
                 "subscribe");
        } else if (round_trip()) {
            const auto* subject = where.role == part::caller ? to_caller : to_reader;
            need(natsConnection_SubscribeSync(&made, connection_.get(), subject), "subscribe");
        }
        subscription_.reset(made);
        // The benchmark holds the publisher; nothing is to be dropped here.
        if (made != nullptr) need(natsSubscription_SetPendingLimits(made, -1, -1), "limits");
        need(natsConnection_Flush(connection_.get()), "flush");
    }

    void publish(std::size_t count) override {
        for (std::size_t index = 0; index < count; ++index) send(to_reader);
    }

    void serve(std::chrono::milliseconds time) override {
        if (where_.role != part::echo) return std::this_thread::sleep_for(time);
        while (receive(time)) send(to_caller);
    }

    bool call(std::chrono::milliseconds limit) override {
        send(to_reader);
        return receive(limit);
    }

private:
    [[nodiscard]] bool round_trip() const { return where_.role == part::caller || where_.role == part::echo; }

    void send(const char* subject) {
        need(natsConnection_Publish(connection_.get(), subject, body_.data(), static_cast<int>(body_.size())),
             "publish");
    }

    bool receive(std::chrono::milliseconds limit) {
        natsMsg* message = nullptr;
        const auto status = natsSubscription_NextMsg(&message, subscription_.get(), limit.count());
        natsMsg_Destroy(message);
        if (status == NATS_TIMEOUT) return false;
        need(status, "receive");
        return true;
    }

    // In the library's thread.
    static void came(natsConnection*, natsSubscription*, natsMsg* message, void* self) {
        static_cast<nats_participant*>(self)->where_.delivered->add(1);
        natsMsg_Destroy(message);
    }

    seat where_;
    connection connection_;
    subscription subscription_;
    std::string body_;
};

// A line of the text protocol that brings `payload` octets to the subscription 1.
std::size_t message_octets(std::size_t payload) {
    return std::string{"MSG "}.size() + std::string{to_reader}.size() + std::string{" 1 "}.size() +
           std::to_string(payload).size() + 2 + payload + 2;
}

class nats final : public subject {
public:
    explicit nats(bool websocket)
        : websocket_(websocket),
          port_(free_port()),
          websocket_port_(free_port()),
          server_({.words = {find_program("nats-server", "nats-server"), "-c",
                             directory_.write("nats.conf", "listen: \"127.0.0.1:" + std::to_string(port_) +
                                                               "\"\nwebsocket { listen: \"127.0.0.1:" +
                                                               std::to_string(websocket_port_) +
                                                               "\", no_tls: true }\n")},
                   .log = directory_ / "nats.log"}) {
        server_.await([this] { return accepts_tcp(port_) && accepts_tcp(websocket_port_); });
    }

    std::unique_ptr<participant> join(const seat& where) override {
        if (websocket_ && where.role == part::subscriber) {
            const stream_member how{.port = websocket_port_,
                                    .websocket = true,
                                    .target = "/",
                                    .greeting = "CONNECT {\"verbose\":false}\r\nSUB " +
                                                std::string{to_reader} + " 1\r\nPING\r\n",
                                    .welcome = "PONG\r\n",
                                    .message_octets = message_octets(where.payload)};
            return make_crowd(where, [how] { return make_stream_member(how); });
        }
        return std::make_unique<nats_participant>("nats://127.0.0.1:" + std::to_string(port_), where);
    }
    [[nodiscard]] std::vector<pid_t> servers() const override { return {server_.id()}; }
    [[nodiscard]] std::size_t in_flight() const override { return websocket_ ? 2048 : subject::in_flight(); }

private:
    scratch_directory directory_;
    bool websocket_;
    std::uint16_t port_;
    std::uint16_t websocket_port_;
    server_process server_;
};

}  // namespace

std::unique_ptr<subject> make_nats(const subject_plan&) { return std::make_unique<nats>(false); }
std::unique_ptr<subject> make_nats_websocket(const subject_plan&) { return std::make_unique<nats>(true); }

}  // namespace bench
