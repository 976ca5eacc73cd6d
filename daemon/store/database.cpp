#include "store/database.hpp"

#include <fcntl.h>
#include <sqlite3.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "runtime/unique_fd.hpp"
#include "store/schema.hpp"

namespace mbusd {
namespace {

constexpr int file_mode = 0600;

// Unused pages that stay in the file, since they are used again soon: 16 MiB.
constexpr std::int64_t free_pages_max = 4096;
// At once: 4 MiB, so that what comes meanwhile does not wait for long.
constexpr const char* shrink_some_sql = "PRAGMA incremental_vacuum(1024); PRAGMA wal_checkpoint(TRUNCATE);";

// Frames that the log may hold before they go into the file itself: 4 MiB, read again at a start after kill -9.
constexpr const char* settings_sql =
    "PRAGMA wal_autocheckpoint = 1000;"
    "PRAGMA journal_size_limit = 16777216;"
    "PRAGMA foreign_keys = ON;"
    "PRAGMA temp_store = MEMORY;";

struct binder {
    sqlite3_stmt* to;
    int index;

    int operator()(std::monostate) const { return sqlite3_bind_null(to, index); }
    int operator()(std::int64_t value) const { return sqlite3_bind_int64(to, index, value); }
    // The transaction holds the octets until the statement is reset.
    int operator()(const std::string& value) const {
        return sqlite3_bind_text64(to, index, value.data(), value.size(), SQLITE_STATIC, SQLITE_UTF8);
    }
    int operator()(const store_octets& value) const { return blob(value.octets); }
    int operator()(const shared_octets& value) const { return blob(value.octets); }
    [[nodiscard]] int blob(std::string_view octets) const {
        // A null pointer would make it NULL.
        return sqlite3_bind_blob64(to, index, octets.empty() ? "" : octets.data(), octets.size(), SQLITE_STATIC);
    }
};

// Makes an empty file for its owner alone; SQLite gives its log the same mode.
mbus::result<void> make_file(const std::string& file) {
    const unique_fd made{::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, file_mode)};
    if (made) return {};
    const int fault = errno;
    return {mbus::errc::internal, fmt::format("can't open {}: {}; let the user of mbusd write there, or set state.directory",
                                              file, std::generic_category().message(fault))};
}

}  // namespace

mbus::result<std::unique_ptr<database>> database::open(std::string file, bool sync_full) {
    if (auto made = make_file(file); !made) return made.error();
    std::unique_ptr<database> out{new database(std::move(file))};
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    if (const int code = sqlite3_open_v2(out->file_.c_str(), &out->connection_, flags, nullptr); code != SQLITE_OK) {
        return out->failure(code);
    }
    if (auto ready = out->prepare_file(sync_full); !ready) return ready.error();
    if (auto ready = out->migrate(); !ready) return ready.error();
    return out;
}

database::~database() {
    for (const auto& [what, statement] : statements_) sqlite3_finalize(statement);
    sqlite3_close_v2(connection_);
}

// Exclusive, and before the first look into the file: one daemon a file, and no shared memory beside it.
mbus::result<void> database::prepare_file(bool sync_full) {
    if (auto done = execute("PRAGMA locking_mode = EXCLUSIVE; PRAGMA auto_vacuum = INCREMENTAL;"); !done) return done;
    const auto owner = number_of("PRAGMA application_id");
    if (!owner) return owner.error();
    const auto tables = number_of("SELECT count(*) FROM sqlite_schema");
    if (!tables) return tables.error();
    if (*tables > 0 && *owner != store_application_id) {
        return {mbus::errc::internal, fmt::format("{} belongs to another program; move it away, or set state.directory", file_)};
    }
    if (auto done = execute("PRAGMA journal_mode = WAL;"); !done) return done;
    if (auto done = execute(sync_full ? "PRAGMA synchronous = FULL;" : "PRAGMA synchronous = NORMAL;"); !done) return done;
    return execute(settings_sql);
}

mbus::result<void> database::migrate() {
    const auto version = number_of("PRAGMA user_version");
    if (!version) return version.error();
    const auto steps = schema_steps();
    const auto known = static_cast<std::int64_t>(steps.size());
    if (*version == known) return {};
    if (*version > known) {
        return {mbus::errc::internal,
                fmt::format("{} was written by a newer mbusd (version {} of its tables, this one knows {}); install that mbusd "
                            "again, or move the file away and lose what it keeps",
                            file_, *version, known)};
    }
    if (auto done = begin(); !done) return done;
    for (auto next = *version; next < known; ++next) {
        if (auto done = execute(steps[static_cast<std::size_t>(next)]); !done) {
            rollback();
            return done;
        }
    }
    const auto mark = fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {};", store_application_id, known);
    if (auto done = execute(mark.c_str()); !done) {
        rollback();
        return done;
    }
    return commit();
}

mbus::result<void> database::execute(const char* sql) {
    const int code = sqlite3_exec(connection_, sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return failure(code);
    return {};
}

mbus::result<std::int64_t> database::number_of(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    int code = sqlite3_prepare_v2(connection_, sql, -1, &statement, nullptr);
    if (code == SQLITE_OK) code = sqlite3_step(statement);
    const std::int64_t value = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    auto out = code == SQLITE_ROW ? mbus::result<std::int64_t>{value} : mbus::result<std::int64_t>{failure(code)};
    sqlite3_finalize(statement);
    return out;
}

mbus::result<sqlite3_stmt*> database::prepared(const store_statement& what) {
    auto& slot = statements_[&what];
    if (slot == nullptr) {
        const int code = sqlite3_prepare_v3(connection_, what.sql.data(), static_cast<int>(what.sql.size()),
                                            SQLITE_PREPARE_PERSISTENT, &slot, nullptr);
        if (code != SQLITE_OK) return failure(code);
    }
    return slot;
}

mbus::result<void> database::select(const store_statement& what, const std::function<void(sqlite3_stmt*)>& visit) {
    const auto statement = prepared(what);
    if (!statement) return statement.error();
    int code = SQLITE_ROW;
    while ((code = sqlite3_step(*statement)) == SQLITE_ROW) visit(*statement);
    mbus::result<void> out;
    if (code != SQLITE_DONE) out = failure(code);
    sqlite3_reset(*statement);
    return out;
}

mbus::result<void> database::begin() { return execute("BEGIN IMMEDIATE"); }
mbus::result<void> database::commit() { return execute("COMMIT"); }

void database::rollback() noexcept {
    if (sqlite3_get_autocommit(connection_) == 0) sqlite3_exec(connection_, "ROLLBACK", nullptr, nullptr, nullptr);
}

mbus::result<void> database::run(const transaction& changes) {
    mbus::result<void> out;
    changes.each([&](const store_statement& what, const store_value* values, std::size_t count) {
        out = run_one(what, values, count);
        return out.has_value();
    });
    return out;
}

mbus::result<void> database::run_one(const store_statement& what, const store_value* values, std::size_t count) {
    const auto statement = prepared(what);
    if (!statement) return statement.error();
    for (std::size_t i = 0; i < count; ++i) {
        const int code = std::visit(binder{*statement, static_cast<int>(i) + 1}, values[i]);
        if (code != SQLITE_OK) return failure(code);
    }
    int code = SQLITE_ROW;
    while (code == SQLITE_ROW) code = sqlite3_step(*statement);  // with RETURNING there are rows
    mbus::result<void> out;
    if (code != SQLITE_DONE) out = failure(code);
    sqlite3_reset(*statement);
    return out;
}

mbus::result<void> database::probe() {
    const auto same = fmt::format("PRAGMA user_version = {};", schema_steps().size());
    if (auto done = begin(); !done) return done;
    auto done = execute(same.c_str());
    if (done) done = commit();
    if (!done) rollback();
    return done;
}

void database::shrink() noexcept { sqlite3_exec(connection_, "PRAGMA incremental_vacuum;", nullptr, nullptr, nullptr); }

void database::shrink_some() noexcept {
    const auto unused = number_of("PRAGMA freelist_count");
    if (!unused || *unused < free_pages_max) return;
    sqlite3_exec(connection_, shrink_some_sql, nullptr, nullptr, nullptr);
}

mbus::error database::failure(int code) {
    const std::string said = connection_ != nullptr ? sqlite3_errmsg(connection_) : sqlite3_errstr(code);
    std::string text;
    mbus::errc whose = mbus::errc::internal;
    switch (code & 0xff) {
        case SQLITE_FULL:
            text = fmt::format("no room for {}; make room on its disk", file_);
            break;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            damaged_ = true;
            text = fmt::format("{} is damaged ({}); stop mbusd, then move the file away, or save what can be read with sqlite3 and .recover",
                               file_, said);
            break;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            text = fmt::format("{} is in use by another process; give each daemon a state.directory of its own", file_);
            break;
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_CANTOPEN:
        case SQLITE_AUTH:
            text = fmt::format("can't write {} ({}); let the user of mbusd write there, or set state.directory", file_, said);
            break;
        case SQLITE_IOERR:
            text = fmt::format("can't read or write {} ({}: {}); look at its disk", file_, said,
                               std::generic_category().message(connection_ != nullptr ? sqlite3_system_errno(connection_) : EIO));
            break;
        case SQLITE_CONSTRAINT:
        case SQLITE_ERROR:
        case SQLITE_TOOBIG:
        case SQLITE_MISMATCH:
        case SQLITE_RANGE:
        case SQLITE_MISUSE:
            whose = mbus::errc::bad_value;
            [[fallthrough]];
        default:
            text = fmt::format("{}: {} (SQLite code {})", file_, said, code);
            break;
    }
    return {whose, std::move(text)};
}

}  // namespace mbusd
