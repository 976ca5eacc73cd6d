// The file of the store: who may read it, and what is said about one that can't be used.
#include <doctest/doctest.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>

#include "store_lab.hpp"

namespace mbusd {
namespace {

unsigned mode_of(const std::string& file) {
    struct stat about{};
    return ::stat(file.c_str(), &about) == 0 ? about.st_mode & 07777 : 0;
}

void execute(const std::string& file, const std::string& sql) {
    sqlite3* connection = nullptr;
    REQUIRE(sqlite3_open(file.c_str(), &connection) == SQLITE_OK);
    REQUIRE(sqlite3_exec(connection, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
    sqlite3_close(connection);
}

void make_file(store_lab& lab) {
    store kept{{.file = lab.where.file()}, lab.thread.post(), lab.log};
    transaction changes;
    put_client(changes, client_called("ui"));
    kept.submit(std::move(changes), {});
}

// The sentence of a file that can't be used; every transaction fails with it.
std::string problem_of(store_lab& lab) {
    store kept{{.file = lab.where.file()}, lab.thread.post(), lab.log};
    kept.start();
    CHECK_FALSE(kept.keeps());
    std::string said;
    transaction changes;
    put_client(changes, client_called("late"));
    kept.submit(std::move(changes), [&](const mbus::result<void>& written) { said = written ? "written" : written.error().text; });
    lab.thread.run_posted();
    CHECK(said == kept.problem());
    CHECK(lab.lines["error"] == 1);
    return kept.problem();
}

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("the file and its log are for their owner only") {
    const auto before = ::umask(0);
    store_lab lab;
    store kept{{.file = lab.where.file()}, lab.thread.post(), lab.log};
    kept.start();
    bool done = false;
    transaction changes;
    put_client(changes, client_called("ui"));
    kept.submit(std::move(changes), [&](const mbus::result<void>&) { done = true; });
    REQUIRE(lab.thread.run([&] { return done; }));
    CHECK(mode_of(lab.where.file()) == 0600);
    CHECK(mode_of(lab.where.file() + "-wal") == 0600);
    ::umask(before);
}

TEST_CASE("a second daemon does not get the file of the first") {
    store_lab lab;
    const store first{{.file = lab.where.file()}, lab.thread.post(), lab.log};
    CHECK(first.keeps());
    CHECK(says(problem_of(lab), "in use by another process; give each daemon a state.directory of its own"));
}

TEST_CASE("a file of a newer daemon is left alone, and the sentence says what to do") {
    store_lab lab;
    make_file(lab);
    execute(lab.where.file(), "PRAGMA user_version = 4711");
    const auto text = problem_of(lab);
    CHECK(says(text, "newer mbusd (version 4711"));
    CHECK(says(text, "install that mbusd again, or move the file away"));
}

TEST_CASE("a damaged file is named as such") {
    store_lab lab;
    std::ofstream{lab.where.file()} << std::string(8192, 'x');
    CHECK(says(problem_of(lab), "is damaged"));
}

TEST_CASE("given damaged pages, then the table is not half loaded, and not written over") {
    store_lab lab;
    {
        store kept{{.file = lab.where.file()}, lab.thread.post(), lab.log};
        transaction changes;
        for (int i = 0; i < 2000; ++i) put_client(changes, client_called("client-" + std::to_string(i)));
        kept.submit(std::move(changes), {});
    }
    {
        std::fstream file{lab.where.file(), std::ios::in | std::ios::out | std::ios::binary};
        // Behind the schema and the roots of all tables, where only the rows are.
        constexpr std::size_t page = 4096;
        constexpr std::size_t first = 40 * page;
        const auto end = std::filesystem::file_size(lab.where.file());
        REQUIRE(end > first + page);
        file.seekp(first);
        file << std::string(end - first, 'x');
    }
    store kept{{.file = lab.where.file()}, lab.thread.post(), lab.log};
    INFO(kept.problem());
    CHECK(kept.keeps());  // nobody has looked there yet
    const auto read = load_clients(kept, [](stored_client&&) {});
    CHECK_FALSE(read.has_value());
    CHECK_FALSE(kept.keeps());
    CHECK(says(kept.problem(), "damaged"));
}

TEST_CASE("another program's file is left alone") {
    store_lab lab;
    execute(lab.where.file(), "CREATE TABLE theirs(a)");
    CHECK(says(problem_of(lab), "belongs to another program"));
}

TEST_CASE("a folder that is not there is said") {
    store_lab lab;
    std::filesystem::remove_all(lab.where.path);
    CHECK(says(problem_of(lab), "No such file or directory"));
}

TEST_CASE("given a full disk, then transactions fail with a sentence, and it goes on when there is room") {
    store_lab lab;
    store kept{{.file = lab.where.file()}, lab.thread.post(), lab.log};
    int changes_of_state = 0;
    kept.on_problem([&] { ++changes_of_state; });
    kept.start();
    // A limit on file sizes stands for the full disk.
    const auto before_signal = std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    const rlimit small{.rlim_cur = 64 * 1024, .rlim_max = before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
    std::string said;
    transaction large;
    auto client = client_called("large");
    client.name = std::string(1024 * 1024, 'x');
    put_client(large, client);
    bool done = false;
    kept.submit(std::move(large), [&](const mbus::result<void>& written) { done = true; said = written ? "" : written.error().text; });
    const bool answered = lab.thread.run([&] { return done; });
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, before_signal);
    REQUIRE(answered);
    CHECK(says(said, lab.where.file()));
    CHECK(kept.problem() == said);
    CHECK(kept.keeps());
    done = false;
    transaction next;
    put_client(next, client_called("ui"));
    kept.submit(std::move(next), [&](const mbus::result<void>& written) { done = true; CHECK(written.has_value()); });
    REQUIRE(lab.thread.run([&] { return done; }));
    CHECK(kept.problem() == "");
    CHECK(changes_of_state == 2);
}

}  // namespace mbusd
