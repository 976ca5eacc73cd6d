// Where a node is on the bus: (feed:NODE).
//
// An address value takes 1 to 64 octets of 21-27 and 2A-7E (RFC 3259, section 4). Every other octet of
// a node's id, and '%', is written as %XX; what is longer then is cut and ends in '~' and 16 hexadecimal
// digits, the FNV-1a hash of the whole id.
// Thread-safety: pure functions.
#pragma once

#include <string>
#include <string_view>

#include <mbus/address.hpp>

namespace mbusd {

[[nodiscard]] std::string feed_value(std::string_view node);
[[nodiscard]] mbus::address feed_address(std::string_view node);

// The part before '@' of an account (XEP-0106): lower case, and what a JID can't hold there as \XX.
[[nodiscard]] std::string jid_local_part(std::string_view name);

}  // namespace mbusd
