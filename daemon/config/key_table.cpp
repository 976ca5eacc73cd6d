#include "config/key_table.hpp"

#include <array>
#include <charconv>

#include "config/key_parts.hpp"

namespace mbusd {
namespace {

constexpr std::array<std::string_view, 3> scopes{"key-file", "HOSTLOCAL", "LINKLOCAL"};
constexpr std::array<std::string_view, 4> families{"auto", "ipv4", "ipv6", "both"};
constexpr std::array<std::string_view, 2> compats{"none", "legacy"};
constexpr std::array<std::string_view, 2> syncs{"full", "normal"};
constexpr std::array<std::string_view, 5> levels{"error", "warning", "notice", "info", "debug"};

// sockaddr_un holds 108 octets, the final NUL included.
constexpr std::size_t socket_path_octets_max = 107;
// IFNAMSIZ - 1 for a plain name; a glob may be a little longer.
constexpr std::size_t interface_glob_octets_max = 64;
// What docs/mbws.md promises every peer: field `size` is at least 128 KiB.
constexpr std::uint64_t frame_octets_min = 128 * 1024;
constexpr std::uint64_t frame_octets_max = 64 * 1024 * 1024;
// One frame of the largest size must fit a queue.
constexpr std::uint64_t queue_octets_min = frame_octets_min;
constexpr std::uint64_t queue_octets_most = std::uint64_t{1} << 32;
constexpr std::uint64_t a_million = 1'000'000;
// 30 days: longer absences are what durable queues are for.
constexpr std::uint64_t expiry_most = 30ULL * 24 * 3600;

using check_result = std::optional<std::string>;

check_result check_absolute_path(std::string_view value) {
    if (value.empty() || value.front() == '/' || value.starts_with("~/")) return std::nullopt;
    return "expected a path that starts with '/' or '~/'";
}

check_result check_socket_path(std::string_view value) {
    if (value.empty()) return std::nullopt;
    if (value.front() != '/') return "expected a path that starts with '/'";
    if (value.size() > socket_path_octets_max) {
        return "expected at most 107 octets, the limit of Unix sockets, got " + std::to_string(value.size());
    }
    return std::nullopt;
}

check_result check_mode(std::string_view value) {
    unsigned bits = 0;
    const auto* end = value.data() + value.size();
    const auto [stopped, fault] = std::from_chars(value.data(), end, bits, 8);
    if (value.size() >= 3 && fault == std::errc{} && stopped == end && bits <= 0777) return std::nullopt;
    return "expected an octal file mode in quotes such as \"0666\" or \"0660\"";
}

check_result check_interface(std::string_view value) {
    if (value.empty() || value.size() > interface_glob_octets_max) {
        return "expected an interface name or glob such as \"eth*\"";
    }
    if (value.find_first_of(" /,") != std::string_view::npos) {
        return "expected one interface name or glob for each list entry, without blanks, '/' and ','";
    }
    return std::nullopt;
}

std::vector<key_info> bus_keys() {
    return {
        {.name = "bus.key_file",
         .slot = +[](settings& s) -> std::string& { return s.bus.key_file; },
         .range = "a path; empty: $MBUS, else ~/.mbus, else /etc/mbusd/mbus.conf",
         .help = "The RFC 3259 configuration of the bus: keys, scope, group address and port. Only its owner "
                 "may be able to read it. Every host of a bus has the same file; 'mbus key' makes and copies it.",
         .check = check_absolute_path},
        {.name = "bus.scope",
         .slot = +[](settings& s) -> std::string& { return s.bus.scope; },
         .range = "key-file, HOSTLOCAL or LINKLOCAL",
         .help = "How far messages go: HOSTLOCAL stays on this host, LINKLOCAL reaches the hosts on the same "
                 "link. key-file takes SCOPE from the key file.",
         .choices = scopes},
        {.name = "bus.families",
         .slot = +[](settings& s) -> std::string& { return s.bus.families; },
         .range = "auto, ipv4, ipv6 or both",
         .help = "Over which IP versions messages are sent. auto announces on both and sends other group messages over "
                 "IPv4, and over IPv6 too on links where a peer is known by IPv6 only.",
         .choices = families},
        {.name = "bus.allow_interfaces",
         .slot = +[](settings& s) -> std::vector<std::string>& { return s.bus.allow_interfaces; },
         .range = "names or globs; [\"*\"] is all",
         .help = "Network interfaces that may take part with scope LINKLOCAL, as far as they are suitable: up, "
                 "multicast, with an address.",
         .reloadable = true,
         .check = check_interface},
        {.name = "bus.deny_interfaces",
         .slot = +[](settings& s) -> std::vector<std::string>& { return s.bus.deny_interfaces; },
         .range = "names or globs",
         .help = "Network interfaces that never take part, also when bus.allow_interfaces names them.",
         .reloadable = true,
         .check = check_interface},
        {.name = "bus.compat",
         .slot = +[](settings& s) -> std::string& { return s.bus.compat; },
         .range = "none or legacy",
         .help = "legacy sends the one dialect that Mbus implementations of the years around 2000 understand (UCL, "
                 "libgmbus, Java MBus), and reads theirs with more leniency. It departs from RFC 3259; see docs/rfc3259.md.",
         .choices = compats},
        {.name = "bus.coalesce",
         .slot = +[](settings& s) -> bool& { return s.bus.coalesce; },
         .range = "true or false",
         .help = "Unreliable messages of one entity to one destination that wait at the same moment travel in one "
                 "datagram, in order."},
        {.name = "bus.unicast",
         .slot = +[](settings& s) -> bool& { return s.bus.unicast; },
         .range = "true or false",
         .help = "Messages to exactly one known entity go straight to its host where RFC 3259, section 6.2, allows it."},
        {.name = "bus.allow_short_keys",
         .slot = +[](settings& s) -> bool& { return s.bus.allow_short_keys; },
         .range = "true or false",
         .help = "Takes key files whose hash key is shorter than RFC 3259, section 11.3, demands, with a warning. Needed "
                 "only for buses with very old members."},
    };
}

std::vector<key_info> socket_keys() {
    return {
        {.name = "socket.path",
         .slot = +[](settings& s) -> std::string& { return s.socket.path; },
         .range = "a path of at most 107 octets; empty: see help",
         .help = "The Unix socket for local programs. When empty, a system service uses /run/mbusd/mbusd.sock, a daemon "
                 "started by a user $XDG_RUNTIME_DIR/mbusd/mbusd.sock. Socket activation by systemd goes before this key.",
         .check = check_socket_path},
        {.name = "socket.mode",
         .slot = +[](settings& s) -> std::string& { return s.socket.mode; },
         .range = "an octal file mode in quotes",
         .help = "File mode of the socket. With 0666 anyone can connect and the rights rules decide; a user without "
                 "rights is told what to do.",
         .check = check_mode},
        {.name = "socket.group",
         .slot = +[](settings& s) -> std::string& { return s.socket.group; },
         .range = "a group name; empty: the daemon's own group",
         .help = "Group that owns the socket file; matters with a mode such as 0660."},
    };
}

std::vector<key_info> limit_keys() {
    return {
        {.name = "limits.connections",
         .slot = +[](settings& s) -> std::uint64_t& { return s.limits.connections; },
         .range = "1 to 1000000",
         .help = "Open connections of all users together; further ones are told so and closed.",
         .reloadable = true,
         .least = 1,
         .most = a_million},
        {.name = "limits.sessions_per_user",
         .slot = +[](settings& s) -> std::uint64_t& { return s.limits.sessions_per_user; },
         .range = "1 to 1000000",
         .help = "Sessions of one user, those that wait for their client to come back included.",
         .reloadable = true,
         .least = 1,
         .most = a_million},
        {.name = "limits.entities_per_session",
         .slot = +[](settings& s) -> std::uint64_t& { return s.limits.entities_per_session; },
         .range = "1 to 1000000",
         .help = "Entities, and likewise monitors, that one session may attach.",
         .reloadable = true,
         .least = 1,
         .most = a_million},
        {.name = "limits.entities_per_user",
         .slot = +[](settings& s) -> std::uint64_t& { return s.limits.entities_per_user; },
         .range = "1 to 1000000",
         .help = "Entities that all sessions of one user may attach together.",
         .reloadable = true,
         .least = 1,
         .most = a_million},
        {.name = "limits.watches_per_session",
         .slot = +[](settings& s) -> std::uint64_t& { return s.limits.watches_per_session; },
         .range = "1 to 1000000",
         .help = "Watches that one session may have.",
         .reloadable = true,
         .least = 1,
         .most = a_million},
        {.name = "limits.queue_octets",
         .slot = +[](settings& s) -> std::uint64_t& { return s.limits.queue_octets; },
         .range = "131072 to 4294967296",
         .help = "Octets that may wait for one session; then its slow-reader policy applies (docs/mbws.md, section 5).",
         .reloadable = true,
         .least = queue_octets_min,
         .most = queue_octets_most},
        {.name = "limits.queue_messages",
         .slot = +[](settings& s) -> std::uint64_t& { return s.limits.queue_messages; },
         .range = "16 to 1000000",
         .help = "Messages that may wait for one session; then its slow-reader policy applies.",
         .reloadable = true,
         .least = 16,
         .most = a_million},
        {.name = "limits.queue_octets_per_user",
         .slot = +[](settings& s) -> std::uint64_t& { return s.limits.queue_octets_per_user; },
         .range = "131072 to 4294967296",
         .help = "Octets that may wait for all sessions of one user together; beyond it messages for that user are "
                 "dropped with the reason 'limit', and reliable ones refused.",
         .reloadable = true,
         .least = queue_octets_min,
         .most = queue_octets_most},
        {.name = "limits.frame_octets",
         .slot = +[](settings& s) -> std::uint64_t& { return s.limits.frame_octets; },
         .range = "131072 to 67108864",
         .help = "The largest frame taken from a client. What goes to the bus must fit a datagram of 65507 octets whatever "
                 "this says. Applies to new connections.",
         .reloadable = true,
         .least = frame_octets_min,
         .most = frame_octets_max},
        {.name = "limits.expiry_seconds",
         .slot = +[](settings& s) -> std::uint64_t& { return s.limits.expiry_seconds; },
         .range = "0 to 2592000",
         .help = "The longest time that a session may outlive its connection; a client that asks for more gets this.",
         .reloadable = true,
         .least = 0,
         .most = expiry_most},
    };
}

std::vector<key_info> state_keys() {
    return {
        {.name = "state.directory",
         .slot = +[](settings& s) -> std::string& { return s.state.directory; },
         .range = "a path; empty: see help",
         .help = "What the daemon remembers from one start to the next: its id (file broker-id), tokens, durable sessions and queues "
                 "(file mbusd.db). Each daemon needs one of "
                 "its own; it is made if only its last part is missing. When empty, a system service uses /var/lib/mbusd, a daemon "
                 "started by a user $XDG_STATE_HOME/mbusd or ~/.local/state/mbusd if it exists; without one the id is another at "
                 "each start, and nothing else is kept.",
         .check = check_absolute_path},
        {.name = "state.sync",
         .slot = +[](settings& s) -> std::string& { return s.state.sync; },
         .range = "full or normal",
         .help = "When something counts as stored. full waits until it is on the disk. normal is faster; what was stored last may "
                 "be lost with the power of the computer, but not when only the daemon is killed.",
         .choices = syncs},
    };
}

std::vector<key_info> log_keys() {
    return {
        {.name = "log.level",
         .slot = +[](settings& s) -> std::string& { return s.log.level; },
         .range = "error, warning, notice, info or debug",
         .help = "What is written to the journal, or to the standard error when not started by systemd.",
         .reloadable = true,
         .choices = levels},
    };
}

constexpr std::array<rights_key_info, 10> rights_key_list{{
    {"users", "a list of texts", "Globs on user names or numbers that the rule is for."},
    {"groups", "a list of texts", "Globs on group names that the rule is for. Users and groups add up; one of users, groups and clients must be there."},
    {"clients", "a list of texts",
     "Globs on names of clients with a token ('mbus client add'). What the rule grants adds to what the token was given."},
    {"attach", "a list of texts",
     "Address patterns: an entity may be attached if it contains all elements of one of them. \"()\" allows all."},
    {"send", "a list of texts",
     "Address patterns: a destination must contain all elements of one of them. \"()\" allows all."},
    {"monitor", "true or false", "Copies of every message that the daemon routes may be read."},
    {"administer", "true or false", "The daemon's configuration and sessions may be looked at with 'mbus', and tokens made and withdrawn."},
    {"block", "true or false", "The slow-reader policy 'block', which holds up senders, may be used."},
    {"durable", "true or false", "Sessions may ask to be kept across a restart of the daemon."},
    {"link", "true or false", "Sessions may be links between daemons."},
}};

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

struct writer {
    settings& from;
    std::string operator()(bool& (*slot)(settings&)) const { return slot(from) ? "true" : "false"; }
    std::string operator()(std::uint64_t& (*slot)(settings&)) const { return std::to_string(slot(from)); }
    std::string operator()(std::string& (*slot)(settings&)) const { return quoted(slot(from)); }
    std::string operator()(std::vector<std::string>& (*slot)(settings&)) const {
        std::string out = "[";
        for (const auto& item : slot(from)) out += (out.size() > 1 ? ", " : "") + quoted(item);
        return out + ']';
    }
};

}  // namespace

std::span<const key_info> key_table() {
    static const std::vector<key_info> table = [] {
        auto all = bus_keys();
        for (const auto& part : {socket_keys(), state_keys(), limit_keys(), gateway_keys(), capability_keys(), queue_keys(), feed_keys(),
                                 xmpp_keys(), log_keys()}) {
            all.insert(all.end(), part.begin(), part.end());
        }
        return all;
    }();
    return table;
}

std::string_view type_name(const key_info& key) noexcept {
    constexpr std::array<std::string_view, 4> names{"true or false", "a whole number", "a text", "a list of texts"};
    return names[key.slot.index()];
}

std::string value_text(const key_info& key, const settings& from) {
    settings copy = from;
    return std::visit(writer{copy}, key.slot);
}

std::span<const rights_key_info> rights_keys() { return rights_key_list; }

unsigned mode_bits(const settings& from) {
    unsigned bits = 0;
    const auto& text = from.socket.mode;
    std::from_chars(text.data(), text.data() + text.size(), bits, 8);
    return bits;
}

}  // namespace mbusd
