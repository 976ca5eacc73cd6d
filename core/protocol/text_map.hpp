// A hash map keyed by text that is asked with views, without making a string of each.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace mbus::protocol {

struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
        return std::hash<std::string_view>{}(text);
    }
};

template <class Value>
using text_map = std::unordered_map<std::string, Value, text_hash, std::equal_to<>>;

// Keys that live inside their values (an address inside what it belongs to).
template <class Value>
using view_map = std::unordered_map<std::string_view, Value, text_hash, std::equal_to<>>;
template <class Value>
using view_multimap = std::unordered_multimap<std::string_view, Value, text_hash, std::equal_to<>>;

}  // namespace mbus::protocol
