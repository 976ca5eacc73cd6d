// The comma-separated lists in HTTP header fields (RFC 9110, section 5.6.1), as far as the WebSocket
// handshake needs them.
//
//     list_has(header("Connection"), "upgrade", letters::any_case)
//     offers_extension(header("Sec-WebSocket-Extensions"), "mbws")
//
// Thread-safety: pure functions.
#pragma once

#include <cstdint>
#include <string_view>

namespace mbus::websocket {

enum class letters : std::uint8_t { exact, any_case };

[[nodiscard]] bool same_letters(std::string_view one, std::string_view other) noexcept;

// True when `item` stands in the list. Subprotocols are compared exactly, other tokens in any case.
[[nodiscard]] bool list_has(std::string_view list, std::string_view item, letters how) noexcept;

// True when the extension stands in the list without parameters (RFC 6455 s9.1).
[[nodiscard]] inline bool offers_extension(std::string_view list, std::string_view name) noexcept {
    return list_has(list, name, letters::exact);
}

}  // namespace mbus::websocket
