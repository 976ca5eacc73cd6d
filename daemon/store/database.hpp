// One SQLite file: opened, brought up to date, read and written. The only place besides store_row that
// knows SQLite; which thread calls is the caller's affair, one at a time.
//
//     auto opened = database::open(file, sync_full);
//     opened->begin();  opened->run(changes);  opened->commit();
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include <mbus/result.hpp>

#include "store/transaction.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace mbusd {

class database {
public:
    // Errors are sentences that name the file and say what to do.
    static mbus::result<std::unique_ptr<database>> open(std::string file, bool sync_full);
    ~database();
    database(const database&) = delete;
    database& operator=(const database&) = delete;

    mbus::result<void> select(const store_statement& what, const std::function<void(sqlite3_stmt*)>& visit);

    mbus::result<void> begin();
    mbus::result<void> run(const transaction& changes);
    mbus::result<void> commit();
    void rollback() noexcept;

    // Writes a page that changes nothing: whether writing is possible again.
    mbus::result<void> probe();
    // The last error says that the file is damaged: no later success unsays it.
    [[nodiscard]] bool damaged() const noexcept { return damaged_; }
    // Gives freed pages back to the file system.
    void shrink() noexcept;
    // A part of them, when there are many: what a burst leaves behind is given back while the daemon runs.
    void shrink_some() noexcept;

private:
    explicit database(std::string file) : file_(std::move(file)) {}

    mbus::result<void> prepare_file(bool sync_full);
    mbus::result<void> migrate();
    mbus::result<void> execute(const char* sql);
    mbus::result<std::int64_t> number_of(const char* sql);
    mbus::result<sqlite3_stmt*> prepared(const store_statement& what);
    mbus::result<void> run_one(const store_statement& what, const store_value* values, std::size_t count);
    // `internal`: disk or file are at fault; `bad_value`: what was to be written.
    mbus::error failure(int code);

    std::string file_;
    sqlite3* connection_ = nullptr;
    std::unordered_map<const store_statement*, sqlite3_stmt*> statements_;
    bool damaged_ = false;
};

}  // namespace mbusd
