// Tokens from the moment they are made to the moment they are withdrawn.
#include "clients/client_table.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

#include "config/client_token.hpp"
#include "unit/store/store_lab.hpp"

namespace mbusd {
namespace {

struct clients_lab : store_lab {
    clients_lab() { open(); }

    void open() {
        clients.reset();
        kept.reset();
        thread.run_posted();
        kept.emplace(store_options{.file = where.file()}, thread.post(), log);
        clients.emplace(*kept, [this] { return now; });
        CHECK(clients->load().has_value());
        clients->on_withdrawn([this](const std::string& identity) { withdrawn.push_back(identity); });
        kept->start();
    }

    // The outcome as text: empty when it went well.
    std::string add(const stored_client& client, bool replace = false) {
        return outcome([&](client_table::done_function done) { clients->add(client, replace, std::move(done)); });
    }
    std::string remove(const std::string& name) {
        return outcome([&](client_table::done_function done) { clients->remove(name, std::move(done)); });
    }
    std::string outcome(const std::function<void(client_table::done_function)>& start) {
        std::optional<std::string> said;
        start([&](const mbus::result<void>& done) { said = done ? "" : std::string{to_string(done.error().code)} + ": " + done.error().text; });
        REQUIRE(thread.run([&] { return said.has_value(); }));
        return *said;
    }

    std::uint64_t now = 1000;
    std::vector<std::string> withdrawn;
    std::optional<store> kept;
    std::optional<client_table> clients;
};

stored_client with_token(const std::string& name, const std::string& token) {
    stored_client out{.name = name, .token_hash = hash_token(token), .rights = {}};
    out.rights.send = {mbus::address{}};
    return out;
}

bool says(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a token is good when it is stored, and after a restart") {
    clients_lab lab;
    const auto token = make_token();
    bool done = false;
    lab.clients->add(with_token("ui", token), false, [&](const mbus::result<void>& written) { done = written.has_value(); });
    CHECK(lab.clients->find_client(token) == nullptr);
    REQUIRE(lab.thread.run([&] { return done; }));
    REQUIRE(lab.clients->find_client(token) != nullptr);
    lab.open();
    const auto who = lab.clients->find_client(token);
    REQUIRE(who != nullptr);
    CHECK(who->user.client == "ui");
    CHECK(who->user.identity() == "client:ui");
    CHECK_FALSE(who->user.owner);
    CHECK(who->user.uid != 0);
    CHECK_FALSE(who->rights->refuses_send(mbus::address{}).has_value());
    CHECK(who->rights->refuses_monitor().has_value());
    CHECK_FALSE(lab.clients->withdrawn(*who));
}

TEST_CASE("other tokens, and what is no token, are nobody's") {
    clients_lab lab;
    const auto token = make_token();
    CHECK(lab.add(with_token("ui", token)) == "");
    CHECK(lab.clients->find_client(make_token()) == nullptr);
    CHECK(lab.clients->find_client("") == nullptr);
    CHECK(lab.clients->find_client(token + "A") == nullptr);
    CHECK(lab.clients->find_client(hash_token(token)) == nullptr);
}

TEST_CASE("a name is given once, unless it is to be replaced; then the old token is withdrawn") {
    clients_lab lab;
    const auto first = make_token();
    const auto second = make_token();
    CHECK(lab.add(with_token("ui", first)) == "");
    const auto refused = lab.add(with_token("ui", second));
    CHECK(says(refused, "conflict: "));
    CHECK(says(refused, "--replace"));
    CHECK(lab.add(with_token("ui", second), true) == "");
    CHECK(lab.withdrawn == std::vector<std::string>{"client:ui"});
    CHECK(lab.clients->find_client(first) == nullptr);
    CHECK(lab.clients->find_client(second) != nullptr);
    lab.open();
    CHECK(lab.clients->find_client(first) == nullptr);
    CHECK(lab.clients->find_client(second) != nullptr);
}

TEST_CASE("one token is never that of two clients") {
    clients_lab lab;
    const auto token = make_token();
    CHECK(lab.add(with_token("ui", token)) == "");
    CHECK(says(lab.add(with_token("door", token)), "that of client ui"));
    lab.open();
    CHECK(lab.clients->find_client(token)->user.client == "ui");
}

TEST_CASE("a token that is withdrawn is bad at once, and after a restart") {
    clients_lab lab;
    const auto token = make_token();
    CHECK(lab.add(with_token("ui", token)) == "");
    const auto who = lab.clients->find_client(token);
    bool done = false;
    lab.clients->remove("ui", [&](const mbus::result<void>& written) { done = written.has_value(); });
    CHECK(lab.clients->find_client(token) == nullptr);
    CHECK(lab.clients->withdrawn(*who));
    CHECK(lab.withdrawn == std::vector<std::string>{"client:ui"});
    REQUIRE(lab.thread.run([&] { return done; }));
    lab.open();
    CHECK(lab.clients->find_client(token) == nullptr);
    CHECK(says(lab.remove("ui"), "not-found: there is no client ui"));
}

TEST_CASE("a client that is just being stored is not removed beside it") {
    clients_lab lab;
    const auto first = make_token();
    CHECK(lab.add(with_token("ui", first)) == "");
    std::string said;
    lab.clients->add(with_token("ui", make_token()), true, [](const mbus::result<void>&) {});
    lab.clients->remove("ui", [&](const mbus::result<void>& done) { said = done ? "" : done.error().text; });
    CHECK(says(said, "try again"));
}

TEST_CASE("a token expires, and is swept out") {
    clients_lab lab;
    const auto token = make_token();
    auto client = with_token("ui", token);
    client.expires_ms = 5000;
    CHECK(lab.add(client) == "");
    CHECK(lab.clients->next_expiry() == 5000);
    CHECK(lab.clients->find_client(token) != nullptr);
    lab.now = 5000;
    CHECK(lab.clients->find_client(token) == nullptr);
    lab.clients->sweep();
    CHECK(lab.withdrawn == std::vector<std::string>{"client:ui"});
    CHECK(lab.clients->next_expiry() == 0);
    CHECK(lab.clients->size() == 0);
}

TEST_CASE("rules that name a client add to what its token was given") {
    clients_lab lab;
    const auto token = make_token();
    CHECK(lab.add(with_token("ui", token)) == "");
    CHECK(lab.clients->find_client(token)->rights->refuses_monitor().has_value());
    rights_rule rule;
    rule.clients = {"u*"};
    rule.monitor = true;
    lab.clients->use_rights(rights_table{{rule}});
    CHECK_FALSE(lab.clients->find_client(token)->rights->refuses_monitor().has_value());
    CHECK_FALSE(lab.clients->find_client(token)->rights->refuses_send(mbus::address{}).has_value());
}

TEST_CASE("names and hashes that are none are refused") {
    clients_lab lab;
    CHECK(says(lab.add(with_token("a b", make_token())), "1 to 64"));
    auto odd = with_token("ui", make_token());
    odd.token_hash.pop_back();
    CHECK(says(lab.add(odd), "32 octets"));
}

}  // namespace mbusd
