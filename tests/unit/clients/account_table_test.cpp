// Accounts: clients with a password.
#include "clients/account_table.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>

#include "config/client_token.hpp"
#include "unit/store/store_lab.hpp"

namespace mbusd {
namespace {

stored_login login_of(scram_hash hash, std::string_view password) {
    const auto keys = make_scram_keys(hash, password, "0123456789abcdef", scram_iterations_min);
    return {.mechanism = hash == scram_hash::sha1 ? "SCRAM-SHA-1" : "SCRAM-SHA-256", .iterations = keys.iterations, .salt = keys.salt,
            .stored_key = keys.stored_key, .server_key = keys.server_key};
}

stored_client account(const std::string& name, std::string_view password) {
    stored_client out{.name = name, .token_hash = hash_of_no_token(name), .rights = {}};
    out.rights.send = {mbus::address{}};
    out.logins = {login_of(scram_hash::sha1, password), login_of(scram_hash::sha256, password)};
    return out;
}

struct accounts_lab : store_lab {
    accounts_lab() { open(); }

    void open() {
        accounts.reset();
        clients.reset();
        kept.reset();
        thread.run_posted();
        kept.emplace(store_options{.file = where.file()}, thread.post(), log);
        clients.emplace(*kept, [this] { return now; });
        CHECK(clients->load().has_value());
        accounts.emplace(*clients, *kept, "Bus.Example");
        CHECK(accounts->load().has_value());
        kept->start();
    }
    std::string add(const stored_client& client, bool replace = false) {
        std::optional<std::string> said;
        clients->add(client, replace, [&](const mbus::result<void>& done) { said = done ? "" : done.error().text; });
        REQUIRE(thread.run([&] { return said.has_value(); }));
        return *said;
    }

    std::uint64_t now = 1000;
    std::optional<store> kept;
    std::optional<client_table> clients;
    std::optional<account_table> accounts;
};

}  // namespace

TEST_CASE("a password is good when it is stored, and after a restart") {
    accounts_lab lab;
    REQUIRE(lab.add(account("ann", "secret")).empty());
    for (int run = 0; run < 2; ++run) {
        const auto who = lab.accounts->check("ann", "secret");
        REQUIRE(who);
        CHECK(who->user.client == "ann");
        CHECK(lab.accounts->check("ann", "secret") == who);  // remembered
        CHECK(lab.accounts->check("Ann", "secret") == who);  // RFC 7622, section 3.3
        CHECK_FALSE(lab.accounts->check("ann", "Secret"));
        CHECK_FALSE(lab.accounts->check("ann", ""));
        CHECK(password_fits(lab.accounts->keys_of("ann", scram_hash::sha1), "secret"));
        lab.open();
    }
}

TEST_CASE("block lists are there after a restart, until the account goes (XEP-0191)") {
    accounts_lab lab;
    REQUIRE(lab.add(account("ann", "secret")).empty());
    lab.accounts->keep_blocked("ann", "eve@bus.example", true);
    lab.accounts->keep_blocked("ann", "spam.example", true);
    lab.accounts->keep_blocked("ann", "spam.example", false);
    lab.kept->close();
    lab.open();
    REQUIRE(lab.accounts->blocked_at_start().size() == 1);
    CHECK(lab.accounts->blocked_at_start().front() == std::pair<std::string, std::string>{"ann", "eve@bus.example"});
    lab.clients->remove("ann", [](const auto&) {});
    lab.kept->close();
    lab.open();
    CHECK(lab.accounts->blocked_at_start().empty());
}

TEST_CASE("an unknown account has keys that stay the same, also after a restart [xmpp 40]") {
    accounts_lab lab;
    const auto first = lab.accounts->keys_of("nobody", scram_hash::sha256);
    CHECK(first.iterations >= scram_iterations_min);
    CHECK_FALSE(first.salt.empty());
    // The secret is on its way to the disk.
    bool written = false;
    lab.kept->submit({}, [&](const mbus::result<void>&) { written = true; });
    REQUIRE(lab.thread.run([&] { return written; }));
    lab.open();
    CHECK(lab.accounts->keys_of("nobody", scram_hash::sha256).salt == first.salt);
    CHECK(lab.accounts->keys_of("somebody", scram_hash::sha256).salt != first.salt);
    CHECK_FALSE(lab.accounts->check("nobody", "secret"));
}

TEST_CASE("a new password ends the old one, and a client with a token has no password") {
    accounts_lab lab;
    REQUIRE(lab.add(account("ann", "old")).empty());
    REQUIRE(lab.accounts->check("ann", "old"));
    REQUIRE(lab.add(account("ann", "new"), true).empty());
    CHECK_FALSE(lab.accounts->check("ann", "old"));
    CHECK(lab.accounts->check("ann", "new"));
    stored_client token{.name = "ann", .token_hash = hash_token(make_token()), .rights = {}};
    REQUIRE(lab.add(token, true).empty());
    CHECK_FALSE(lab.accounts->check("ann", "new"));
    CHECK_FALSE(lab.accounts->find("ann"));
    lab.open();
    CHECK_FALSE(lab.accounts->check("ann", "new"));
}

TEST_CASE("an account ends when it expires") {
    accounts_lab lab;
    auto short_lived = account("ann", "secret");
    short_lived.expires_ms = 2000;
    REQUIRE(lab.add(short_lived).empty());
    CHECK(lab.accounts->check("ann", "secret"));
    lab.now = 2000;
    CHECK_FALSE(lab.accounts->check("ann", "secret"));
}

TEST_CASE("names of accounts have no capital letters") {
    accounts_lab lab;
    CHECK(lab.add(account("Ann", "secret")).find("capital") != std::string::npos);
}

TEST_CASE("nobody's authzid but the own one is taken [xmpp 39]") {
    accounts_lab lab;
    CHECK(lab.accounts->is_own_name("ann", "ann"));
    CHECK(lab.accounts->is_own_name("Ann@bus.example", "ann"));
    CHECK_FALSE(lab.accounts->is_own_name("ann@other.example", "ann"));
    CHECK_FALSE(lab.accounts->is_own_name("bob", "ann"));
}

TEST_CASE("guests have what a rule for @guest grants, else nothing") {
    accounts_lab lab;
    CHECK_FALSE(lab.accounts->guest());
    rights_rule rule;
    rule.clients = {"@guest"};
    rule.send = {*mbus::address::parse("(app:chat)")};
    lab.clients->use_rights(rights_table{{rule}});
    const auto guest = lab.accounts->guest();
    REQUIRE(guest);
    CHECK_FALSE(guest->rights->refuses_send(*mbus::address::parse("(app:chat)")));
    CHECK(guest->rights->refuses_send(*mbus::address::parse("(app:door)")));
}

}  // namespace mbusd
