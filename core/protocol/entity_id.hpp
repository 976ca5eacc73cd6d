// The value of the mandatory `id` element: entity-id '@' host-id (RFC 3259, section 4.1).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mbus::protocol {

// "4711-99@192.168.1.1" or "4711-99@2a0:c9ff:fe12:3456".
[[nodiscard]] bool is_entity_id(std::string_view value) noexcept;

// The host-id half alone: the productions IPv4address and IPv6address of RFC 2373. Its IPv6 form
// does not ask for eight groups (trap A4).
[[nodiscard]] bool is_host_id(std::string_view value) noexcept;

[[nodiscard]] std::string make_entity_id(std::uint32_t process_id, std::uint32_t number,
                                         std::string_view host_id);

}  // namespace mbus::protocol
