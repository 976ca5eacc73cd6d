// The reader of session files, for one text:
//
//     return parser{text, options}.run();
//
// session_config_parser.cpp has the lines, sections and entries, session_config_values.cpp what stands
// behind each '='.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/session_config.hpp"
#include "protocol/session_config_address.hpp"

namespace mbus::protocol::session_file {

inline constexpr std::string_view new_file = "make a new file with: mbus key new";

// The places of the entries in `names`.
enum entry_place : std::size_t {
    version_entry,
    hash_key_entry,
    encryption_key_entry,
    scope_entry,
    address_entry,
    port_entry,
};
inline constexpr std::size_t entry_names = 6;
inline constexpr std::array<std::string_view, entry_names> names{"CONFIG_VERSION", "HASHKEY", "ENCRYPTIONKEY",
                                                                 "SCOPE",          "ADDRESS", "PORT"};

class parser {
public:
    parser(std::string_view text, const session_config_options& options) : rest_(text), options_(options) {}

    result<session_config> run();

private:
    using status = result<void>;

    [[nodiscard]] error bad(std::string_view expected, std::string_view found, std::string_view fix) const {
        return {errc::bad_config, "line " + std::to_string(line_) + ": expected " + std::string{expected} +
                                      ", found " + std::string{found} + "; " + std::string{fix}};
    }
    void warn(std::string text) {
        config_.warnings.push_back("line " + std::to_string(line_) + ": " + std::move(text));
    }

    // session_config_parser.cpp
    status next_line();
    status line(std::string_view text);
    status entry(std::string_view text);
    status unknown(std::string_view name);
    status finish();

    // session_config_values.cpp
    status value(std::size_t which, std::string_view text);
    status version(std::string_view text);
    status hash_key(std::string_view text);
    status encryption_key(std::string_view text);
    status scope_value(std::string_view text);
    status address(std::string_view text);
    status port(std::string_view text);
    status key_parts(std::string_view text, std::string_view& algorithm, std::string_view& encoded,
                     bool& comma) const;
    result<secret> key_octets(std::string_view encoded) const;

    std::string_view rest_;
    const session_config_options& options_;
    session_config config_;
    std::size_t line_ = 0;
    std::string_view current_;
    bool in_section_ = false;
    bool section_seen_ = false;  // [MBUS]
    bool any_section_ = false;
    std::array<std::size_t, entry_names> lines_{};  // where each entry stands; 0 = absent
    std::optional<ip_address> group_;
};

}  // namespace mbus::protocol::session_file
