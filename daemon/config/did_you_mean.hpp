// The hint behind an error about a misspelt word.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "message/nearest.hpp"

namespace mbusd {

// "; did you mean 'bus.scope'?" or nothing.
inline std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates) {
    const auto found = mbus::text::nearest(word, candidates);
    return found ? "; did you mean '" + std::string{*found} + "'?" : std::string{};
}

}  // namespace mbusd
