// What the store promises to those who write.
#include "store/store.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "store_lab.hpp"

namespace mbusd {
namespace {

transaction putting(const stored_client& client) {
    transaction out;
    put_client(out, client);
    return out;
}

// No such table: fails by itself, whatever the disk.
constexpr store_statement faulty{"INSERT INTO clients(name, token_hash, attach, send, may, created, expires) VALUES(?1, NULL, '', '', '', 0, 0)"};

}  // namespace

TEST_CASE("what was reported as written is there at the next start") {
    store_lab lab;
    {
        store kept{{.file = lab.where.file()}, lab.thread.post(), lab.log};
        CHECK(kept.keeps());
        kept.start();
        int done = 0;
        kept.submit(putting(client_called("ui")), [&](const mbus::result<void>& written) { done += written.has_value() ? 1 : 0; });
        REQUIRE(lab.thread.run([&] { return done == 1; }));
        CHECK(kept.counters().transactions == 1);
    }
    const auto found = clients_in(lab);
    REQUIRE(found.size() == 1);
    CHECK(found.at("ui") == client_called("ui"));
}

TEST_CASE("done comes in the order of submit, never inside it") {
    store_lab lab;
    store kept{{.file = lab.where.file()}, lab.thread.post(), lab.log};
    kept.start();
    std::vector<int> order;
    for (int i = 0; i < 500; ++i) {
        kept.submit(putting(client_called("c" + std::to_string(i))), [&order, i](const mbus::result<void>&) { order.push_back(i); });
        CHECK(order.empty());
    }
    REQUIRE(lab.thread.run([&] { return order.size() == 500; }));
    for (int i = 0; i < 500; ++i) CHECK(order[static_cast<std::size_t>(i)] == i);
    CHECK(kept.waiting_statements() == 0);
    CHECK(kept.waiting_octets() == 0);
}

TEST_CASE("what gathers while a commit is under way goes together into the next one") {
    store_lab lab;
    store kept{{.file = lab.where.file()}, lab.thread.post(), lab.log};
    int done = 0;
    // All of these wait for the worker, which begins now.
    for (int i = 0; i < 1000; ++i) kept.submit(putting(client_called("c" + std::to_string(i))), [&](const mbus::result<void>&) { ++done; });
    kept.start();
    REQUIRE(lab.thread.run([&] { return done == 1000; }));
    CHECK(kept.counters().commits == 1);
    CHECK(kept.counters().transactions == 1000);
}

TEST_CASE("given a transaction that can't be written, then it alone fails, as a whole") {
    store_lab lab;
    std::vector<bool> outcomes;
    const auto note = [&](const mbus::result<void>& written) { outcomes.push_back(written.has_value()); };
    {
        store kept{{.file = lab.where.file()}, lab.thread.post(), lab.log};
        kept.submit(putting(client_called("before")), note);
        auto bad = putting(client_called("half"));
        bad.add(faulty, "x");
        kept.submit(std::move(bad), note);
        kept.submit(putting(client_called("after")), note);
        kept.start();
        REQUIRE(lab.thread.run([&] { return outcomes.size() == 3; }));
        CHECK(kept.problem() == "");  // the disk is not to blame
        CHECK(kept.counters().failed == 1);
    }
    CHECK(outcomes == std::vector<bool>{true, false, true});
    const auto found = clients_in(lab);
    CHECK(found.size() == 2);
    CHECK(found.count("half") == 0);
}

TEST_CASE("close writes what waits, and later transactions are told that the daemon stops") {
    store_lab lab;
    {
        store kept{{.file = lab.where.file()}, lab.thread.post(), lab.log};
        for (int i = 0; i < 100; ++i) kept.submit(putting(client_called("c" + std::to_string(i))), {});
        kept.close();
        mbus::errc code{};
        kept.submit(putting(client_called("late")), [&](const mbus::result<void>& written) { code = written.error().code; });
        lab.thread.run_posted();
        CHECK(code == mbus::errc::shutting_down);
    }
    CHECK(clients_in(lab).size() == 100);
}

TEST_CASE("no done runs after the store has gone") {
    store_lab lab;
    int done = 0;
    {
        store kept{{.file = lab.where.file()}, lab.thread.post(), lab.log};
        kept.start();
        kept.submit(putting(client_called("ui")), [&](const mbus::result<void>&) { ++done; });
    }
    lab.thread.run_posted();
    CHECK(done == 0);
    CHECK(clients_in(lab).size() == 1);
}

TEST_CASE("without a file everything succeeds and nothing is kept") {
    store_lab lab;
    store kept{{}, lab.thread.post(), lab.log};
    kept.start();
    CHECK_FALSE(kept.keeps());
    CHECK(kept.problem() == "");
    int done = 0;
    kept.submit(putting(client_called("ui")), [&](const mbus::result<void>& written) { done += written.has_value() ? 1 : 0; });
    CHECK(done == 0);
    lab.thread.run_posted();
    CHECK(done == 1);
    int rows = 0;
    CHECK(load_clients(kept, [&](stored_client&&) { ++rows; }).has_value());
    CHECK(rows == 0);
}

TEST_CASE("given more than may wait, then busy is said in time, further ones are refused in their turn, and room is told") {
    store_lab lab;
    store kept{{.file = lab.where.file()}, lab.thread.post(), lab.log};
    int rooms = 0;
    kept.on_room([&] { ++rooms; });
    constexpr std::size_t octets = 1024 * 1024;
    std::vector<bool> outcomes;
    std::size_t busy_from = 0;
    const std::size_t count = waiting_octets_max / octets + 2;
    for (std::size_t i = 0; i < count; ++i) {
        auto large = client_called("large");
        large.name = std::string(octets, 'x');
        kept.submit(putting(large), [&](const mbus::result<void>& written) { outcomes.push_back(written.has_value()); });
        if (busy_from == 0 && kept.busy()) busy_from = i + 1;
    }
    CHECK(busy_from > 0);
    CHECK(busy_from <= waiting_octets_max / octets / 2);
    CHECK(kept.waiting_octets() <= waiting_octets_max);
    kept.start();
    REQUIRE(lab.thread.run([&] { return outcomes.size() == count; }));
    CHECK(outcomes.front());
    CHECK_FALSE(outcomes.back());
    CHECK(rooms == 1);
    CHECK_FALSE(kept.busy());
}

}  // namespace mbusd
