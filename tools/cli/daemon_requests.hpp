// Questions to the daemon of this host (docs/daemon-commands.md): status, counters, interfaces ...
//
//     auto status = ask_daemon(bus, me, "mbusd.status", limit);
//     const auto up = number_at(*status, "uptime-ms");
//
// Answers are lists of pairs, each a name and a value.
//
// Thread-safety: one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <mbus/entity.hpp>
#include <mbus/value.hpp>

#include "cli/session.hpp"

namespace mbus::tools {

// Entities say hello about once a second (RFC 3259, section 8): a daemon that runs for longer than
// this has heard everybody on a quiet link.
inline constexpr std::chrono::milliseconds discovery_time{1500};

// The entity of the daemon that `me` is attached to: the one with the same host in its id.
result<address> own_daemon(session& bus, entity& me, std::chrono::milliseconds limit);

// Errors: as entity::request(); forbidden when the daemon says so.
result<value::list> ask_daemon(session& bus, entity& me, std::string_view question, std::chrono::milliseconds limit,
                               value::list arguments = {});

// Asks for a list page by page and shows each of its rows, until `visit` says false. `list` names the
// rows in the answers.
result<void> each_row(session& bus, entity& me, std::string_view question, std::string_view list,
                      std::chrono::milliseconds limit, const std::function<bool(const value::list& row)>& visit);

// How long the daemon runs; nothing when it does not say.
std::optional<std::chrono::milliseconds> daemon_age(session& bus, entity& me);

// What stands beside `name` in a list of pairs; null or nothing when it is not there.
[[nodiscard]] const value* value_at(const value::list& pairs, std::string_view name) noexcept;
[[nodiscard]] std::optional<std::int64_t> number_at(const value::list& pairs, std::string_view name) noexcept;
[[nodiscard]] std::string text_at(const value::list& pairs, std::string_view name);
[[nodiscard]] const value::list& list_at(const value::list& pairs, std::string_view name) noexcept;

}  // namespace mbus::tools
