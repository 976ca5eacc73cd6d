// A broker's session whose client remembers addresses by number, so that it takes runs of messages
// (message_run.hpp), and what this client reads.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fixtures.hpp"
#include "mbws/message_run.hpp"

namespace mbus::mbws::testing {

using strings = std::vector<std::string>;

inline constexpr std::string_view run_to = "(app:player)";
inline constexpr std::string_view run_from = "(app:ui id:1-1@10.0.0.1)";

// n(FIRST), n(FIRST + 1), ...
inline strings bodies_from(int first, int count) {
    strings out;
    for (int i = 0; i < count; ++i) out.push_back("n(" + std::to_string(first + i) + ")");
    return out;
}

class run_lab {
public:
    explicit run_lab(std::uint32_t window, std::string_view policy = {}, std::size_t queue_messages = 65536) : window_(window) {
        host.settings.queue_messages_max = queue_messages;
        connect({}, 0);
        client->attach(1, "(app:player)", policy);
        static_cast<void>(read());
    }

    // A new connection; with a token the session is resumed.
    void connect(std::string_view token, std::uint64_t received) {
        client = std::make_unique<test_client>(host);
        client->port.remembers(addresses_of_broker);
        reader_ = frame_reader{frame_octets_limit};
        reader_.remember(addresses_of_broker);
        client->connect(window_, 60, token, received);
    }
    // The connection breaks, and another one goes on after `received`.
    void resume(std::uint64_t received, std::uint32_t window) {
        const std::string token{session().token()};
        client->connection.lost(start);
        window_ = window;
        connect(token, received);
    }
    broker_session& session() { return *host.sessions.front(); }

    // As the router does: in one piece if the session takes it so, else one by one.
    offer_result offer(const strings& bodies, bool wait = false, std::string_view to = run_to,
                       std::string_view from = run_from) {
        REQUIRE(run.begin(to, from));
        for (const auto& body : bodies) REQUIRE(run.add(7, body));
        const bool whole = session().can_take(run, 0);
        offer_result out = offer_result::taken;
        if (whole) out = session().offer_run(start, run, {.slot = 0, .sender_can_wait = wait});
        run.end();
        in_one_piece += whole ? 1 : 0;
        if (!whole) {
            for (const auto& body : bodies) out = offer_one(body, wait, false, to, from);
        }
        return out;
    }
    offer_result offer_one(std::string_view body, bool wait = false, bool reliable = false, std::string_view to = run_to,
                           std::string_view from = run_from) {
        const auto ready = preparer.prepare({.to = to,
                                             .from = from,
                                             .time = 7,
                                             .body = body,
                                             .first_command = body.substr(0, body.find('(')),
                                             .reliable = reliable});
        return session().offer(start, ready, {.slot = 0, .sender_can_wait = wait});
    }

    // What came, a line each: "3 n(1)" is message 3 with its body; `again` stands for redelivered.
    strings read(std::size_t octets_max = static_cast<std::size_t>(-1)) {
        client->connection.fill(start);
        const auto octets = client->port.take(octets_max);
        last_octets = octets.size();
        strings found;
        reader_.feed(octets);
        frame_view frame;
        while (reader_.next(frame) == frame_reader::status::frame) {
            if (frame.verb != verb::message) {
                others.emplace_back(to_string(frame.verb));
                continue;
            }
            std::string line;
            if (frame.number != 0) line += std::to_string(frame.number) + ' ';
            line += frame.body;
            if (frame.redelivered()) line += " again";
            if (frame.reliable()) line += " reliable";
            if (frame.has(key::missed)) line += " missed " + std::to_string(frame.integer(key::missed));
            if (frame.has(key::entity)) line += " for " + std::string{frame.text(key::entity)};
            if (frame.integer(key::time) != 7) line += " without its time";
            found.push_back(std::move(line));
            ways.push_back(std::string{frame.text(key::from)} + " -> " + std::string{frame.text(key::to)});
        }
        CHECK_FALSE(reader_.failed());
        return found;
    }
    std::uint64_t dropped(session_drop reason) { return session().counters().dropped[static_cast<std::size_t>(reason)]; }

    test_host host;
    message_preparer preparer;
    message_run run{preparer};
    std::unique_ptr<test_client> client;
    strings others;                // frames that were no messages
    strings ways;                  // sender and destination of each message read
    std::size_t last_octets = 0;   // that the last read() took
    std::size_t in_one_piece = 0;  // runs that the session took whole

private:
    std::uint32_t window_;
    frame_reader reader_{frame_octets_limit};
};

}  // namespace mbus::mbws::testing
