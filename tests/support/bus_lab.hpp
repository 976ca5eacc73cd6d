// A bus in memory: nodes, virtual time, and a network whose faults are seeded. For tests of the
// engine and simulations of many nodes.
//
//     bus_lab lab{{.seed = 7}};
//     auto& a = lab.add();
//     auto& b = lab.add();
//     const auto player = b.attach("(app:player)");
//     lab.run_for(1500ms);                                     // hellos are exchanged
//     a.send(ui, "(app:player)", "demo.text(\"hi\")", reliable);
//     lab.run_for(100ms);
//     CHECK(b.delivered.size() == 1);
//     for (const auto& seen : lab.capture()) ...               // in clear, as it left its node
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/node.hpp"
#include "protocol/random_source.hpp"

namespace mbus::lab {

using protocol::duration;
using protocol::endpoint;
using protocol::entity_handle;
using protocol::instant;
using protocol::time_point;

// What the network does to each copy of a datagram.
struct conditions {
    double loss = 0;         // the chance that a receiver does not get it
    double duplication = 0;  // ...that it gets it twice
    duration delay_min{};    // on the way for this long at least...
    duration delay_max{};    // ...and at most: datagrams overtake one another
};

struct lab_options {
    std::uint64_t seed = 1;
    conditions network{};
    bool capture = true;  // keep what is sent, in clear
    protocol::cipher_algorithm cipher = protocol::cipher_algorithm::none;
    protocol::hash_algorithm hash = protocol::hash_algorithm::hmac_sha1_96;
};

// The keys that every lab uses: 00 01 02 ...
[[nodiscard]] protocol::session_config lab_session(const lab_options& options = {});

// 10.0.0.1:50001
[[nodiscard]] endpoint make_endpoint(std::uint8_t last_octet, std::uint16_t port);

class bus_lab;

// One node, and all that it told.
class station final : public protocol::node_events {
public:
    struct delivery {
        entity_handle to;
        std::shared_ptr<const protocol::inbound> what;
        time_point at;
    };
    struct change {
        std::string peer;
        protocol::peer_state state;
        time_point at;
    };

    station(bus_lab& lab, std::size_t index, protocol::node_options options, protocol::envelope security);

    // Attaches, or fails the test run: the address is a literal.
    entity_handle attach(std::string_view address, std::uint32_t process_id = 4711);
    // ...and gives its full address.
    std::string attach_and_name(std::string_view address, std::uint32_t process_id = 4711) {
        return address_of(attach(address, process_id));
    }
    void detach(entity_handle which);
    void detach_all();
    result<protocol::match_result> send(entity_handle from, std::string_view to, std::string_view payload,
                                        bool reliable = false, protocol::send_token token = 0,
                                        bool may_coalesce = true);
    [[nodiscard]] std::string address_of(entity_handle which) const;
    // Texts of the payloads that `which` was given, in order.
    [[nodiscard]] std::vector<std::string> texts_for(entity_handle which) const;

    std::vector<delivery> delivered;
    std::vector<std::shared_ptr<const protocol::inbound>> heard;  // observed()
    std::vector<protocol::send_report> reports;
    std::vector<change> changes;
    bool taking = true;     // what deliver() answers
    bool recording = true;  // off: callbacks are passed on, nothing is kept
    std::function<void(entity_handle, const std::shared_ptr<const protocol::inbound>&)> on_deliver;
    std::function<void(const protocol::send_report&)> on_sent;

    endpoint source;    // where its datagrams seem to come from
    int partition = 0;  // hears the stations of the same partition only

    protocol::node node;

    bool deliver(entity_handle to, const std::shared_ptr<const protocol::inbound>& what) override;
    void observed(const std::shared_ptr<const protocol::inbound>& what) override;
    void sent(const protocol::send_report& report) override;
    void peer_changed(const protocol::peer_view& peer, protocol::peer_state state) override;

private:
    friend class bus_lab;
    bus_lab& lab_;
    std::size_t index_;
    time_point wake_at_ = protocol::never;
};

// A datagram as it left its node.
struct captured {
    time_point at;
    std::size_t station = 0;
    bool group = true;
    bool presence = false;
    endpoint to;
    std::string message;  // in clear
    std::string datagram;

    [[nodiscard]] mbus::message parsed(dialect reading = dialect::rfc) const;
};

class bus_lab {
public:
    explicit bus_lab(lab_options options = {});

    // A node of its own, host 10.0.0.(index + 1) unless `options` names one.
    station& add(protocol::node_options options = {});

    [[nodiscard]] instant now() const noexcept;
    [[nodiscard]] station& at(std::size_t index) noexcept { return *stations_[index]; }
    [[nodiscard]] std::size_t size() const noexcept { return stations_.size(); }
    [[nodiscard]] conditions& network() noexcept { return options_.network; }

    // Lets virtual time pass; everything that is due happens on the way.
    void run_for(duration length);
    // Until `done`, at most for `limit`. False: the time ran out.
    bool run_until(const std::function<bool()>& done, duration limit);

    // Hands a message to every station, or to one, as if a stranger at `from` had sent it, now.
    void inject(std::string_view message, const endpoint& from = make_endpoint(200, 50200));
    void inject(station& to, std::string_view message, const endpoint& from = make_endpoint(200, 50200));
    // ...the octets as they are.
    void inject_datagram(station& to, std::string_view datagram,
                         const endpoint& from = make_endpoint(200, 50200));
    [[nodiscard]] std::string sealed(std::string_view message);

    [[nodiscard]] const std::vector<captured>& capture() const noexcept { return capture_; }
    void clear_capture() { capture_.clear(); }
    // Messages of that capture that contain `text`.
    [[nodiscard]] std::vector<captured> captured_with(std::string_view text) const;

    // Runs what is due at `which` and puts what it sends on the network.
    void turn(station& which);

    [[nodiscard]] std::uint64_t datagrams() const noexcept { return datagrams_; }

private:
    struct travelling {
        time_point due;
        std::uint64_t order;  // first sent, first received at equal times
        std::size_t to;
        endpoint from;
        std::shared_ptr<const std::string> datagram;
        bool operator>(const travelling& other) const noexcept {
            return due != other.due ? due > other.due : order > other.order;
        }
    };
    struct wake {
        time_point due;
        std::size_t station;
        bool operator>(const wake& other) const noexcept {
            return due != other.due ? due > other.due : station > other.station;
        }
    };

    bool step(time_point end);
    void send_out(station& from);
    void travel(const station& from, std::size_t to, const std::shared_ptr<const std::string>& datagram);
    void remember(const station& from, const protocol::outgoing& out);
    [[nodiscard]] protocol::envelope make_envelope() const;

    lab_options options_;
    protocol::random_source random_;
    protocol::envelope keys_;
    time_point now_;
    std::vector<std::unique_ptr<station>> stations_;
    std::priority_queue<travelling, std::vector<travelling>, std::greater<>> network_;
    std::priority_queue<wake, std::vector<wake>, std::greater<>> wakes_;
    std::uint64_t order_ = 0;
    std::uint64_t datagrams_ = 0;
    std::vector<captured> capture_;
    std::string scratch_;
};

}  // namespace mbus::lab
