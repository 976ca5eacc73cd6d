#include <deque>
#include <string>
#include <thread>

#include <mbus/mbus.hpp>
#include <mbus/websocket.hpp>

#include "subjects/mbusd.hpp"

namespace bench {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view caller_address = "(app:bench part:caller)";
constexpr std::string_view command_head = "bench.text(\"";
constexpr std::string_view command_tail = "\")";
// Reliable messages of one publisher without their outcome: what the receiver's queue always takes.
constexpr std::size_t reliable_under_way = 256;

template <class T>
T need(mbus::result<T> from, const char* what) {
    if (!from) throw std::runtime_error(std::string{what} + ": " + describe(from.error()));
    return std::move(*from);
}

mbus::connection connect(const std::string& socket, const mbusd_use& use) {
    mbus::connect_options how;
    how.socket = socket;
    how.token = use.token;
    how.window = use.window;
    if (use.window > 0) how.expiry = 10s;
    return need(mbus::connection::connect(how), "connect");
}

class mbus_participant final : public participant {
public:
    mbus_participant(const std::string& socket, const seat& where, const mbusd_use& use)
        : where_(where),
          use_(use),
          connection_(connect(socket, use)),
          me_(need(
              connection_.attach(address_of(where.role), {.policy = mbus::slow_reader_policy::block}).wait(),
              "attach")),
          body_(std::string{command_head} +
                std::string(where.payload - command_head.size() - command_tail.size(), 'x') +
                std::string{command_tail}) {
        switch (where.role) {
        case part::publisher:
        case part::caller: to_ = destination(); break;
        case part::subscriber:
            me_.on_message([this](const auto& message) { where_.delivered->add(commands_in(message)); });
            break;
        case part::echo:
            me_.on_message([this](const auto& message) { (void)me_.send(message.from, message.body); });
            break;
        }
    }

    void publish(std::size_t count) override {
        {
            const auto together = connection_.batch();
            for (std::size_t index = 0; index < count; ++index) {
                if (use_.reliable)
                    send_reliably();
                else
                    send();
            }
        }
        // Acknowledgements are read, as a loop does once in a turn.
        if (use_.window > 0) run_once();
    }

    // A publisher that has to wait also waits for the daemon to take what the library still holds.
    void serve(std::chrono::milliseconds time) override {
        if (time == 0ms) {
            run_once();
            if (where_.role == part::publisher) (void)connection_.flush(1ms);
            return;
        }
        if (auto ran = connection_.run_for(time); !ran) throw std::runtime_error(describe(ran.error()));
    }

    bool call(std::chrono::milliseconds limit) override {
        send();
        return static_cast<bool>(me_.receive(limit));
    }

private:
    static std::string_view address_of(part role) {
        if (role == part::publisher) return "(app:bench part:publisher)";
        return role == part::caller ? caller_address : reader_address;
    }

    void run_once() {
        if (auto ran = connection_.process(); !ran) throw std::runtime_error(describe(ran.error()));
    }

    // Several messages to one destination may travel as one, each a line.
    static std::uint64_t commands_in(const mbus::received_message& message) {
        std::uint64_t lines = 1;
        for (auto at = message.body.find('\n'); at != std::string::npos && at + 1 < message.body.size();
             at = message.body.find('\n', at + 1))
            ++lines;
        return lines;
    }

    // The reader's full address, once it is known here; else what all readers share.
    mbus::address destination() {
        if (where_.readers > 1 || !use_.full_address)
            return need(mbus::address::parse(reader_address), "address");
        for (int tries = 0; tries < 500; ++tries) {
            const auto found = need(connection_.peers(reader_address).wait(), "peers");
            if (found.size() == 1) return found.front().address;
            std::this_thread::sleep_for(10ms);
        }
        throw std::runtime_error("the reader does not appear");
    }

    void send() {
        auto put = me_.send(to_, body_);
        while (!put && put.error().code == mbus::errc::overflow) {
            (void)connection_.flush(1s);
            put = me_.send(to_, body_);
        }
        if (!put) throw std::runtime_error(describe(put.error()));
    }

    void send_reliably() {
        if (under_way_.size() >= reliable_under_way) {
            need(under_way_.front().wait(), "a reliable message");
            under_way_.pop_front();
        }
        under_way_.push_back(me_.send_reliably(to_, body_));
    }

    seat where_;
    mbusd_use use_;
    mbus::connection connection_;
    mbus::entity me_;
    mbus::payload body_;
    mbus::address to_;
    std::deque<mbus::operation<mbus::delivery>> under_way_;
};

}  // namespace

std::unique_ptr<participant> make_mbus_participant(const std::string& socket, const seat& where,
                                                   const mbusd_use& use) {
    return std::make_unique<mbus_participant>(socket, where, use);
}

}  // namespace bench
