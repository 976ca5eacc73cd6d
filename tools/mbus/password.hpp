// Passwords of accounts: read without showing them, and turned into the SCRAM keys that the daemon gets.
// A password is never an argument, where every user of the host could read it.
//
//     auto text = read_password(file);       // from the terminal, twice; or a file, "-" for stdin
//     auto keys = login_keys(*text);         // the value of "xmpp" in mbusd.client-add
//
// Thread-safety: one thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <mbus/result.hpp>
#include <mbus/value.hpp>

namespace mbus::tools {

inline constexpr std::size_t password_octets_max = 1024;

// Without a file it is asked for on the terminal of the process, without echo, twice. Of a file its first
// line counts. Errors: bad_argument.
result<std::string> read_password(const std::optional<std::string>& file);

// SCRAM-SHA-1 and SCRAM-SHA-256, each with a random salt of its own. Errors: internal without random numbers.
result<value> login_keys(std::string_view password);

}  // namespace mbus::tools
