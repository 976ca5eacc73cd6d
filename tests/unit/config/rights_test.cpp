// Who may do what, and the sentences for those who may not.
#include <doctest/doctest.h>

#include "config/rights.hpp"

namespace {

mbusd::user_identity user(std::string name, std::vector<std::string> groups) {
    mbusd::user_identity out;
    out.uid = 1001;
    out.name = std::move(name);
    out.groups = std::move(groups);
    return out;
}

mbus::address address(std::string_view text) { return *mbus::address::parse(text); }

}  // namespace

TEST_CASE("members of mbus-users attach and send by default, and do no more") {
    const auto mine = mbusd::rights_table::standard().granted_to(user("bob", {"bob", "mbus-users"}));
    CHECK_FALSE(mine.refuses_connect());
    CHECK_FALSE(mine.refuses_attach(address("(app:player)")));
    CHECK_FALSE(mine.refuses_send(mbus::address{}));
    CHECK(mine.sends_anywhere());
    CHECK(mine.refuses_monitor());
    CHECK(mine.refuses_administer());
    CHECK(mine.refuses_block());
    CHECK_FALSE(mine.durable());
}

TEST_CASE("members of mbus-admin monitor and administer by default") {
    const auto mine = mbusd::rights_table::standard().granted_to(user("eve", {"mbus-admin"}));
    CHECK_FALSE(mine.refuses_send(address("(app:x)")));
    CHECK_FALSE(mine.refuses_monitor());
    CHECK_FALSE(mine.refuses_administer());
    CHECK_FALSE(mine.refuses_block());
}

TEST_CASE("a user without rights is told which group to join") {
    const auto mine = mbusd::rights_table::standard().granted_to(user("bob", {"bob"}));
    CHECK(mine.refuses_connect() ==
          "refused: user bob is not in group mbus-users; run: sudo adduser bob mbus-users, and log in again");
    CHECK(mine.refuses_monitor() == "refused: user bob is not in group mbus-admin, which may monitor; "
                                    "run: sudo adduser bob mbus-admin, and log in again");
}

TEST_CASE("root and the daemon's own user have every right without a rule") {
    auto owner = user("carol", {});
    owner.owner = true;
    const auto mine = mbusd::rights_table{}.granted_to(owner);
    CHECK_FALSE(mine.refuses_connect());
    CHECK_FALSE(mine.refuses_attach(address("(a:b)")));
    CHECK(mine.sends_anywhere());
    CHECK_FALSE(mine.refuses_monitor());
    CHECK(mine.durable());
}

TEST_CASE("patterns limit what is attached and where it is sent") {
    mbusd::rights_rule rule;
    rule.users = {"web*"};
    rule.attach = {address("(app:web)")};
    rule.send = {address("(app:player)"), address("(app:mixer)")};
    const mbusd::rights_table table{{rule}};
    const auto mine = table.granted_to(user("web-1", {}));
    CHECK_FALSE(mine.refuses_connect());
    CHECK_FALSE(mine.refuses_attach(address("(app:web media:audio)")));
    CHECK(mine.refuses_attach(address("(media:audio)")) ==
          "refused: user web-1 may attach only addresses that contain (app:web); use one of these, or extend 'attach' in "
          "[[rights]] of mbusd.toml");
    CHECK_FALSE(mine.refuses_send(address("(app:mixer media:audio)")));
    CHECK(mine.refuses_send(mbus::address{}));
    CHECK(mine.refuses_send(address("(app:other)")) ==
          "refused: user web-1 may send only to addresses that contain (app:player), (app:mixer); use one of these, or "
          "extend 'send' in [[rights]] of mbusd.toml");
    CHECK(table.granted_to(user("bob", {})).refuses_connect());
}

TEST_CASE("rights of all fitting rules add up, and numbers fit like names") {
    mbusd::rights_rule by_number;
    by_number.users = {"1001"};
    by_number.monitor = true;
    mbusd::rights_rule by_group;
    by_group.groups = {"staff"};
    by_group.send = {mbus::address{}};
    const auto mine = mbusd::rights_table{{by_number, by_group}}.granted_to(user("bob", {"staff"}));
    CHECK_FALSE(mine.refuses_monitor());
    CHECK_FALSE(mine.refuses_send(mbus::address{}));
    CHECK(mine.refuses_attach(address("(a:b)")));
}

namespace {

mbusd::user_identity token(std::string name) {
    mbusd::user_identity out;
    out.client = std::move(name);
    out.name = out.identity();
    return out;
}

}  // namespace

TEST_CASE("a token has its own rights and those of the rules that name it") {
    mbusd::rights_rule own;
    own.attach = {address("(app:ui)")};
    mbusd::rights_rule pages;
    pages.clients = {"page-*"};
    pages.monitor = true;
    pages.durable = pages.link = true;
    const mbusd::rights_table table{{pages}};
    const auto mine = table.granted_to(token("page-1"), own);
    CHECK_FALSE(mine.refuses_attach(address("(app:ui id:7-1@h)")));
    CHECK_FALSE(mine.refuses_monitor());
    CHECK(mine.durable());
    CHECK(mine.link());
    const auto other = table.granted_to(token("door"), own);
    CHECK(other.refuses_monitor());
    CHECK_FALSE(other.link());
    CHECK(other.refuses_attach(address("(app:x)")) ==
          "refused: client door may attach only addresses that contain (app:ui); use one of these, or add a [[rights]] rule to "
          "mbusd.toml with clients = [\"door\"] and attach = [...]");
}

TEST_CASE("no rule for users is one for tokens, and none for tokens one for users") {
    mbusd::rights_rule everybody;
    everybody.users = everybody.groups = {"*"};
    everybody.send = {mbus::address{}};
    everybody.administer = true;
    mbusd::rights_rule clients;
    clients.clients = {"*"};
    clients.monitor = true;
    const mbusd::rights_table table{{everybody, clients}};
    CHECK(table.granted_to(token("ui"), {}).refuses_administer());
    CHECK(table.granted_to(token("ui"), {}).refuses_send(address("(app:x)")));
    CHECK(table.granted_to(user("bob", {"bob"})).refuses_monitor());
}

TEST_CASE("a client without a right is told how to get it, and not to join a group") {
    const auto mine = mbusd::rights_table::standard().granted_to(token("ui"), {});
    CHECK(mine.refuses_connect() ==
          "refused: client ui may not use the bus; give it a [[rights]] rule of mbusd.toml with clients = [\"ui\"] and attach = "
          "[\"()\"], or add it anew: mbus client add ui --replace --attach '()' (an XMPP account with --xmpp)");
    CHECK(mine.refuses_administer() ==
          "refused: client ui may not administer; give it a [[rights]] rule of mbusd.toml with clients = [\"ui\"] and administer = "
          "true, or add it anew: mbus client add ui --replace --administer (an XMPP account with --xmpp)");
}
