#include "config/key_parts.hpp"

namespace mbusd {
namespace {

constexpr std::uint64_t a_million = 1'000'000;
// What a host with much memory may want to wait for slow readers; jobs wait in memory and in the store.
constexpr std::uint64_t octets_min = 1024 * 1024;
constexpr std::uint64_t octets_most = 64ULL * 1024 * 1024 * 1024;
constexpr std::uint64_t age_most = 366ULL * 24 * 3600;

}  // namespace

std::vector<key_info> queue_keys() {
    return {
        {.name = "queues.count",
         .slot = +[](settings& s) -> std::uint64_t& { return s.queues.count; },
         .range = "0 to 1000000",
         .help = "Durable queues of this daemon, those for dead jobs not counted; 0: none can be made.",
         .reloadable = true,
         .least = 0,
         .most = a_million},
        {.name = "queues.messages",
         .slot = +[](settings& s) -> std::uint64_t& { return s.queues.messages; },
         .range = "1 to 1000000",
         .help = "Messages that one queue holds, those that readers have included. Beyond it a reliable message is refused "
                 "with 'overflow', any other dropped and counted.",
         .reloadable = true,
         .least = 1,
         .most = a_million},
        {.name = "queues.octets",
         .slot = +[](settings& s) -> std::uint64_t& { return s.queues.octets; },
         .range = "1048576 to 68719476736",
         .help = "Octets that the messages of one queue may need, 256 for each beside its text. They wait in memory and in the store.",
         .reloadable = true,
         .least = octets_min,
         .most = octets_most},
        {.name = "queues.age_seconds",
         .slot = +[](settings& s) -> std::uint64_t& { return s.queues.age_seconds; },
         .range = "0 to 31622400",
         .help = "A message that no reader took for so long is dropped and counted; 0: it waits for ever. For messages that come "
                 "after a change.",
         .reloadable = true,
         .least = 0,
         .most = age_most},
    };
}

}  // namespace mbusd
