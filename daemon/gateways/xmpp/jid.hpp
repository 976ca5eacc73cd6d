// An XMPP address: local@domain/resource (RFC 7622). The resource is taken as it is: the bus keeps an
// Mbus address there.
//
//     auto whom = jid::parse("Ann@bus.example/x7");   // local "ann", domain "bus.example", resource "x7"
//
// Thread-safety: plain values.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace mbusd::xmpp {

inline constexpr std::size_t jid_part_octets_max = 1023;  // RFC 7622, section 3.1

struct jid {
    std::string local;
    std::string domain;
    std::string resource;

    // Nothing when it is malformed. ASCII letters of local part and domain become small (RFC 7622, sections 3.2, 3.3).
    static std::optional<jid> parse(std::string_view text);
    [[nodiscard]] std::string bare() const { return local.empty() ? domain : local + '@' + domain; }
    [[nodiscard]] std::string full() const { return resource.empty() ? bare() : bare() + '/' + resource; }
    bool operator==(const jid&) const = default;
};

}  // namespace mbusd::xmpp
