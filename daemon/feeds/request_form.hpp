// Requests and their answers as the Mbus guidelines have them (docs/daemon-commands.md):
//
//     feed.list ((("ID" "7") ("RPC-TYPE" "UNICAST")) (0))
//     feed.list.return ((("ID" "7") ("RPC-STATUS" "OK")) ((OK OK "") (...)))
//
// Thread-safety: pure functions.
#pragma once

#include <optional>
#include <string>

#include <mbus/command.hpp>

namespace mbusd {

struct request_form {
    mbus::value id;
    mbus::value::list arguments;
};

// Nothing when the command is no request.
[[nodiscard]] std::optional<request_form> request_of(const mbus::command& what);

// What a request led to.
struct request_result {
    bool ok = true;
    bool known = true;                     // the command
    mbus::errc code = mbus::errc::internal;  // when !ok
    std::string text{};                    // for people; when !ok: what to do
    mbus::value::list results{};

    static request_result failed(mbus::errc code, std::string text) { return {false, true, code, std::move(text), {}}; }
};

[[nodiscard]] mbus::command answer_to(const std::string& name, const mbus::value& id, request_result result);

}  // namespace mbusd
