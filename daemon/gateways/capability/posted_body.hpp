// What was posted to a capability URL, as a message: by its Content-Type commands in JSON, commands in
// RFC 3259 syntax, or opaque octets (docs/capabilities.md).
//
//     auto posted = read_posted_body("application/json", body);
//     if (auto name = posted->first_forbidden(grant.commands)) refuse(*name);
//
// Thread-safety: plain values and pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mbus/command.hpp>
#include <mbus/result.hpp>

namespace mbusd {

struct posted_body {
    std::string type;  // empty: the body is commands
    std::string body;
    std::vector<std::string> names;         // of the commands; mbws.data for opaque octets
    std::optional<mbus::command> question;  // exactly one command: it can be sent as a request

    // The first command that `globs` (comma-separated; empty: all) do not allow.
    [[nodiscard]] std::optional<std::string> first_forbidden(std::string_view globs) const;
};

// Errors: bad_command and the like, with the offset or the JSON pointer of the culprit.
mbus::result<posted_body> read_posted_body(std::string_view content_type, std::string body);

}  // namespace mbusd
