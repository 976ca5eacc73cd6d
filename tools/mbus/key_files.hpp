// The key file as `mbus key` handles it: RFC 3259, section 12. Keys never reach an error text, and
// stdout only by `export`.
//
// Thread-safety: pure functions and file access; no state.
#pragma once

#include <string>
#include <string_view>

#include <mbus/result.hpp>

#include "protocol/session_config.hpp"

namespace mbus::tools {

// Where a new key goes unless told otherwise: $MBUS, else ~/.mbus. Errors: bad_config without a home.
result<std::string> own_key_file();

// The file that programs of this user would read now: as own_key_file(), else /etc/mbusd/mbus.conf.
result<std::string> key_file_in_use();

// "HMAC-SHA1-96, AES, scope HOSTLOCAL, port 47000": no key.
[[nodiscard]] std::string describe_key(const protocol::session_config& config);
// {"v":1,"file":..,"hash":..,"cipher":..,"scope":..,"address":..,"port":..,"fingerprint":..}
[[nodiscard]] std::string key_json(const std::string& path, const protocol::session_config& config);
// True for the algorithms of docs/modern-profile.md.
[[nodiscard]] bool is_modern(const protocol::session_config& config) noexcept;

// Writes with mode 0600. With `replace` a file that exists is replaced in one step, else it is an
// error (conflict).
result<void> save_key_file(const std::string& path, const protocol::session_config& config, bool replace);

// Reads the text of a key file from anywhere, without looking at its mode: for `import`. "-" is stdin.
result<std::string> read_key_text(const std::string& path);

}  // namespace mbus::tools
