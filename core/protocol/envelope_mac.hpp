// A keyed message authentication code (RFC 2104; RFC 3259, section 11.3), keyed once, used for
// every datagram.
//
//     auto mac = make_keyed_mac(hash_algorithm::hmac_sha1_96, key);
//     mac->compute(secured, digest);       // mac->octets() octets
//
// Not thread-safe: belongs to one envelope.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "protocol/session_config.hpp"

namespace mbus::protocol {

inline constexpr std::size_t mac_octets_max = 16;  // HMAC-SHA256-128; the RFC's have 12

class keyed_mac {
public:
    virtual ~keyed_mac() = default;
    keyed_mac(const keyed_mac&) = delete;
    keyed_mac& operator=(const keyed_mac&) = delete;

    // Octets of the truncated code: 12 or 16.
    [[nodiscard]] virtual std::size_t octets() const noexcept = 0;

    // Writes octets() octets.
    virtual void compute(std::string_view text, std::byte* digest) noexcept = 0;

protected:
    keyed_mac() = default;
};

std::unique_ptr<keyed_mac> make_keyed_mac(hash_algorithm which, std::span<const std::byte> key);

}  // namespace mbus::protocol
