#include "store/schema.hpp"

#include <array>

namespace mbusd {
namespace {

// Times are milliseconds since 1970. Lists of texts are separated by line ends, which none of them holds.
constexpr const char* clients_and_grants = R"(
    CREATE TABLE clients(
        name TEXT PRIMARY KEY NOT NULL,
        token_hash BLOB NOT NULL UNIQUE,
        attach TEXT NOT NULL,
        send TEXT NOT NULL,
        may TEXT NOT NULL,
        created INTEGER NOT NULL,
        expires INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE grants(
        token_hash BLOB PRIMARY KEY NOT NULL,
        session INTEGER NOT NULL,
        entity TEXT NOT NULL,
        commands TEXT NOT NULL,
        expires INTEGER NOT NULL,
        uses_left INTEGER,
        created INTEGER NOT NULL,
        last_used INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX grants_by_session ON grants(session);
)";

constexpr std::array<const char*, 1> steps{clients_and_grants};

}  // namespace

std::span<const char* const> schema_steps() noexcept { return steps; }

}  // namespace mbusd
