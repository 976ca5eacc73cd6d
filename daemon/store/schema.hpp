// The tables of the store, version by version.
//
// A new table, or a change of one, is one more entry at the end of schema.cpp: what brings a file of the
// version before to the next. Entries that were released never change. The version of a file is the
// number of entries that it has been through (PRAGMA user_version).
#pragma once

#include <span>

namespace mbusd {

// SQL of each step, one or more statements.
[[nodiscard]] std::span<const char* const> schema_steps() noexcept;

// PRAGMA application_id: marks the file as a store of mbusd. The letters "mbus".
inline constexpr int store_application_id = 0x6d627573;

}  // namespace mbusd
