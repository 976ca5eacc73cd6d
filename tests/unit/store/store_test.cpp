// What the store promises to those who write.
#include "store/store.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "store/queue_rows.hpp"
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

TEST_CASE("given a transaction larger than all that may wait, then it is written when nothing else waits") {
    store_lab lab;
    store kept{{.file = lab.where.file()}, lab.thread.post(), lab.log};
    transaction changes;
    const auto body = std::make_shared<std::string>(1024 * 1024, 'x');
    for (std::uint64_t id = 1; id <= waiting_octets_max / body->size() + 1; ++id) {
        auto job = std::make_shared<job_content>();
        job->body = *body;
        put_job(changes, {.id = id, .queue = "large", .content = std::move(job)});
    }
    std::vector<bool> outcomes;
    kept.submit(std::move(changes), [&](const mbus::result<void>& written) { outcomes.push_back(written.has_value()); });
    kept.submit(putting(client_called("next")), [&](const mbus::result<void>& written) { outcomes.push_back(written.has_value()); });
    kept.start();
    REQUIRE(lab.thread.run([&] { return outcomes.size() == 2; }));
    CHECK(outcomes == std::vector<bool>{true, false});
}

TEST_CASE("given a burst that is over, then its room goes back to the file system while the store runs") {
    store_lab lab;
    store kept{{.file = lab.where.file()}, lab.thread.post(), lab.log};
    kept.start();
    std::size_t written = 0;
    const auto submit = [&](transaction changes) {
        kept.submit(std::move(changes), [&](const mbus::result<void>& outcome) { written += outcome ? 1U : 0U; });
    };
    const auto content = std::make_shared<job_content>();
    content->body.assign(1U << 20, 'x');
    constexpr std::uint64_t jobs = 40;
    transaction more;
    for (std::uint64_t id = 1; id <= jobs; ++id) put_job(more, {.id = id, .queue = "burst", .content = content});
    submit(std::move(more));
    transaction fewer;
    drop_queue(fewer, "burst");
    submit(std::move(fewer));
    // Some room is given back in each moment without work that follows a commit.
    for (std::size_t turn = 0; std::filesystem::file_size(lab.where.file()) >= 24U << 20; ++turn) {
        REQUIRE(turn < 400);
        submit(putting(client_called("later" + std::to_string(turn))));
        REQUIRE(lab.thread.run([&] { return written == turn + 3; }));
        std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
}

}  // namespace mbusd
