#include "pubsub/types.hpp"

#include <array>

namespace mbusd::pubsub {
namespace {

constexpr std::array<std::string_view, 5> affiliations{"none", "member", "publisher", "owner", "outcast"};
constexpr std::array<std::string_view, 3> states{"none", "pending", "subscribed"};

template <class T, std::size_t N>
std::optional<T> find(const std::array<std::string_view, N>& names, std::string_view text) noexcept {
    for (std::size_t i = 0; i < N; ++i) {
        if (names[i] == text) return static_cast<T>(i);
    }
    return std::nullopt;
}

}  // namespace

std::string_view to_string(affiliation what) noexcept { return affiliations[static_cast<std::size_t>(what)]; }
std::string_view to_string(subscription_state what) noexcept { return states[static_cast<std::size_t>(what)]; }

std::optional<affiliation> affiliation_from(std::string_view text) noexcept { return find<affiliation>(affiliations, text); }
std::optional<subscription_state> subscription_state_from(std::string_view text) noexcept {
    return find<subscription_state>(states, text);
}

std::string_view bare_jid(std::string_view jid) noexcept { return jid.substr(0, jid.find('/')); }

}  // namespace mbusd::pubsub
