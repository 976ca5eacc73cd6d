#include <doctest/doctest.h>

#include <string>

#include "gateways/capability/capability_paths.hpp"
#include "router_lab.hpp"
#include "support/fake_exchange.hpp"

using namespace router_test;
using mbusd::preferred_wait;
using mbws::key;
using mbws::verb;

namespace {

struct capability_lab {
    explicit capability_lab(std::string_view toml = {})
        : lab(toml),
          authority({.configuration = [this]() -> const mbusd::settings& { return lab.hub.configuration(); },
                     .base_url = [] { return std::string{"https://host/mbus"}; },
                     .wall_ms = [this] { return wall; },
                     .journal_of = [this](std::uint64_t session) { return lab.hub.journal_of(session); }},
                    lab.log),
          gateway(authority, lab.hub, [this](std::chrono::milliseconds wait, std::function<void()> what) { later(wait, std::move(what)); }) {
        lab.hub.use_grants(authority);
        gateway.add_paths(web.paths);
    }
    ~capability_lab() { lab.hub.forget_grants(); }

    // What the client's `grant` was answered with.
    received grant(test_client& client, std::uint32_t request = 7, const std::function<void(mbws::frame_writer&)>& more = {}) {
        client.frame(verb::grant, 0, 0, [&](mbws::frame_writer& out) {
            out.set(key::request, std::uint64_t{request});
            if (more) more(out);
        });
        return client.take();
    }
    std::string url(test_client& client, std::uint32_t request = 7, const std::function<void(mbws::frame_writer&)>& more = {}) {
        const auto answer = grant(client, request, more);
        REQUIRE(answer.view.verb == verb::ok);
        const std::string text{answer.view.text(key::url)};
        REQUIRE(text.starts_with("https://host/mbus/cap/"));
        return text;
    }
    std::shared_ptr<http_test::fake_exchange> post(const std::string& url, std::string body, std::vector<mbusd::header_field> headers = {},
                                                   std::string method = "POST") {
        auto call = web.call({.method = std::move(method), .path = url.substr(std::string{"https://host/mbus"}.size()), .encoded_path = {}, .query = {},
                              .headers = std::move(headers), .body = std::move(body), .client = "10.0.0.9", .base_url = {}});
        lab.turn();
        return call;
    }

    router_lab lab;
    http_test::path_caller web;
    http_test::later_calls later;
    std::uint64_t wall = 1'700'000'000'000;
    mbusd::capability_authority authority;
    mbusd::capability_gateway gateway;
};

std::function<void(mbws::frame_writer&)> limited_to(std::string_view commands) {
    return [commands](mbws::frame_writer& out) { out.set(key::command, commands); };
}

}  // namespace

TEST_CASE("what is posted reaches the client that granted the URL, and 202 says so") {
    capability_lab lab;
    auto& door = lab.lab.client();
    const auto entity = door.attach("(app:door)");
    const auto call = lab.post(lab.url(door), R"({"command":"door.open","args":["front"]})", {{"Content-Type", "application/json"}});
    CHECK(call->status() == 202);
    CHECK(call->body().find(R"("result":"queued")") != std::string::npos);
    CHECK(call->header("Cache-Control") == "no-store");
    const auto got = door.take();
    CHECK(got.view.verb == verb::message);
    CHECK(got.view.body == "door.open(\"front\")\r\n");
    CHECK(got.view.text(key::from).find("(app:mbusd id:") == 0);
}

TEST_CASE("an opaque body arrives with its type where it is wanted, else as mbws.data") {
    capability_lab lab;
    auto& door = lab.lab.client();
    door.attach("(app:door)", 1, [](mbws::frame_writer& out) { out.set(key::type, "*/*"); });
    CHECK(lab.post(lab.url(door), "\x89PNG", {{"Content-Type", "image/png"}})->status() == 202);
    const auto got = door.take();
    CHECK(got.view.text(key::type) == "image/png");
    CHECK(got.view.body == "\x89PNG");
}

TEST_CASE("with Prefer: wait the command goes as a request, and the reply comes back as JSON") {
    capability_lab lab;
    auto& door = lab.lab.client();
    const auto entity = door.attach("(app:door)");
    const auto call = lab.post(lab.url(door), "door.state(\"front\")", {{"Prefer", "respond-async, wait=10"}});
    CHECK_FALSE(call->answered());
    const auto asked = door.take();
    CHECK(asked.view.body == "door.state(((\"ID\" \"1\") (\"RPC-TYPE\" \"UNICAST\")) (\"front\"))\r\n");
    door.message(asked.view.text(key::from), R"(door.state.return((("ID" "1") ("RPC-STATUS" "OK")) ((OK OK "fine") ("open" 3))))");
    lab.lab.turn();
    CHECK(call->status() == 200);
    CHECK(call->header("Preference-Applied") == "wait=10");
    CHECK(call->body().find(R"("ok":true,"status":"OK","code":"OK","text":"fine","results":["open",3])") != std::string::npos);
    lab.later.pass(60s);
    CHECK(call->answers == 1);
}

TEST_CASE("a reply that somebody else makes up is none") {
    capability_lab lab;
    auto& door = lab.lab.client();
    door.attach("(app:door)");
    auto& forger = lab.lab.client();
    forger.attach("(app:forger)");
    const auto call = lab.post(lab.url(door), "door.state()", {{"Prefer", "wait=5"}});
    const auto asked = door.take();
    forger.message(asked.view.text(key::from), R"(door.state.return((("ID" "1") ("RPC-STATUS" "OK")) ((OK OK "") ())))");
    lab.lab.turn();
    CHECK_FALSE(call->answered());
}

TEST_CASE("without a reply in time the answer is 504 and says that the message was delivered") {
    capability_lab lab;
    auto& door = lab.lab.client();
    door.attach("(app:door)");
    const auto call = lab.post(lab.url(door), "door.state()", {{"Prefer", "wait=2"}});
    lab.later.pass(1900ms);
    CHECK_FALSE(call->answered());
    lab.later.pass(200ms);
    CHECK(call->status() == 504);
    CHECK(call->body().find(R"("delivered":true)") != std::string::npos);
    CHECK(lab.gateway.waiting() == 0);
}

TEST_CASE("unknown, expired, used up, revoked and orphaned URLs get the very same 404") {
    capability_lab lab;
    auto& door = lab.lab.client();
    door.attach("(app:door)");
    const auto expired = lab.url(door, 11, [](mbws::frame_writer& out) { out.set(key::expiry, std::uint64_t{5}); });
    const auto used_up = lab.url(door, 12, [](mbws::frame_writer& out) { out.set(key::uses, std::uint64_t{1}); });
    const auto revoked = lab.url(door, 13);
    const auto replaced = lab.url(door, 14);
    const auto valid = lab.url(door, 14);
    CHECK(lab.post(used_up, "a.b()")->status() == 202);
    door.take();
    door.frame(verb::revoke, 0, 0, [&](mbws::frame_writer& out) { out.set(key::request, std::uint64_t{9}).set(key::url, revoked); });
    CHECK(door.take().view.verb == verb::ok);
    lab.wall += 5000;

    const auto unknown = lab.post("https://host/mbus/cap/" + std::string(43, 'A'), "a.b()");
    CHECK(unknown->status() == 404);
    for (const auto& url : {expired, used_up, revoked, replaced}) {
        const auto call = lab.post(url, "not even a command");
        CHECK(call->status() == 404);
        CHECK(call->body() == unknown->body());
        CHECK(call->answer->headers.size() == unknown->answer->headers.size());
        CHECK(lab.post(url, "", {}, "GET")->body() == unknown->body());
    }
    CHECK(lab.post(valid, "a.b()")->status() == 202);
    door.take();
    door.lose();
    lab.lab.turn();
    CHECK(lab.post(valid, "a.b()")->body() == unknown->body());
}

TEST_CASE("a client that is away keeps its URL while its session lives") {
    capability_lab lab;
    auto& door = lab.lab.client(16, 60);
    door.attach("(app:door)");
    const auto url = lab.url(door);
    door.lose();
    lab.lab.turn();
    CHECK(lab.post(url, "door.open()")->status() == 202);
    lab.lab.pass(61s);
    CHECK(lab.post(url, "door.open()")->status() == 404);
}

TEST_CASE("a command outside the globs is 403, names what is allowed and counts no use") {
    capability_lab lab;
    auto& door = lab.lab.client();
    door.attach("(app:door)");
    const auto url = lab.url(door, 7, [](mbws::frame_writer& out) { out.set(key::command, "door.open,light.*").set(key::uses, std::uint64_t{1}); });
    const auto call = lab.post(url, "door.open()\ndoor.break()");
    CHECK(call->status() == 403);
    CHECK(call->body().find("door.break") != std::string::npos);
    CHECK(call->body().find("door.open,light.*") != std::string::npos);
    CHECK(door.nothing());
    CHECK(lab.post(url, "light.on()")->status() == 202);
    door.take();
    CHECK(lab.post(lab.url(door, 8, limited_to("door.*")), "\x89", {{"Content-Type", "image/png"}})->status() == 403);
}

TEST_CASE("what can't be read is 400 with its place") {
    capability_lab lab;
    auto& door = lab.lab.client();
    door.attach("(app:door)");
    const auto call = lab.post(lab.url(door), "door.open(");
    CHECK(call->status() == 400);
    CHECK(call->body().find("\"offset\":10") != std::string::npos);
}

TEST_CASE("the rate of the configuration holds for each URL") {
    capability_lab lab{"[capability]\nrate_per_second = 2\n"};
    auto& door = lab.lab.client();
    door.attach("(app:door)");
    const auto url = lab.url(door);
    const auto other = lab.url(door, 8);
    CHECK(lab.post(url, "a.b()")->status() == 202);
    CHECK(lab.post(url, "a.b()")->status() == 202);
    const auto call = lab.post(url, "a.b()");
    CHECK(call->status() == 429);
    CHECK(call->header("Retry-After") == "1");
    CHECK(lab.post(other, "a.b()")->status() == 202);
}

TEST_CASE("a session has as many URLs as capability.per_session allows") {
    capability_lab lab{"[capability]\nper_session = 2\n"};
    auto& door = lab.lab.client();
    door.attach("(app:door)");
    lab.url(door, 11);
    lab.url(door, 12);
    lab.url(door, 12);
    const auto refused = lab.grant(door, 13);
    CHECK(refused.view.verb == verb::nak);
    CHECK(refused.view.text(key::code) == "limit");
    CHECK(refused.view.text(key::text).find("capability.per_session") != std::string_view::npos);
}

TEST_CASE("GET tells what may be sent, until when, how often and which way") {
    capability_lab lab;
    auto& door = lab.lab.client();
    const auto entity = door.attach("(app:door)");
    const auto url = lab.url(door, 7, [](mbws::frame_writer& out) {
        out.set(key::command, "door.*, light.on").set(key::uses, std::uint64_t{3}).set(key::expiry, std::uint64_t{60});
    });
    const auto call = lab.post(url, "", {}, "GET");
    CHECK(call->status() == 200);
    CHECK(call->body().find(R"("commands":["door.*","light.on"],"expires":"2023-11-14T22:14:20.000Z","uses_left":3)") != std::string::npos);
    CHECK(call->body().find(R"({"transport":"mbws","address":")" + entity + "\"}") != std::string::npos);
    CHECK(call->body().find(url.substr(url.rfind('/') + 1)) == std::string::npos);
}

TEST_CASE("a URL of somebody else can't be revoked") {
    capability_lab lab;
    auto& door = lab.lab.client();
    door.attach("(app:door)");
    auto& other = lab.lab.client();
    other.attach("(app:other)");
    const auto url = lab.url(door);
    other.frame(verb::revoke, 0, 0, [&](mbws::frame_writer& out) { out.set(key::request, std::uint64_t{9}).set(key::url, url); });
    const auto answer = other.take();
    CHECK(answer.view.verb == verb::nak);
    CHECK(answer.view.text(key::code) == "not-found");
    CHECK(lab.post(url, "a.b()")->status() == 202);
}

TEST_CASE("detaching the entity ends its URLs, not those of others") {
    capability_lab lab;
    auto& door = lab.lab.client();
    door.attach("(app:door)", 1);
    const auto second = door.attach("(app:light)", 2);
    const auto gone = lab.url(door, 13);
    const auto kept = lab.url(door, 14, [&](mbws::frame_writer& out) { out.set(key::entity, second); });
    door.frame(verb::detach, 0, 0, [](mbws::frame_writer& out) { out.set(key::request, std::uint64_t{5}).set(key::about, std::uint64_t{1}); });
    door.take();
    lab.lab.turn();
    CHECK(lab.post(gone, "a.b()")->status() == 404);
    CHECK(lab.post(kept, "a.b()")->status() == 202);
}

TEST_CASE("tokens never reach the log") {
    capability_lab lab;
    auto& door = lab.lab.client();
    door.attach("(app:door)");
    const auto url = lab.url(door);
    lab.post(url, "a.b()");
    for (const auto& line : lab.lab.logged) CHECK(line.find(url.substr(url.rfind('/') + 1)) == std::string::npos);
}

TEST_CASE("wait is read from any place in Prefer and bounded") {
    CHECK(preferred_wait("wait=5", 60) == 5s);
    CHECK(preferred_wait("respond-async, WAIT = \"7\"; x=1", 60) == 7s);
    CHECK(preferred_wait("wait=100000000000000000000000", 60) == 60s);
    CHECK_FALSE(preferred_wait("wait=0", 60));
    CHECK_FALSE(preferred_wait("wait=-1", 60));
    CHECK_FALSE(preferred_wait("wait=soon", 60));
    CHECK_FALSE(preferred_wait("", 60));
}
