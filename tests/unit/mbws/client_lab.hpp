// A client's session whose broker is the test itself, and a diary of what it tells its application.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fixtures.hpp"

namespace mbus::mbws::testing {

// Writes down what the session tells, one line each.
class diary final : public client_handler {
public:
    void on_connected(const connected_info& info) override {
        add(std::string{"connected"} + (info.resumed ? " resumed" : "") + (info.first ? " first" : ""));
    }
    void on_fault(const error& failure, bool again) override {
        add("fault " + std::string{to_string(failure.code)} + (again ? " again" : ""));
    }
    void on_closed() override { add("closed"); }
    void on_attached(std::uint32_t request, std::string_view entity) override {
        add("attached", request, entity);
    }
    void on_watched(std::uint32_t request, std::uint32_t matched) override {
        add("watched", request, std::to_string(matched));
    }
    void on_watch_restarted(std::uint32_t request) override { add("restarted", request); }
    void on_granted(std::uint32_t request, std::string_view url, std::uint32_t, std::uint32_t) override {
        add("granted", request, url);
    }
    void on_done(std::uint32_t request) override { add("done", request); }
    void on_refused(std::uint32_t request, const error& failure) override {
        add("refused", request, to_string(failure.code));
    }
    void on_entity(std::uint32_t request, std::string_view entity, entity_state state) override {
        add("entity", request, std::string{entity} + " " + std::string{to_string(state)});
    }
    bool on_message(const delivered_message& what) override {
        add(std::string{what.redelivered ? "again " : "message "} + std::string{what.body});
        return handled;
    }
    void on_missed(std::uint64_t messages) override { add("missed", messages); }
    void on_result(message_token token, const message_result& what) override {
        add("result", token,
            what.ok ? "ok " + std::to_string(what.matched) : std::string{to_string(what.code)});
    }
    void on_taken_over(message_token up_to) override { add("taken", up_to); }
    void on_refusal_heard(std::uint64_t number) override { add("heard", number); }
    void on_pong(std::string_view body) override { add("pong " + std::string{body}); }

    std::vector<std::string> take() { return std::exchange(lines, {}); }
    bool handled = true;

private:
    void add(std::string line) { lines.push_back(std::move(line)); }
    void add(std::string word, std::uint64_t number, std::string_view more = {}) {
        lines.push_back(word + " " + std::to_string(number) + (more.empty() ? "" : " " + std::string{more}));
    }
    std::vector<std::string> lines;
};

using strings = std::vector<std::string>;

// A session whose broker is the test itself.
struct scripted {
    diary told;
    client_session session;

    explicit scripted(std::uint32_t window = 0)
        : session({.name = "test", .window = window, .expiry = 60}, told) {}

    std::vector<owned_frame> output() {
        const std::string octets{session.output()};
        session.written(octets.size());
        std::vector<owned_frame> found;
        frame_reader reader;
        reader.feed(octets);
        frame_view frame;
        while (reader.next(frame) == frame_reader::status::frame) found.emplace_back(reader.raw());
        REQUIRE_FALSE(reader.failed());
        return found;
    }
    std::vector<std::string> verbs() {
        std::vector<std::string> found;
        for (const auto& frame : output()) found.emplace_back(to_string(frame.view.verb));
        return found;
    }
    bool receive(const frame_view& frame) {
        std::string octets;
        REQUIRE(append_frame(octets, frame));
        return session.receive(start, octets);
    }
    bool connected(bool resumed = false, std::uint64_t received = 0, std::uint32_t window = 4) {
        frame_view frame;
        frame.verb = verb::connected;
        frame.set(key::version, std::uint64_t{1}).set(key::session, "0123456789abcdef0123456789abcdef");
        frame.set(key::resumed, std::uint64_t{resumed ? 1U : 0U}).set(key::received, received);
        frame.set(key::window, std::uint64_t{window}).set(key::size, std::uint64_t{frame_octets_default});
        return receive(frame);
    }
    bool answer(verb which, std::uint32_t request, std::string_view entity = {}, std::string_view code = {}) {
        frame_view frame;
        frame.verb = which;
        frame.set(key::request, std::uint64_t{request});
        if (!entity.empty()) frame.set(key::entity, entity);
        if (!code.empty()) frame.set(key::code, code);
        return receive(frame);
    }
    bool numbered(verb which, std::uint64_t number, std::string_view body = {}, std::uint64_t about = 0,
                  std::string_view code = {}) {
        frame_view frame;
        frame.verb = which;
        frame.number = number;
        frame.body = body;
        if (about != 0) frame.set(key::about, about);
        if (!code.empty()) frame.set(key::code, code);
        return receive(frame);
    }
    message_token send(bool receipt = false) {
        const auto token = session.send({.to = "()", .body = "a.b()", .receipt_wanted = receipt});
        REQUIRE(token);
        return *token;
    }
};

}  // namespace mbus::mbws::testing
