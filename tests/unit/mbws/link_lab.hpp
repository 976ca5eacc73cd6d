// Two brokers and the wire between their ends of one link. The wire can be cut anywhere; what a test
// wants to know is kept: entities that came, messages that arrived, outcomes.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "fixtures.hpp"
#include "mbws/link_session.hpp"

namespace mbus::mbws::testing {

inline constexpr std::string_view low_broker = "00000000000000aa";
inline constexpr std::string_view high_broker = "ffffffffffffffbb";

struct link_copy {
    std::string to;
    std::string from;
    std::string body;
    std::string via;
    std::string origin;
    bool reliable = false;
};

// One broker: hosts its end of the link and records what it is told.
class link_end final : public session_host, public link_host {
public:
    link_options options;
    bool standby = false;
    bool refuse = false;
    std::unique_ptr<link_session> link;           // calling, or the called one that lives
    std::vector<std::unique_ptr<link_session>> over;
    std::map<std::uint64_t, std::string> hosted;  // entities of the other side
    std::map<std::uint64_t, route_report> outcomes;
    std::map<std::uint64_t, int> outcome_count;
    std::vector<link_copy> arrived;
    std::vector<error> ends;
    std::vector<std::string> refused;
    route_status answer = route_status::routed;
    std::vector<std::uint64_t> open_numbers;  // of messages answered with receipt_later
    std::vector<address> ours;                // attached at every new session
    int ups = 0;
    int resumed = 0;

    void link_up(time_point now, link_session& which, bool again) override {
        ++ups;
        if (again) {
            ++resumed;
            return;
        }
        for (const auto& each : ours) which.attach(now, each);
    }
    result<std::uint64_t> link_attach(time_point, link_session&, const address& entity) override {
        if (entity.find("app") == "unwanted") return error{errc::conflict, "the entity is here already"};
        hosted[++last_handle_] = entity.text();
        return last_handle_;
    }
    void link_detach(time_point, link_session&, std::uint64_t handle) override { hosted.erase(handle); }
    void link_refused(time_point, link_session&, const address& entity, const error&) override {
        refused.emplace_back(entity.text());
    }
    route_status link_route(time_point, link_session&, const link_message& what, route_report& report) override {
        arrived.push_back({std::string{what.to}, std::string{what.from}, std::string{what.body},
                           std::string{what.via}, std::string{what.origin}, what.reliable});
        if (answer == route_status::receipt_later) open_numbers.push_back(what.number);
        report.matched = 1;
        report.entity = what.to;
        report.tried = 1;
        return what.reliable ? answer : route_status::routed;
    }
    void link_outcome(time_point, link_session&, std::uint64_t token, const route_report& report) override {
        ++outcome_count[token];
        outcomes[token] = report;
    }
    void link_ended(time_point, link_session&, const error& why) override { ends.push_back(why); }
    void link_touched(link_session&) override {}

    result<link_session*> open_link(time_point now, const connect_request& request, link_carrier& carrier,
                                    connection_port& port) override {
        if (refuse) return error{errc::forbidden, "this token holds no right link; run: mbus client add NAME --link"};
        if (link && !request.session.empty() && link->token() == request.session && link->can_resume(request.received)) {
            link->answer(now, carrier, port, request, link->token(), {.resumed = true});
            return link.get();
        }
        if (link) {
            link->end(now, {errc::no_session, "replaced"});
            over.push_back(std::move(link));
        }
        link = std::make_unique<link_session>(link_role::called, options, *this);
        link->answer(now, carrier, port, request,
                     "link-token-link-token-link-token-" + std::to_string(100 + over.size()),
                     {.resumed = false, .standby = standby});
        return link.get();
    }

    // The rest of a session_host, which no link asks.
    result<opened_session> open(time_point, const connect_request&) override { return error{errc::internal, ""}; }
    result<attached> attach(time_point, broker_session&, const attach_request&) override { return error{errc::internal, ""}; }
    void detach(time_point, broker_session&, const attachment&) override {}
    result<std::uint32_t> watch(time_point, broker_session&, const watch_request&) override { return error{errc::internal, ""}; }
    void unwatch(broker_session&, const watch_request&) override {}
    route_status route(time_point, broker_session&, const routed_message&, route_report&) override { return route_status::routed; }
    result<granted> grant(time_point, broker_session&, const grant_request&) override { return error{errc::internal, ""}; }
    result<void> revoke(time_point, broker_session&, std::string_view) override { return {}; }
    void room(broker_session&) override {}
    void ended(time_point, broker_session&, end_reason) override {}

private:
    std::uint64_t last_handle_ = 0;
};

// The calling end's half of a connection.
struct calling_connection final : link_carrier {
    test_port port;
    frame_reader reader{frame_octets_limit};
    bool released = false;
    void link_released() noexcept override { released = true; }
};

class link_lab {
public:
    link_end caller;
    link_end callee;
    time_point now = start;

    link_lab() {
        caller.options.broker = low_broker;
        callee.options.broker = high_broker;
    }

    void connect() {
        if (!caller.link) caller.link = std::make_unique<link_session>(link_role::calling, caller.options, caller);
        near_ = std::make_unique<calling_connection>();
        far_port_ = std::make_unique<test_port>();
        far_reader_ = frame_reader{frame_octets_limit};
        far_ = std::make_unique<broker_connection>(*far_port_, callee, connection_info{1, false}, now);
        caller.link->call(now, *near_, near_->port);
    }
    [[nodiscard]] bool connected() const { return near_ != nullptr; }

    // Carries at most so many octets each way, once; then both sides fill again. False: nothing moved.
    bool move(std::size_t octets_max = static_cast<std::size_t>(-1)) {
        if (!near_) return false;
        caller.link->fill(now);
        far_->fill(now);
        const std::string there = near_->port.take(octets_max);
        const std::string back = far_port_->take(octets_max);
        feed(far_reader_, there, [&](const frame_view& frame) { return far_->handle(now, frame) == verdict::go_on; });
        feed(near_->reader, back, [&](const frame_view& frame) {
            return !near_->released && caller.link->handle(now, frame) == verdict::go_on;
        });
        if (near_ && (near_->port.finished() || far_port_->finished()) && near_->port.waiting() == 0 &&
            far_port_->waiting() == 0) {
            cut();
        }
        return !there.empty() || !back.empty();
    }
    void settle() {
        while (move()) {}
    }
    // The connection breaks; what is on the wire is lost.
    void cut() {
        if (!near_) return;
        caller.link->lost(now);
        far_->lost(now);
        near_.reset();
        far_.reset();
        far_port_.reset();
    }
    void advance(std::chrono::milliseconds by) {
        now += by;
        caller.link->advance(now);
        if (callee.link) callee.link->advance(now);
    }
    ~link_lab() { cut(); }

    offer_result send(link_end& from, std::string_view body, bool reliable = false, std::uint64_t token = 0,
                      std::string_view sender = "(app:ui id:1-1@10.0.0.1)") {
        const auto ready = preparer_.prepare({.to = "(app:player)", .from = sender, .body = body,
                                              .reliable = reliable, .via = from.options.broker, .origin = "o:1"});
        return from.link->offer(now, ready, {.token = token, .expires = reliable ? now + 10s : never});
    }

private:
    template <class Handler>
    static void feed(frame_reader& reader, const std::string& octets, Handler handle) {
        reader.feed(octets);
        frame_view frame;
        while (reader.next(frame) == frame_reader::status::frame) {
            if (!handle(frame)) break;
        }
        reader.keep();
    }

    message_preparer preparer_;
    std::unique_ptr<calling_connection> near_;
    std::unique_ptr<test_port> far_port_;
    frame_reader far_reader_{frame_octets_limit};
    std::unique_ptr<broker_connection> far_;
};

inline address of(std::string_view text) { return *address::parse(text); }

}  // namespace mbus::mbws::testing
