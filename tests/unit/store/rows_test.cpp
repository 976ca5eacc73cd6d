// The tables: what was put comes back as it was.
#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include "store/grant_rows.hpp"
#include "store_lab.hpp"

namespace mbusd {
namespace {

mbus::address parsed(std::string_view text) {
    auto out = mbus::address::parse(text);
    REQUIRE(out.has_value());
    return *out;
}

void write(store_lab& lab, transaction changes) {
    store kept{{.file = lab.where.file()}, lab.thread.post(), lab.log};
    kept.submit(std::move(changes), {});
}

std::vector<stored_grant> grants_in(store_lab& lab) {
    std::vector<stored_grant> out;
    store kept{{.file = lab.where.file()}, lab.thread.post(), lab.log};
    CHECK(load_grants(kept, [&](stored_grant&& one) { out.push_back(std::move(one)); }).has_value());
    return out;
}

const stored_grant door{.token_hash = std::string(31, '\0') + "g", .session = std::numeric_limits<std::uint64_t>::max(),
                        .entity = "(app:door id:1-1@10.0.0.1)", .commands = "door.*,lamp.?", .expires_ms = 77, .uses_left = 2,
                        .created_ms = 5, .last_used_ms = 0};

}  // namespace

TEST_CASE("a client comes back with all its rights") {
    store_lab lab;
    auto client = client_called("ui");
    client.token_hash = std::string("\0\xff", 2) + std::string(30, 'h');
    client.rights.attach = {mbus::address{}, parsed("(app:ui module:page)")};
    client.rights.send = {parsed("(media:audio)")};
    client.rights.monitor = client.rights.link = true;
    client.expires_ms = 99;
    transaction changes;
    put_client(changes, client);
    write(lab, std::move(changes));
    const auto found = clients_in(lab);
    REQUIRE(found.size() == 1);
    CHECK(found.at("ui") == client);
}

TEST_CASE("a client is replaced, and dropped") {
    store_lab lab;
    transaction changes;
    put_client(changes, client_called("ui", 'a'));
    put_client(changes, client_called("ui", 'b'));
    put_client(changes, client_called("other"));
    drop_client(changes, "other");
    write(lab, std::move(changes));
    const auto found = clients_in(lab);
    REQUIRE(found.size() == 1);
    CHECK(found.at("ui") == client_called("ui", 'b'));
}

TEST_CASE("a right that this daemon does not know is no right at all, and said") {
    store_lab lab;
    static constexpr store_statement odd{"INSERT INTO clients(name, token_hash, attach, send, may, created, expires) "
                                         "VALUES('odd', x'00', '', '', 'fly', 0, 0)"};
    transaction changes;
    changes.add(odd);
    write(lab, std::move(changes));
    store kept{{.file = lab.where.file()}, lab.thread.post(), lab.log};
    int rows = 0;
    const auto read = load_clients(kept, [&](stored_client&&) { ++rows; });
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().text.find("client odd") != std::string::npos);
    CHECK(rows == 0);
}

TEST_CASE("a grant comes back, and counts its uses") {
    store_lab lab;
    transaction changes;
    put_grant(changes, door);
    write(lab, std::move(changes));
    CHECK(grants_in(lab) == std::vector<stored_grant>{door});
    transaction uses;
    for (int i = 0; i < 3; ++i) use_grant(uses, door.token_hash, 42);
    write(lab, std::move(uses));
    const auto found = grants_in(lab);
    REQUIRE(found.size() == 1);
    CHECK(found.front().uses_left == 0);
    CHECK(found.front().last_used_ms == 42);
}

TEST_CASE("a grant without a limit stays without one") {
    store_lab lab;
    auto open = door;
    open.uses_left.reset();
    transaction changes;
    put_grant(changes, open);
    use_grant(changes, open.token_hash, 43);
    write(lab, std::move(changes));
    CHECK_FALSE(grants_in(lab).at(0).uses_left.has_value());
}

TEST_CASE("grants go one by one and with their session") {
    store_lab lab;
    transaction changes;
    for (const char mark : {'a', 'b', 'c'}) {
        auto one = door;
        one.token_hash = std::string(32, mark);
        one.session = mark == 'c' ? 2 : 1;
        put_grant(changes, one);
    }
    drop_grant(changes, std::string(32, 'a'));
    write(lab, std::move(changes));
    CHECK(grants_in(lab).size() == 2);
    transaction end;
    drop_grants_of(end, 1);
    write(lab, std::move(end));
    const auto left = grants_in(lab);
    REQUIRE(left.size() == 1);
    CHECK(left.front().token_hash == std::string(32, 'c'));
}

}  // namespace mbusd
