// The words that MBWS fields hold: modes, entity states, slow-reader policies.
// Thread-safety: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace mbus::mbws {

// Field `mode` of attach.
enum class attach_mode : std::uint8_t { entity, queue, monitor };
// Field `state` of entity.
enum class entity_state : std::uint8_t { present, joined, left, lost };
// Field `policy` of attach: what happens at the queue's limit (docs/mbws.md, section 5).
enum class reader_policy : std::uint8_t { drop_oldest, drop_newest, latest, block, disconnect };

[[nodiscard]] std::string_view to_string(attach_mode which) noexcept;
[[nodiscard]] std::string_view to_string(entity_state which) noexcept;
[[nodiscard]] std::string_view to_string(reader_policy which) noexcept;
[[nodiscard]] std::optional<attach_mode> attach_mode_from_string(std::string_view word) noexcept;
[[nodiscard]] std::optional<entity_state> entity_state_from_string(std::string_view word) noexcept;
[[nodiscard]] std::optional<reader_policy> reader_policy_from_string(std::string_view word) noexcept;

}  // namespace mbus::mbws
