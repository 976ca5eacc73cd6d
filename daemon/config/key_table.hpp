// The one table of configuration keys. It checks mbusd.toml, feeds --print-config, --dump-keys, the
// manual page mbusd.toml(5) and docs/configuration.md, so that none of them can drift.
//
// Thread-safety: constant data.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/settings.hpp"

namespace mbusd {

// Where in `settings` the value of a key lives; its alternative is the key's type.
using setting_slot = std::variant<bool& (*)(settings&), std::uint64_t& (*)(settings&),
                                  std::string& (*)(settings&), std::vector<std::string>& (*)(settings&)>;

struct key_info {
    std::string_view name;                       // "bus.families"
    setting_slot slot;
    std::string_view range;                      // for people: "auto, ipv4, ipv6 or both"
    std::string_view help;                       // whole sentences
    bool reloadable = false;                     // false: a change needs a restart
    std::span<const std::string_view> choices{}; // text only: nothing else is allowed
    std::uint64_t least = 0;                     // numbers only
    std::uint64_t most = UINT64_MAX;
    // Text and lists: what is wrong with one value, or nothing. May be null.
    std::optional<std::string> (*check)(std::string_view value) = nullptr;
};

// In the order in which they are documented; tables stand together.
std::span<const key_info> key_table();

// "true or false", "a whole number", "a text", "a list of texts".
std::string_view type_name(const key_info& key) noexcept;

// The value of the key in `from`, as TOML writes it.
std::string value_text(const key_info& key, const settings& from);

// One key of a [[rights]] entry. Checked by config_file.cpp, documented from here.
struct rights_key_info {
    std::string_view name;
    std::string_view type;
    std::string_view help;
};
std::span<const rights_key_info> rights_keys();

// The octal number of socket.mode, which the table has checked.
unsigned mode_bits(const settings& from);

}  // namespace mbusd
