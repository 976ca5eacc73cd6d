// The envelope around every datagram: MAC line, encryption, padding (RFC 3259, section 11), and
// the modern profile beside it (docs/modern-profile.md).
//
//     auto seal = envelope::create(config);           // keyed once
//     seal->seal("mbus/1.0 ...", wall_ms, datagram);  // appends
//     auto opened = seal->open(datagram, wall_ms, scratch);
//     if (!opened.ok) counters.drop(opened.reason);
//
// Not thread-safe: one envelope belongs to one node.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <mbus/result.hpp>

#include "protocol/counters.hpp"
#include "protocol/session_config.hpp"

namespace mbus::protocol {

struct envelope_options {
    // compat = "legacy": LF after the MAC line in what is sent; takes MACs that leave out trailing NULs
    // (Java MBus) and strips NULs after clear text. Without effect on the modern profile.
    bool legacy = false;
    // Modern profile: the sender id in the nonce. 0 draws a random one, and everything but a test
    // that needs the same bytes twice leaves it so: two senders with one id break the encryption.
    std::uint64_t sender_id = 0;
};

class envelope {
public:
    // Errors: errc::bad_config when an algorithm is not available in this build (DES and IDEA
    // without libgcrypt), a key does not fit it, or hash and cipher belong to different profiles; the
    // text says what to do.
    static result<envelope> create(const session_config& config, const envelope_options& options = {});

    envelope(envelope&&) noexcept;
    envelope& operator=(envelope&&) noexcept;
    ~envelope();

    // Appends the datagram for `message`. `wall_ms` matters to the modern profile only. With the
    // RFC's profile equal messages give equal datagrams.
    void seal(std::string_view message, std::uint64_t wall_ms, std::string& datagram);

    struct opened {
        bool ok = false;
        drop_reason reason = drop_reason::bad_mac;  // when !ok
        std::string_view message{};                 // when ok: into `datagram` or `scratch`
    };

    // Checks and decrypts (RFC 3259, section 11.4; constant-time comparison). Nothing but the MAC
    // check is paid for a datagram of another key.
    opened open(std::string_view datagram, std::uint64_t wall_ms, std::string& scratch);

    // The largest message whose datagram has at most `datagram_octets`.
    [[nodiscard]] std::size_t message_octets_max(std::size_t datagram_octets) const noexcept;

    // True when each transmission needs a seal() of its own (modern profile): a datagram sent again
    // unchanged would be dropped as replayed. Copies of one transmission on several interfaces are
    // the same bytes, and receivers drop all but the first.
    [[nodiscard]] bool reseal_needed() const noexcept;

private:
    struct implementation;
    explicit envelope(std::unique_ptr<implementation> parts) noexcept;
    std::unique_ptr<implementation> parts_;
};

}  // namespace mbus::protocol
