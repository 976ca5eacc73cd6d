#include "config/key_parts.hpp"

namespace mbusd {
namespace {

// One body must fit a frame that every client takes (docs/mbws.md, field `size`: 128 KiB at least).
constexpr std::uint64_t body_most = 64 * 1024 * 1024;
constexpr std::uint64_t a_million = 1'000'000;
// A year: who needs a URL for longer renews it.
constexpr std::uint64_t expiry_most = 366ULL * 24 * 3600;
// Proxies commonly give up after a minute or some; ten are enough for any of them.
constexpr std::uint64_t wait_most = 600;

}  // namespace

std::vector<key_info> capability_keys() {
    return {
        {.name = "capability.rate_per_second",
         .slot = +[](settings& s) -> std::uint64_t& { return s.capability.rate_per_second; },
         .range = "1 to 1000000",
         .help = "Requests that one capability URL takes in a second on average; as many may come at once. What is beyond is answered "
                 "with 429 and Retry-After.",
         .reloadable = true,
         .least = 1,
         .most = a_million},
        {.name = "capability.body_octets",
         .slot = +[](settings& s) -> std::uint64_t& { return s.capability.body_octets; },
         .range = "1 to 67108864",
         .help = "The largest body that a capability URL or /send takes; a larger one is answered with 413.",
         .reloadable = true,
         .least = 1,
         .most = body_most},
        {.name = "capability.expiry_seconds_max",
         .slot = +[](settings& s) -> std::uint64_t& { return s.capability.expiry_seconds_max; },
         .range = "0 to 31622400",
         .help = "The longest life of a capability URL; a client that asks for more gets this. 0: as long as its session.",
         .reloadable = true,
         .least = 0,
         .most = expiry_most},
        {.name = "capability.per_session",
         .slot = +[](settings& s) -> std::uint64_t& { return s.capability.per_session; },
         .range = "0 to 1000000",
         .help = "Capability URLs that one session may have; 0: none at all.",
         .reloadable = true,
         .least = 0,
         .most = a_million},
        {.name = "capability.wait_seconds_max",
         .slot = +[](settings& s) -> std::uint64_t& { return s.capability.wait_seconds_max; },
         .range = "1 to 600",
         .help = "The longest time that a request with 'Prefer: wait=SECONDS' waits for the reply.",
         .reloadable = true,
         .least = 1,
         .most = wait_most},
        {.name = "capability.waiting",
         .slot = +[](settings& s) -> std::uint64_t& { return s.capability.waiting; },
         .range = "1 to 1000000",
         .help = "Requests that may wait for a reply at the same time, over all capability URLs; further ones are answered with 503.",
         .reloadable = true,
         .least = 1,
         .most = a_million},
    };
}

}  // namespace mbusd
