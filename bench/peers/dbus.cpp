// D-Bus with sd-bus: signals to subscribers that match them, method calls for round trips. The publisher flushes once
// after each burst, as sd_bus_flush(3) says for programs without an event loop.
#include <systemd/sd-bus.h>

#include <cstring>
#include <string>

#include "peers/dbus_server.hpp"
#include "peers/peers.hpp"

namespace bench {
namespace {

constexpr auto path = "/org/mbus/bench";
constexpr auto interface = "org.mbus.Bench";
constexpr auto echo_name = "org.mbus.Bench.Echo";
// The buses disconnect receivers that have too much before them.
constexpr std::size_t dbus_in_flight = 2048;

int need(int result, const char* what) {
    if (result < 0) throw std::runtime_error(std::string{"D-Bus "} + what + ": " + std::strerror(-result));
    return result;
}

sd_bus* connect(const std::string& address) {
    sd_bus* bus = nullptr;
    need(sd_bus_new(&bus), "bus");
    need(sd_bus_set_address(bus, address.c_str()), "address");
    need(sd_bus_set_bus_client(bus, 1), "client");
    need(sd_bus_start(bus), "connect");
    return bus;
}

class dbus_participant final : public participant {
public:
    dbus_participant(const std::string& address, const seat& where)
        : where_(where), bus_(connect(address)), body_(where.payload, 'x') {
        if (where.role == part::subscriber)
            need(sd_bus_match_signal(bus_, nullptr, nullptr, path, interface, "Message",
                                     &dbus_participant::came, this),
                 "match");
        if (where.role == part::echo) {
            need(sd_bus_add_object(bus_, nullptr, path, &dbus_participant::called, this), "object");
            need(sd_bus_request_name(bus_, echo_name, 0), "name");
        }
        need(sd_bus_flush(bus_), "flush");
    }
    ~dbus_participant() override { sd_bus_flush_close_unref(bus_); }

    void publish(std::size_t count) override {
        for (std::size_t index = 0; index < count; ++index)
            need(sd_bus_emit_signal(bus_, path, interface, "Message", "s", body_.c_str()), "signal");
        need(sd_bus_flush(bus_), "flush");
    }

    void serve(std::chrono::milliseconds time) override {
        int worked = 0;
        while ((worked = need(sd_bus_process(bus_, nullptr), "process")) > 0) {}
        if (time.count() > 0)
            need(sd_bus_wait(bus_, static_cast<std::uint64_t>(std::chrono::microseconds{time}.count())),
                 "wait");
    }

    bool call(std::chrono::milliseconds limit) override {
        sd_bus_message* request = nullptr;
        sd_bus_message* answer = nullptr;
        need(sd_bus_message_new_method_call(bus_, &request, echo_name, path, interface, "Call"), "call");
        need(sd_bus_message_append(request, "s", body_.c_str()), "append");
        const int result =
            sd_bus_call(bus_, request, static_cast<std::uint64_t>(std::chrono::microseconds{limit}.count()),
                        nullptr, &answer);
        sd_bus_message_unref(request);
        sd_bus_message_unref(answer);
        return result >= 0;
    }

private:
    static int came(sd_bus_message*, void* self, sd_bus_error*) {
        static_cast<dbus_participant*>(self)->where_.delivered->add(1);
        return 0;
    }
    static int called(sd_bus_message* request, void* self, sd_bus_error*) {
        return sd_bus_reply_method_return(request, "s", static_cast<dbus_participant*>(self)->body_.c_str());
    }

    seat where_;
    sd_bus* bus_;
    std::string body_;
};

class dbus final : public subject {
public:
    explicit dbus(std::unique_ptr<dbus_server> server) : server_(std::move(server)) {}

    std::unique_ptr<participant> join(const seat& where) override {
        return std::make_unique<dbus_participant>(server_->address(), where);
    }
    [[nodiscard]] std::vector<pid_t> servers() const override { return {server_->id()}; }
    [[nodiscard]] std::size_t in_flight() const override { return dbus_in_flight; }

private:
    std::unique_ptr<dbus_server> server_;
};

}  // namespace

std::unique_ptr<subject> make_dbus_broker(const subject_plan&) {
    return std::make_unique<dbus>(start_dbus_broker());
}
std::unique_ptr<subject> make_dbus_daemon(const subject_plan&) {
    return std::make_unique<dbus>(start_dbus_daemon());
}

}  // namespace bench
