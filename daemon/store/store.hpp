// What outlives the daemon: tokens, grants, durable sessions and queues, in one SQLite file.
//
//     store kept{{.file = state.path() + "/mbusd.db"}, post, log};   // post: run this on the main thread
//     kept.load(select_pets, [](const store_row& row) { ... });      // at the start only, waits
//     kept.start();
//     transaction changes;
//     put_pet(changes, rex);
//     kept.submit(std::move(changes), [](const mbus::result<void>& written) { ... });
//     kept.close();                                                  // writes what waits
//
// A transaction is written as a whole or not at all. What submit() got is written in that order by one
// worker thread; one commit is under way, and what gathers meanwhile goes together into the next one.
// `done` runs on the main thread, in the order of submit(), when the commit has reached the disk: what
// was reported there survives kill -9 at once, and with sync `full` the loss of power too.
// A transaction that fails (disk full, file damaged) leaves nothing behind, its `done` gets a sentence,
// and the others of its commit are written without it.
//
// Without a file everything succeeds and nothing is kept. A file that can't be used (damaged, of a newer
// daemon, in use) never keeps the daemon from starting: problem() says what is wrong with it, and every
// transaction fails with that sentence.
// Called from one thread; `log` outlives it. No `done` runs inside submit(), nor after the destructor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <mbus/result.hpp>

#include "runtime/log.hpp"
#include "store/transaction.hpp"

struct sqlite3_stmt;

namespace mbusd {

// What may wait for the worker. Beyond it submit() refuses, unless nothing else waits; busy() says so from half of it on, so that
// whoever takes over messages stops in time. 64 MiB are about a second of a common disk.
inline constexpr std::size_t waiting_octets_max = 64 * 1024 * 1024;
inline constexpr std::size_t waiting_statements_max = 131072;

struct store_options {
    std::string file;         // empty: nothing is kept
    bool sync_full = true;    // else commits reach the disk at checkpoints: the last may go with the power
};

// One row of a SELECT, as load() shows it; columns count from 0. The views live until the next row.
class store_row {
public:
    explicit store_row(sqlite3_stmt* at) noexcept : at_(at) {}
    [[nodiscard]] bool null(int column) const noexcept;
    [[nodiscard]] std::int64_t integer(int column) const noexcept;
    [[nodiscard]] std::uint64_t number(int column) const noexcept { return static_cast<std::uint64_t>(integer(column)); }
    [[nodiscard]] bool flag(int column) const noexcept { return integer(column) != 0; }
    [[nodiscard]] std::string_view text(int column) const noexcept { return octets(column); }
    [[nodiscard]] std::string_view octets(int column) const noexcept;

private:
    sqlite3_stmt* at_;
};

struct store_counters {
    std::uint64_t transactions = 0;  // written
    std::uint64_t failed = 0;
    std::uint64_t commits = 0;
};

class store {
public:
    using done_function = std::function<void(const mbus::result<void>& written)>;
    using post_function = std::function<void(std::function<void()>)>;  // from any thread
    using row_function = std::function<void(const store_row&)>;

    // Opens the file (made with mode 0600) and brings its tables up to date.
    store(store_options options, post_function post, logger& log);
    ~store();
    store(const store&) = delete;
    store& operator=(const store&) = delete;

    // True when what is written is there at the next start: the right `durable` can be given.
    [[nodiscard]] bool keeps() const noexcept;
    // Why nothing can be written, a whole sentence; empty: all is well.
    [[nodiscard]] const std::string& problem() const noexcept;
    // Called when problem() has changed: for readiness and status.
    void on_problem(std::function<void()> changed);

    // The rows of a SELECT without parameters, before start(). A file with a problem has none.
    mbus::result<void> load(const store_statement& select, const row_function& visit);

    // From here on a worker writes.
    void start();

    // `done` may be empty. An empty transaction is done in its turn like any other.
    void submit(transaction changes, done_function done);

    // True when so much waits that callers should hold back.
    [[nodiscard]] bool busy() const noexcept;
    // Called once when busy() has become false again.
    void on_room(std::function<void()> room);

    [[nodiscard]] const store_counters& counters() const noexcept;
    [[nodiscard]] std::size_t waiting_statements() const noexcept;
    [[nodiscard]] std::size_t waiting_octets() const noexcept;

    // Writes what waits and ends the worker. The `done` of all that are posted as always; later
    // transactions fail with shutting_down.
    void close();

private:
    struct state;
    std::shared_ptr<state> state_;
};

}  // namespace mbusd
