// A client of the router as the local socket serves it: frames come many at a time (router::gather_scope), both
// sides remember addresses by number, and input that the session does not want yet is kept.
//
//     socket_client alice{lab};
//     alice.attach("(app:a)");
//     alice.read(mail("(app:b)", "x()") + mail("(app:b)", "y()"));   // one read of its socket
//     CHECK(bob.lines() == ...);
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "router_lab.hpp"

namespace router_test {

using strings = std::vector<std::string>;
using more_fields = std::function<void(mbws::frame_writer&)>;

// Frames of a client.
std::string mail(std::string_view to, std::string_view body, const more_fields& more = {}, std::uint64_t number = 0,
                 std::uint8_t flags = 0);
std::string wish(mbws::verb what, const more_fields& fields = {}, std::uint64_t number = 0);

class socket_client final : public mbws::stream_port {
public:
    struct habits {
        bool together = true;                                 // gathers; false: every message goes alone
        std::uint32_t window = 0;
        std::uint32_t expiry = 0;
        std::uint16_t remembers = mbws::addresses_of_broker;  // of the daemon's addresses
        std::shared_ptr<const mbusd::peer_identity> who{};    // null: one with every right
    };

    explicit socket_client(router_lab& lab) : socket_client(lab, habits{}) {}
    socket_client(router_lab& lab, habits how);
    ~socket_client();

    // Attaches and returns the full address.
    std::string attach(std::string_view entity, std::uint32_t request = 1, const more_fields& more = {});
    // One read of its socket, whatever it holds; then the turn ends.
    void read(std::string_view octets);
    // The same without the end of the turn.
    void hear(std::string_view octets);
    // The connection ends.
    void lose();

    // What came since the last call, a line each: "FROM -> TO: BODY" and what else it says.
    strings lines();
    // Acknowledges all messages up to this one.
    void acknowledge(std::uint64_t number) { read(wish(mbws::verb::ack, {}, number)); }
    [[nodiscard]] std::uint64_t last_number() const noexcept { return last_number_; }

    [[nodiscard]] bool paused() const noexcept { return paused_; }
    mbws::broker_session* session() noexcept { return connection_.session(); }

    void wake() override {}
    void read_again() override { resume_ = true; }

private:
    void take_frames();
    void pump();

    router_lab& lab_;
    habits how_;
    std::uint64_t id_;
    mbws::broker_connection connection_;
    mbws::frame_reader in_;   // the daemon's
    mbws::frame_reader out_;  // the client's
    bool paused_ = false;
    bool resume_ = false;
    bool lost_ = false;
    strings lines_;
    std::string last_entity_;
    std::uint64_t last_number_ = 0;
};

}  // namespace router_test
