// What the tests of the broker's side of a session share beside its client and its host (fixtures.hpp).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "fixtures.hpp"

namespace mbus::mbws::testing {

// The one error frame that a connection ended with; empty when there is none.
inline std::string error_code(test_client& client) {
    for (const auto& frame : client.frames()) {
        if (frame.view.verb == verb::error) return std::string{frame.text(key::code)};
    }
    return {};
}

inline frame_view request(verb which, std::uint32_t number) {
    frame_view frame;
    frame.verb = which;
    frame.set(key::request, std::uint64_t{number});
    return frame;
}

inline message_ref prepared(message_preparer& preparer, std::string_view body, bool reliable = false) {
    return preparer.prepare(
        {.to = "(app:player)", .from = "(app:x id:9-9@127.0.0.1)", .body = body, .reliable = reliable});
}

}  // namespace mbus::mbws::testing
