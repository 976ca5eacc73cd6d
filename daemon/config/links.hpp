// The links to other daemons, as [[link]] of mbusd.toml says (docs/links.md).
//
// Thread-safety: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <mbus/address.hpp>

namespace mbusd {

// One [[link]] entry: a daemon that this one calls, or, without url, what holds for the daemon that
// calls with the token `name`.
struct link_rule {
    std::string name;
    std::string url;         // ws:// or wss://; empty: the other daemon calls
    std::string token_file;  // holds the token; only the owner may read it
    std::string ca_file;     // PEM; empty: the authorities of the system
    std::vector<mbus::address> send{mbus::address{}};     // entities here that take part over there
    std::vector<mbus::address> receive{mbus::address{}};  // entities there that take part here
    bool transit = false;  // entities learnt over other links take part over there, too

    bool operator==(const link_rule&) const = default;
    [[nodiscard]] bool calls() const noexcept { return !url.empty(); }
};

// A link's URL taken apart.
struct link_url {
    bool encrypted = false;
    std::string host;  // a name or an address, without brackets
    std::uint16_t port = 0;
    std::string path;  // "/mbws" when the URL has none

    // `host:port` as the Host header has it.
    [[nodiscard]] std::string authority() const;
};
std::optional<link_url> parse_link_url(std::string_view text);

// One key of a [[link]] entry. Checked by config_file.cpp, documented from here.
struct link_key_info {
    std::string_view name;
    std::string_view type;
    std::string_view help;
};
std::span<const link_key_info> link_keys();

// What is wrong with an entry as a whole, and what to do; nothing when it can be used.
std::optional<std::string> fault_of(const link_rule& rule);

}  // namespace mbusd
