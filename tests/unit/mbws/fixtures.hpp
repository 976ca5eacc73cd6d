// A broker without a daemon: a port that collects what a session writes, and a host that grants what
// it is asked for and remembers it.
#pragma once

#include <doctest/doctest.h>

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mbws/broker_connection.hpp"
#include "mbws/broker_session.hpp"
#include "mbws/client_session.hpp"
#include "mbws/frame_reader.hpp"

namespace mbus::mbws::testing {

using namespace std::chrono_literals;

inline constexpr time_point start = time_point{} + std::chrono::hours{1};

// A frame that owns its octets.
struct owned_frame {
    std::string octets;
    frame_view view;

    explicit owned_frame(std::string_view raw) : octets(raw) {
        static_cast<void>(decode_frame(octets, view));
    }
    owned_frame(const owned_frame& other) : owned_frame(std::string_view{other.octets}) {}
    owned_frame& operator=(const owned_frame& other) {
        octets = other.octets;
        static_cast<void>(decode_frame(octets, view));
        return *this;
    }

    [[nodiscard]] std::string_view text(key which) const { return view.text(which); }
};

class test_port final : public stream_port {
public:
    void wake() override { ++wakes; }
    void read_again() override { ++reads; }

    // Takes all that waits, as octets.
    std::string take(std::size_t octets_max = static_cast<std::size_t>(-1)) {
        std::string all;
        while (waiting() > 0 && octets_max > 0) {
            std::array<octet_span, 3> spans;
            const std::size_t count = gather(spans);
            std::size_t taken = 0;
            for (std::size_t i = 0; i < count; ++i) {
                const std::size_t part = std::min(spans[i].size, octets_max - taken);
                all.append(spans[i].data, part);
                taken += part;
            }
            octets_max -= taken;
            consumed(taken);
            if (taken == 0) break;
        }
        return all;
    }

    // Takes all that waits, as frames.
    std::deque<owned_frame> frames() {
        std::deque<owned_frame> found;
        const std::string octets = take();
        frame_reader reader{frame_octets_limit};
        reader.feed(octets);
        frame_view frame;
        while (reader.next(frame) == frame_reader::status::frame) found.emplace_back(reader.raw());
        return found;
    }

    int wakes = 0;
    int reads = 0;
};

struct routed_copy {
    std::uint64_t number;
    std::string to;
    std::string from;
    std::string body;
    std::string type;
    std::string first_command;
    bool reliable;
    time_point expires;
};

// Hosts any number of sessions; what they send is kept in `routed`.
class test_host final : public session_host {
public:
    session_settings settings;
    std::vector<std::unique_ptr<broker_session>> sessions;
    std::vector<routed_copy> routed;
    route_status answer = route_status::routed;
    route_report report;
    std::map<std::string, int> detached;
    std::vector<std::string> present;  // what a watch finds
    std::vector<end_reason> ends;
    int rooms = 0;
    int unwatched = 0;
    std::uint64_t last_watch_again = 0;
    std::uint32_t next_id = 1;
    std::string identity = "user:alice";
    bool refuse_open = false;
    message_preparer* pool = nullptr;

    message_preparer* preparer() noexcept override { return pool; }

    result<opened_session> open(time_point, const connect_request& request) override {
        if (refuse_open) return error{errc::unauthorized, "unknown token; run: mbus client add NAME"};
        last_local = request.local;
        last_window = request.window;
        last_expiry = request.expiry;
        for (auto& each : sessions) {
            if (request.session.empty() || each->token() != request.session || each->over()) continue;
            if (each->identity() == identity && each->can_resume(request.received))
                return opened_session{each.get(), true};
        }
        const auto id = static_cast<std::uint64_t>(sessions.size() + 1);
        sessions.push_back(std::make_unique<broker_session>(
            id, "token-token-token-token-token-" + std::to_string(1000 + id), identity, settings, *this));
        return opened_session{sessions.back().get(), false};
    }

    result<attached> attach(time_point, broker_session&, const attach_request& request) override {
        if (request.mode == attach_mode::queue) return error{errc::forbidden, "no queues here"};
        if (request.entity.find("app") == "refused") return error{errc::forbidden, "not for you"};
        if (request.mode == attach_mode::monitor) return attached{request.entity, 77};
        auto full = request.entity.find("id")
                        ? request.entity
                        : *request.entity.with("id", "1-" + std::to_string(next_id) + "@127.0.0.1");
        return attached{full, next_id++};
    }
    void detach(time_point, broker_session&, const attachment& what) override {
        ++detached[std::string{what.entity.text()}];
    }

    result<std::uint32_t> watch(time_point, broker_session& session, const watch_request& request) override {
        last_watch_again = request.again ? 1 : 0;
        if (request.pattern.find("app") == "refused") return error{errc::forbidden, "not for you"};
        for (const auto& entity : present)
            session.entity_changed(request.slot, entity, entity_state::present);
        return static_cast<std::uint32_t>(present.size());
    }
    void unwatch(broker_session&, const watch_request&) override { ++unwatched; }

    route_status route(time_point, broker_session&, const routed_message& what, route_report& out) override {
        routed.push_back({what.number, std::string{what.to}, std::string{what.from->entity.text()}, std::string{what.body},
                          std::string{what.type}, std::string{what.commands.first_command}, what.reliable,
                          what.expires});
        out = report;
        return answer;
    }

    result<granted> grant(time_point, broker_session&, const grant_request& request) override {
        return granted{"http://127.0.0.1:8407/cap/x" + std::to_string(request.request), request.expiry,
                       request.uses};
    }
    result<void> revoke(time_point, broker_session&, std::string_view url) override {
        if (!url.starts_with("http")) return error{errc::not_found, "no such URL"};
        return {};
    }
    void room(broker_session&) override { ++rooms; }
    void ended(time_point, broker_session&, end_reason why) override { ends.push_back(why); }

    bool last_local = true;
    std::uint32_t last_window = 0;
    std::uint32_t last_expiry = 0;
};

// A connection that a test feeds frame by frame.
struct test_client {
    test_host& host;
    test_port port;
    broker_connection connection;

    explicit test_client(test_host& owner, bool local = true, time_point now = start)
        : host(owner), connection(port, owner, {1, local}, now) {}
    ~test_client() { connection.lost(start); }

    verdict send(const frame_view& frame, time_point now = start) {
        std::string octets;
        REQUIRE(append_frame(octets, frame));
        frame_view decoded;
        REQUIRE(decode_frame(octets, decoded) == nullptr);
        return connection.handle(now, decoded);
    }
    verdict send(verb which, std::uint64_t number = 0) {
        frame_view frame;
        frame.verb = which;
        frame.number = number;
        return send(frame);
    }
    verdict connect(std::uint32_t window = 0, std::uint32_t expiry = 0, std::string_view token = {},
                    std::uint64_t received = 0) {
        frame_view frame;
        frame.verb = verb::connect;
        frame.set(key::version, std::uint64_t{1})
            .set(key::name, "test")
            .set(key::window, std::uint64_t{window});
        frame.set(key::expiry, std::uint64_t{expiry});
        if (!token.empty()) frame.set(key::session, token).set(key::received, received);
        return send(frame);
    }
    verdict attach(std::uint32_t request, std::string_view entity, std::string_view policy = {},
                   std::string_view mode = {}) {
        frame_view frame;
        frame.verb = verb::attach;
        frame.set(key::request, std::uint64_t{request}).set(key::entity, entity);
        if (!policy.empty()) frame.set(key::policy, policy);
        if (!mode.empty()) frame.set(key::mode, mode);
        return send(frame);
    }
    verdict message(std::uint64_t number, std::string_view body = "a.b()", std::uint8_t flags = 0,
                    std::string_view from = {}) {
        frame_view frame;
        frame.verb = verb::message;
        frame.flags = flags;
        frame.number = number;
        frame.set(key::to, "(app:player)");
        if (!from.empty()) frame.set(key::from, from);
        frame.body = body;
        return send(frame);
    }
    broker_session& session() { return *connection.session(); }
    // Fills and takes what waits.
    std::deque<owned_frame> frames(time_point now = start) {
        connection.fill(now);
        return port.frames();
    }
    // A session with one attach (slot 0), nothing waiting.
    test_client& ready(std::uint32_t window = 0, std::uint32_t expiry = 0, std::string_view policy = {}) {
        connect(window, expiry);
        attach(1, "(app:player)", policy);
        frames();
        return *this;
    }
};

}  // namespace mbus::mbws::testing
