#include "mbws/symbols.hpp"

#include <array>
#include <cstddef>

namespace mbus::mbws {
namespace {

constexpr std::array<std::string_view, 3> modes{"entity", "queue", "monitor"};
constexpr std::array<std::string_view, 4> states{"present", "joined", "left", "lost"};
constexpr std::array<std::string_view, 5> policies{"drop-oldest", "drop-newest", "latest", "block",
                                                   "disconnect"};

template <class Enum, std::size_t Count>
std::optional<Enum> find(const std::array<std::string_view, Count>& words, std::string_view word) noexcept {
    for (std::size_t i = 0; i < Count; ++i) {
        if (words[i] == word) return static_cast<Enum>(i);
    }
    return std::nullopt;
}

}  // namespace

std::string_view to_string(attach_mode which) noexcept { return modes[static_cast<std::size_t>(which)]; }
std::string_view to_string(entity_state which) noexcept { return states[static_cast<std::size_t>(which)]; }
std::string_view to_string(reader_policy which) noexcept { return policies[static_cast<std::size_t>(which)]; }

std::optional<attach_mode> attach_mode_from_string(std::string_view word) noexcept {
    return find<attach_mode>(modes, word);
}
std::optional<entity_state> entity_state_from_string(std::string_view word) noexcept {
    return find<entity_state>(states, word);
}
std::optional<reader_policy> reader_policy_from_string(std::string_view word) noexcept {
    return find<reader_policy>(policies, word);
}

}  // namespace mbus::mbws
