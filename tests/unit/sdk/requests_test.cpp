// Request and reply in the RPC form of the Mbus guidelines.
#include <set>

#include "fixture.hpp"

using mbus::errc;

namespace {

mbus::command call(std::string name, std::vector<mbus::value> arguments = {}) {
    return {std::move(name), std::move(arguments)};
}

// The ID of a call as it stands on the wire.
std::string id_of(const mbus::command& what) {
    const auto* properties = what.arguments.at(0).get_if<mbus::value::list>();
    const auto* first = properties->at(0).get_if<mbus::value::list>();
    return *first->at(1).get_if<std::string>();
}

}  // namespace

TEST_CASE("a request is answered") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    program mixer{bus, "app:mixer"};
    REQUIRE(mixer.me.on_request("mixer.get", [](const mbus::request& what) -> mbus::result<mbus::reply> {
        CHECK(what.name == "mixer.get");
        return mbus::reply{{what.arguments.at(0), 80}, "as you wish"};
    }));

    const auto reply = a.me.request("app:mixer", call("mixer.get", {"left"})).wait();

    REQUIRE_MESSAGE(reply, reply.error().text);
    CHECK(reply->results == std::vector<mbus::value>{"left", 80});
    CHECK(reply->text == "as you wish");
    CHECK(reply->status == "OK");
    CHECK(reply->from == mixer.me.address());
}

TEST_CASE("call and answer have the form that libgmbus speaks") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    program raw{bus, "app:raw"};

    auto pending = a.me.request("app:raw", call("mixer.get", {"left", 2}));
    const auto got = raw.me.receive(1s);
    REQUIRE(got);
    CHECK(got->reliable);
    const auto id = id_of(got->commands().at(0));
    CHECK(mbus::format_commands(got->commands()).value() ==
          "mixer.get(((\"ID\" \"" + id + "\") (\"RPC-TYPE\" \"UNICAST\")) (\"left\" 2))\r\n");

    REQUIRE(raw.me.send(got->from, "mixer.get.return (((\"ID\" \"" + id +
                                       "\") (\"RPC-STATUS\" \"OK\")) ((OK OK \"fine\") (80 on)))"));
    const auto reply = pending.wait();
    REQUIRE(reply);
    CHECK(reply->results == std::vector<mbus::value>{80, mbus::symbol{"on"}});
    CHECK(reply->text == "fine");
}

TEST_CASE("an answer carries the same ID, and is sent reliably") {
    mbus::testing::bus bus;
    program raw{bus, "app:raw"};
    program mixer{bus, "app:mixer"};
    REQUIRE(mixer.me.on_request("mixer.*", [](const mbus::request&) -> mbus::result<mbus::reply> {
        return mbus::reply{{1}};
    }));
    REQUIRE(raw.me.send_reliably("app:mixer", "mixer.get (((\"ID\" \"42\") (\"RPC-TYPE\" \"UNICAST\")) ())").wait());
    const auto got = raw.me.receive(1s);
    REQUIRE(got);
    CHECK(got->reliable);
    CHECK(mbus::format_commands(got->commands()).value() ==
          "mixer.get.return(((\"ID\" \"42\") (\"RPC-STATUS\" \"OK\")) ((OK OK \"\") (1)))\r\n");
}

TEST_CASE("IDs of requests are unique") {
    mbus::testing::bus bus{7};
    program a{bus, "app:a"};
    program raw{bus, "app:raw"};
    std::set<std::string> ids;
    std::vector<mbus::operation<mbus::reply>> pending;
    for (int i = 0; i < 100; ++i) {
        pending.push_back(a.me.request("app:raw", call("x.y")));
        const auto got = raw.me.receive(1s);
        REQUIRE(got);
        ids.insert(id_of(got->commands().at(0)));
    }
    CHECK(ids.size() == 100);
}

TEST_CASE("a callee that fails tells why") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    program b{bus, "app:b"};
    REQUIRE(b.me.on_request("x.*", [](const mbus::request&) -> mbus::result<mbus::reply> {
        return {errc::remote_failed, "no such track"};
    }));
    const auto reply = a.me.request("app:b", call("x.y")).wait();
    REQUIRE_FALSE(reply);
    CHECK(reply.error().code == errc::remote_failed);
    CHECK(reply.error().text.find("no such track") != std::string::npos);
}

TEST_CASE("a call that no handler knows is answered UNKNOWN") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    program b{bus, "app:b"};
    REQUIRE(b.me.on_request("x.known", [](const mbus::request&) -> mbus::result<mbus::reply> { return mbus::reply{}; }));
    const auto reply = a.me.request("app:b", call("x.unknown")).wait();
    REQUIRE_FALSE(reply);
    CHECK(reply.error().code == errc::remote_failed);
    CHECK(reply.error().text.find("does not know") != std::string::npos);
}

TEST_CASE("the handler that was registered last wins") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    program b{bus, "app:b"};
    const auto answering = [](int number) {
        return [number](const mbus::request&) -> mbus::result<mbus::reply> { return mbus::reply{{number}}; };
    };
    REQUIRE(b.me.on_request("x.*", answering(1)));
    REQUIRE(b.me.on_request("x.special", answering(2)));
    CHECK(a.me.request("app:b", call("x.y")).wait()->results == std::vector<mbus::value>{1});
    CHECK(a.me.request("app:b", call("x.special")).wait()->results == std::vector<mbus::value>{2});
}

TEST_CASE("an answer may come later, from anywhere in the program") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    program b{bus, "app:b"};
    std::optional<mbus::responder> later;
    REQUIRE(b.me.on_request("x.slow", [&](const mbus::request&, mbus::responder to) { later.emplace(std::move(to)); }));

    auto pending = a.me.request("app:b", call("x.slow"));
    bus.advance(2s);
    CHECK_FALSE(pending.done());
    REQUIRE(later);
    later->answer(mbus::reply{{"done"}});
    later->answer(mbus::reply{{"twice"}});  // only the first answer counts

    CHECK(pending.wait()->results == std::vector<mbus::value>{"done"});
}

TEST_CASE("a request that is dropped without an answer fails at the caller") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    program b{bus, "app:b"};
    REQUIRE(b.me.on_request("x.y", [](const mbus::request&, mbus::responder) {}));
    const auto reply = a.me.request("app:b", call("x.y")).wait();
    CHECK(reply.error().code == errc::remote_failed);
}

TEST_CASE("a request ends by its limit, or at once when nobody is there") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    program silent{bus, "app:silent"};
    const auto before = bus.now();
    CHECK(a.me.request("app:silent", call("x.y"), 700ms).wait().error().code == errc::timed_out);
    CHECK(bus.now() - before == 700ms);
    CHECK(a.me.request("app:nobody", call("x.y")).wait().error().code == errc::no_match);
    CHECK(bus.now() - before == 700ms);
}

TEST_CASE("an answer with a foreign ID, or from somebody else, is no answer") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    program raw{bus, "app:raw"};
    program thief{bus, "app:thief"};
    auto pending = a.me.request("app:raw", call("x.y"));
    const auto got = raw.me.receive(1s);
    REQUIRE(got);
    const auto answer = [&](const std::string& id) {
        return "x.y.return (((\"ID\" \"" + id + "\") (\"RPC-STATUS\" \"OK\")) ((OK OK \"\") ()))";
    };
    REQUIRE(raw.me.send(got->from, answer("1")));
    REQUIRE(thief.me.send(got->from, answer(id_of(got->commands()[0]))));
    bus.settle();
    CHECK_FALSE(pending.done());
    REQUIRE(raw.me.send(got->from, answer(id_of(got->commands()[0]))));
    CHECK(pending.wait());
}

TEST_CASE("names that start with mbus. can't be requests [item 44]") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    const auto handler = [](const mbus::request&) -> mbus::result<mbus::reply> { return mbus::reply{}; };
    CHECK(a.me.on_request("mbus.own", handler).error().code == errc::bad_argument);
    CHECK(a.me.on_request("x.*,mbus.*", handler).error().code == errc::bad_argument);
    CHECK(a.me.request("app:a", call("mbus.own")).wait().error().code == errc::bad_argument);
    CHECK(a.me.send("()", {"mbus.own", {}}).error().code == errc::bad_command);
}

TEST_CASE("an entity with a filter still gets its answers") {
    mbus::testing::bus bus;
    program a{bus, "app:other"};
    program b{bus, "app:b"};
    auto picky = program::attach(a.connection, "app:a", {.commands = "player.*"});
    REQUIRE(b.me.on_request("x.y", [](const mbus::request&) -> mbus::result<mbus::reply> { return mbus::reply{}; }));
    CHECK(picky.request("app:b", call("x.y")).wait());
}
