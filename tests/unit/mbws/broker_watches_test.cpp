// Watches at the broker (docs/mbws.md, section 3).
#include "broker_lab.hpp"

namespace mbus::mbws::testing {

TEST_CASE("watch: what is present, then ok with matched, then changes (s3)") {
    test_host host;
    host.present = {"(app:a id:1-1@127.0.0.1)", "(app:b id:1-2@127.0.0.1)"};
    test_client client{host};
    client.ready();
    client.send(request(verb::watch, 9).set(key::to, "()"));
    auto frames = client.frames();
    REQUIRE(frames.size() == 3);
    CHECK(frames[0].view.verb == verb::entity);
    CHECK(frames[0].text(key::state) == "present");
    CHECK(frames[0].view.integer(key::request) == 9);
    CHECK(frames[0].view.number == 0);
    CHECK(frames[2].view.verb == verb::ok);
    CHECK(frames[2].view.integer(key::matched) == 2);
    client.session().entity_changed(0, "(app:c)", entity_state::joined);
    frames = client.frames();
    CHECK(frames.at(0).text(key::state) == "joined");
    client.send(request(verb::detach, 10).set(key::about, std::uint64_t{9}));
    CHECK(client.frames().at(0).view.verb == verb::ok);
    CHECK(host.unwatched == 1);
    client.session().entity_changed(0, "(app:c)", entity_state::left);
    CHECK(client.frames().empty());
}

TEST_CASE("for a slow reader only the last state of each entity waits (s3)") {
    test_host host;
    test_client client{host};
    client.ready();
    client.send(request(verb::watch, 9).set(key::to, "()"));
    client.frames();
    // Fill the output with deliveries that nobody reads.
    message_preparer preparer;
    const auto large = prepared(preparer, "a(\"" + std::string(60000, 'x') + "\")");
    for (int i = 0; i < 10; ++i) client.session().offer(start, large, {.slot = 0});
    client.connection.fill(start);
    for (int i = 0; i < 1000; ++i) {
        client.session().entity_changed(0, "(app:c)", i % 2 == 0 ? entity_state::joined : entity_state::left);
        client.session().entity_changed(0, "(app:d)", entity_state::joined);
    }
    std::vector<std::string> states;
    for (int turn = 0; turn < 20; ++turn) {
        for (const auto& frame : client.frames()) {
            if (frame.view.verb == verb::entity)
                states.emplace_back(std::string{frame.text(key::entity)} +
                                    std::string{frame.text(key::state)});
        }
    }
    CHECK(states == std::vector<std::string>{"(app:c)left", "(app:d)joined"});
}

TEST_CASE("a watch that is refused gets a nak (s3)") {
    test_host host;
    test_client client{host};
    client.ready();
    client.send(request(verb::watch, 9).set(key::to, "(app:refused)"));
    auto frames = client.frames();
    REQUIRE(frames.size() == 1);
    CHECK(frames[0].text(key::code) == "forbidden");
    client.send(request(verb::watch, 9));
    CHECK(client.frames().at(0).text(key::code) == "bad-address");
    client.send(request(verb::watch, 9).set(key::to, "(a"));
    CHECK(client.frames().at(0).text(key::code) == "bad-address");
}

}  // namespace mbus::mbws::testing
