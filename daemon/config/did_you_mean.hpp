// "did you mean ...": the candidate that is closest to a misspelt word.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace mbusd {

// The candidate with the fewest changed, missing, extra or swapped letters, if they are at most a
// third of the word (at least two); empty otherwise. The first of equals wins.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

// "; did you mean 'bus.scope'?" or nothing.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace mbusd
