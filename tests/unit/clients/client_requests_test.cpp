// The requests about clients, sent to a real router (docs/daemon-commands.md).
#include "clients/client_requests.hpp"

#include <doctest/doctest.h>

#include <string>

#include "config/client_token.hpp"
#include "unit/router/router_lab.hpp"
#include "unit/store/store_lab.hpp"

using namespace router_test;
using mbws::key;
using mbws::verb;

namespace {

constexpr std::uint64_t now_ms = 1'700'000'000'000;

struct requests_lab {
    requests_lab() {
        lab.hub.use_clients(clients);
        clients.on_withdrawn([this](const std::string& identity) { lab.hub.end_sessions_of(identity, mbus::errc::unauthorized, "withdrawn"); });
        mbusd::add_client_requests(lab.hub.requests(), clients, [] { return now_ms; });
        kept.start();
    }

    // The body of the reply.
    std::string ask(test_client& client, const std::string& name, const std::string& arguments) {
        client.message("(module:mbusd)", "mbusd." + name + "(((\"ID\" \"7\") (\"RPC-TYPE\" \"UNICAST\")) " + arguments + ")");
        while (client.nothing()) REQUIRE(disk.thread.run([transactions = kept.counters().transactions, this] {
            return kept.counters().transactions != transactions || kept.waiting_statements() == 0;
        }));
        const auto reply = client.take();
        REQUIRE(reply.view.verb == verb::message);
        return std::string{reply.view.body};
    }

    mbusd::store_lab disk;
    mbusd::store kept{{.file = disk.where.file()}, disk.thread.post(), disk.log};
    mbusd::client_table clients{kept, [] { return now_ms; }};
    router_lab lab;
};

std::string arguments_for(const std::string& token, const std::string& options) {
    return "(\"ui\" \"" + mbusd::hex_of_hash(mbusd::hash_token(token)) + "\" (" + options + "))";
}

bool says(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("given an administrator who adds a client, then its token opens a session with what it was given") {
    requests_lab lab;
    auto& admin = lab.lab.client();
    admin.attach("(app:admin)");
    const auto token = mbusd::make_token();
    const auto added = lab.ask(admin, "client-add",
                               arguments_for(token, "(\"attach\" (\"(app:ui)\")) (\"send\" (\"()\")) (\"monitor\" 1) (\"expires-seconds\" 60)"));
    CHECK(says(added, "(\"RPC-STATUS\" \"OK\")"));

    const auto who = lab.clients.find_client(token);
    REQUIRE(who != nullptr);
    CHECK_FALSE(who->rights->refuses_attach(*mbus::address::parse("(app:ui id:1-1@h)")).has_value());
    CHECK(who->rights->refuses_attach(*mbus::address::parse("(app:other)")).has_value());
    CHECK_FALSE(who->rights->refuses_monitor().has_value());
    CHECK(who->rights->refuses_administer().has_value());

    const auto rows = lab.ask(admin, "clients", "()");
    CHECK(says(rows, "(\"total\" 1)"));
    CHECK(says(rows, "(\"name\" \"ui\") (\"attach\" (\"(app:ui)\")) (\"send\" (\"()\")) (\"monitor\" 1)"));
    CHECK(says(rows, "(\"expires-ms\" " + std::to_string(now_ms + 60'000) + ")"));
    CHECK_FALSE(says(rows, mbusd::hex_of_hash(mbusd::hash_token(token))));
}

TEST_CASE("given a client that is removed, then its session ends") {
    requests_lab lab;
    auto& admin = lab.lab.client();
    admin.attach("(app:admin)");
    const auto token = mbusd::make_token();
    lab.ask(admin, "client-add", arguments_for(token, "(\"attach\" (\"()\"))"));
    auto& page = lab.lab.unconnected(lab.clients.find_client(token));
    page.connect();
    CHECK(page.take().view.verb == verb::connected);
    page.attach("(app:ui)");
    CHECK(says(lab.ask(admin, "client-remove", "(\"ui\")"), "(\"RPC-STATUS\" \"OK\")"));
    lab.lab.turn();
    const auto last = page.take();
    CHECK(last.view.verb == verb::error);
    CHECK(says(lab.ask(admin, "client-remove", "(\"ui\")"), "(FAILED not-found \"there is no client ui"));
}

TEST_CASE("a connection whose token was withdrawn before it said connect gets no session") {
    requests_lab lab;
    auto& admin = lab.lab.client();
    admin.attach("(app:admin)");
    const auto token = mbusd::make_token();
    lab.ask(admin, "client-add", arguments_for(token, "(\"attach\" (\"()\"))"));
    const auto who = lab.clients.find_client(token);
    lab.ask(admin, "client-remove", "(\"ui\")");
    auto& late = lab.lab.unconnected(who);
    late.connect();
    CHECK(late.token.empty());
    CHECK(lab.lab.hub.counters().sessions_refused == 1);
}

TEST_CASE("clients are the administrator's affair") {
    requests_lab lab;
    auto& user = lab.lab.client_of("bob", {"mbus-users"});
    user.attach("(app:asker)");
    for (const auto& [name, arguments] : {std::pair{"clients", std::string{"()"}}, std::pair{"client-remove", std::string{"(\"ui\")"}},
                                          std::pair{"client-add", arguments_for(mbusd::make_token(), "")}}) {
        CHECK(says(lab.ask(user, name, arguments), "(FAILED forbidden "));
    }
    CHECK(lab.clients.size() == 0);
}

TEST_CASE("what is not understood is refused, since it may have been a limit") {
    requests_lab lab;
    auto& admin = lab.lab.client();
    admin.attach("(app:admin)");
    const auto token = mbusd::make_token();
    for (const auto* options : {"(\"flies\" 1)", "(\"monitor\" 2)", "(\"attach\" \"(app:x)\")", "(\"send\" (\"app\"))", "(\"expires-seconds\" 0)",
                                "(\"expires-seconds\" 9223372036854775807)", "7", "(\"monitor\")"}) {
        CAPTURE(options);
        CHECK(says(lab.ask(admin, "client-add", arguments_for(token, options)), "(FAILED bad-argument "));
    }
    for (const auto* arguments : {"()", "(\"ui\")", "(\"ui\" \"abc\")", "(\"ui\" 7)"}) {
        CAPTURE(arguments);
        CHECK(says(lab.ask(admin, "client-add", arguments), "(FAILED bad-argument "));
    }
    CHECK(says(lab.ask(admin, "client-remove", "()"), "(FAILED bad-argument "));
    CHECK(lab.clients.size() == 0);
}

TEST_CASE("given keys of a password, then the client is an account without a token") {
    requests_lab lab;
    auto& admin = lab.lab.client();
    admin.attach("(app:admin)");
    const std::string salt = "<MDEyMzQ1Njc=>";
    const std::string sha1 = "(\"SCRAM-SHA-1\" 10000 " + salt + " <AAAAAAAAAAAAAAAAAAAAAAAAAAA=> <AAAAAAAAAAAAAAAAAAAAAAAAAAA=>)";
    const std::string key = "<AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=>";
    const auto sha256 = "(\"SCRAM-SHA-256\" 10000 " + salt + " " + key + " " + key + ")";
    const auto add = [&](const std::string& hash, const std::string& logins) {
        return lab.ask(admin, "client-add", "(\"ann\" \"" + hash + "\" ((\"send\" (\"()\")) (\"xmpp\" (" + logins + "))))");
    };
    CHECK(says(add("", sha1), "bad-argument"));
    CHECK(says(add("", sha1 + " " + sha1), "bad-argument"));
    CHECK(says(add("", sha1 + " " + sha256 + " " + sha256), "bad-argument"));
    CHECK(says(add("", sha1 + " (\"SCRAM-SHA-256\" 100 " + salt + " " + key + " " + key + ")"), "bad-argument"));
    CHECK(says(add(mbusd::hex_of_hash(mbusd::hash_token("x")), sha1 + " " + sha256), "a token or a password"));
    CHECK(says(add("", sha1 + " " + sha256), "(\"RPC-STATUS\" \"OK\")"));
    CHECK(says(lab.ask(admin, "clients", "()"), "(\"kind\" \"xmpp\")"));
    REQUIRE(lab.clients.login_of("ann", "SCRAM-SHA-256") != nullptr);
    CHECK(lab.clients.login_of("ann", "SCRAM-SHA-256")->salt == "01234567");
}
