// The keys of [xmpp].
#include <optional>
#include <string>

#include "config/key_parts.hpp"

namespace mbusd {
namespace {

constexpr std::uint64_t a_million = 1'000'000;
// RFC 6120, section 13.12: not below 10000.
constexpr std::uint64_t stanza_least = 10'000;
constexpr std::uint64_t stanza_most = 16 * 1024 * 1024;
// A session that waits for its client keeps what was sent to it.
constexpr std::uint64_t resume_most = 24 * 3600;
// RFC 7622, section 3.2: a part of a JID has at most 1023 octets; a DNS name has 253.
constexpr std::size_t domain_octets_max = 253;

std::optional<std::string> check_domain(std::string_view value) {
    if (value.size() <= domain_octets_max && value.find_first_of("/@ :<>\"'&") == std::string_view::npos && !value.ends_with('.')) {
        return std::nullopt;
    }
    return "expected a domain such as \"bus.example.org\", without '@', '/', port and final dot";
}

}  // namespace

std::vector<key_info> xmpp_keys() {
    return {
        {.name = "xmpp.enabled",
         .slot = +[](settings& s) -> bool& { return s.xmpp.enabled; },
         .range = "true or false",
         .help = "XMPP over WebSocket at /xmpp: XMPP clients use the bus and publish-subscribe. Needs gateway.enabled; accounts are made "
                 "with 'mbus client add --xmpp NAME'. See docs/xmpp.md."},
        {.name = "xmpp.domain",
         .slot = +[](settings& s) -> std::string& { return s.xmpp.domain; },
         .range = "a domain; empty: the name of this host",
         .help = "The domain of the accounts (NAME@DOMAIN), of bus.DOMAIN and of pubsub.DOMAIN. A change makes strangers of those "
                 "who own and read nodes.",
         .check = check_domain},
        {.name = "xmpp.anonymous",
         .slot = +[](settings& s) -> bool& { return s.xmpp.anonymous; },
         .range = "true or false",
         .help = "Guests may log in without an account (SASL ANONYMOUS). They read and subscribe, and may not make nodes."},
        {.name = "xmpp.sessions",
         .slot = +[](settings& s) -> std::uint64_t& { return s.xmpp.sessions; },
         .range = "1 to 1000000",
         .help = "Sessions of all XMPP clients together, those that wait for their client to come back included.",
         .least = 1,
         .most = a_million},
        {.name = "xmpp.sessions_per_account",
         .slot = +[](settings& s) -> std::uint64_t& { return s.xmpp.sessions_per_account; },
         .range = "1 to 1000000",
         .help = "Sessions of one account.",
         .least = 1,
         .most = a_million},
        {.name = "xmpp.stanza_octets",
         .slot = +[](settings& s) -> std::uint64_t& { return s.xmpp.stanza_octets; },
         .range = "10000 to 16777216",
         .help = "The largest stanza of a client that has logged in; a larger one ends its stream.",
         .least = stanza_least,
         .most = stanza_most},
        {.name = "xmpp.resume_seconds",
         .slot = +[](settings& s) -> std::uint64_t& { return s.xmpp.resume_seconds; },
         .range = "0 to 86400",
         .help = "How long a session whose connection was lost waits for its client, if the client asked for that (XEP-0198); 0: not "
                 "at all.",
         .least = 0,
         .most = resume_most},
    };
}

}  // namespace mbusd
