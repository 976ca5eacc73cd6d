// What somebody posts over HTTP to have it sent (docs/http-api.md):
//
//     {"command":"door.open","args":["front"]}                    one command
//     {"to":"(app:door)","cmds":[{"name":"door.open","args":[]}],"reliable":true}
//
// Values are those of message_json.hpp. `to` is an address as text or as an object. Errors name their
// place as there. Thread-safety: plain values and pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <mbus/address.hpp>
#include <mbus/command.hpp>
#include <mbus/result.hpp>

namespace mbus::json {

struct posted_request {
    std::optional<address> to;
    std::vector<command> commands;
    bool reliable = false;
    std::optional<std::uint32_t> ttl;  // ms

    bool operator==(const posted_request&) const = default;
};

// Which members a path takes besides "command", "args" and "cmds".
enum class request_members : unsigned char {
    commands_only,  // the receiver is known
    with_address    // "to", "reliable" and "ttl"
};

result<posted_request> parse_posted(std::string_view text, request_members allowed);

}  // namespace mbus::json
