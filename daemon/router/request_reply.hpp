// Requests that the daemon makes of entities for others, in the form of the Mbus guidelines, and their replies:
//
//     door.open ((("ID" "7") ("RPC-TYPE" "UNICAST")) (arguments))
//     door.open.return ((("ID" "7") ("RPC-STATUS" "OK")) ((OK OK "") (results)))
//
//     auto text = request_text(7, question);
//     for (auto& each : commands) if (answered_request(each) == 7) use(reply_of(each));
//
// Thread-safety: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <mbus/command.hpp>

namespace mbusd {

struct request_reply {
    std::string status{};  // OK, FAILED, UNKNOWN: RPC-STATUS
    std::string code{};    // result code of the callee's application
    std::string text{};
    mbus::value::list results{};
};

// Errors: bad_command, when the bus has no form for the question.
[[nodiscard]] mbus::result<std::string> request_text(std::uint64_t id, const mbus::command& question);
// The name of the command that answers `question`.
[[nodiscard]] std::string reply_name(const mbus::command& question);

// Which request the command says that it answers; its ID may come back as string, symbol or number. Nothing
// when it has none.
[[nodiscard]] std::optional<std::uint64_t> answered_request(const mbus::command& what);
// What such a command says. An answer of another form than `((OK OK "text") (results))` is all results.
[[nodiscard]] request_reply reply_of(const mbus::command& answer);

}  // namespace mbusd
