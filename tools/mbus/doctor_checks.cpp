#include "mbus/doctor_checks.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <mbus_json/message_json.hpp>

#include "cli/daemon_requests.hpp"
#include "cli/duration.hpp"
#include "cli/text.hpp"

namespace mbus::tools {
namespace {

// 2020-01-01: a clock before it was never set.
constexpr std::uint64_t plausible_since_ms = 1'577'836'800'000;
// Daemon and tool read the same clock a moment apart.
constexpr std::uint64_t clock_apart_most_ms = 5'000;

// Reasons that a datagram with another key is dropped for.
constexpr std::string_view foreign_reasons[] = {"bad-mac", "bad-mac-line", "bad-ciphertext"};

bool has_answers(const daemon_facts& facts) { return !facts.status.empty(); }

std::int64_t foreign_datagrams(const value::list& counters) {
    std::int64_t sum = 0;
    for (const auto reason : foreign_reasons) sum += number_at(list_at(counters, "bus-dropped"), reason).value_or(0);
    return sum;
}

std::vector<const value::list*> interfaces_of(const daemon_facts& facts) {
    std::vector<const value::list*> rows;
    for (const auto& one : list_at(facts.interfaces, "interfaces")) {
        if (const auto* row = one.get_if<value::list>()) rows.push_back(row);
    }
    return rows;
}

bool joined(const value::list& row, std::string_view family) { return number_at(row, family).value_or(0) != 0; }

// "eth0 (10.0.0.1, fe80::1)"
std::string interface_text(const value::list& row) {
    std::vector<std::string> parts;
    if (joined(row, "ipv4")) parts.push_back(text_at(row, "address-ipv4").empty() ? "IPv4" : text_at(row, "address-ipv4"));
    if (joined(row, "ipv6")) parts.push_back(text_at(row, "address-ipv6").empty() ? "IPv6" : text_at(row, "address-ipv6"));
    return fmt::format("{} ({})", text_at(row, "name"), fmt::join(parts, ", "));
}

std::string skipped_text(const daemon_facts& facts) {
    std::vector<std::string> parts;
    for (const auto& one : list_at(facts.interfaces, "skipped")) {
        const auto* row = one.get_if<value::list>();
        if (row != nullptr) parts.push_back(fmt::format("{}: {}", text_at(*row, "name"), text_at(*row, "reason")));
    }
    return parts.empty() ? std::string{} : fmt::format("; not used: {}", fmt::join(parts, ", "));
}

std::string note_about(const daemon_facts& facts, std::string_view word) {
    for (const auto& one : list_at(facts.status, "notes")) {
        const auto* note = one.get_if<std::string>();
        if (note != nullptr && note->find(word) != std::string::npos) return *note;
    }
    return {};
}

check unknown(std::string name) { return {std::move(name), verdict::warning, "the daemon does not say", "bring daemon and tools to the same version"}; }

}  // namespace

std::string_view to_string(verdict which) noexcept {
    switch (which) {
        case verdict::ok: return "ok";
        case verdict::warning: return "warning";
        default: return "failed";
    }
}

check examine_daemon(const daemon_facts& facts) {
    if (!facts.failure.empty() && facts.refused) {
        return {"daemon", verdict::failed, facts.failure,
                fmt::format("sudo adduser {} mbus-users, then log in again; or run as root", facts.user)};
    }
    if (!facts.failure.empty()) {
        return {"daemon", verdict::failed, facts.failure,
                "sudo systemctl start mbusd (from a source tree: ./dev run); another socket: --socket PATH or $MBUS_SOCKET"};
    }
    if (!has_answers(facts)) return {"daemon", verdict::ok, fmt::format("answers on {}", facts.socket), {}};
    return {"daemon", verdict::ok,
            fmt::format("mbusd {} on {}, up {}, sessions: {}, entities: {}", text_at(facts.status, "version"), facts.socket,
                        format_duration(std::chrono::milliseconds{number_at(facts.status, "uptime-ms").value_or(0)}),
                        number_at(facts.status, "sessions").value_or(0), number_at(facts.status, "entities").value_or(0)),
            {}};
}

check examine_rights(const daemon_facts& facts) {
    if (!facts.attach_refused.empty()) {
        return {"rights", verdict::failed, facts.attach_refused, fmt::format("sudo adduser {} mbus-users, then log in again", facts.user)};
    }
    if (facts.rights.empty()) return unknown("rights");
    const auto may = [&](std::string_view what) { return number_at(facts.rights, what).value_or(0) != 0; };
    const auto user = text_at(facts.rights, "user");
    std::vector<std::string> rights{"attach"};
    if (may("send-anywhere")) rights.emplace_back("send anywhere");
    if (may("monitor")) rights.emplace_back("monitor");
    if (may("administer")) rights.emplace_back("administer");
    auto text = fmt::format("user {} may {}", user.empty() ? facts.user : user, fmt::join(rights, ", "));
    if (!may("monitor") || !may("administer")) text += "; group mbus-admin adds monitor and administer";
    return {"rights", verdict::ok, std::move(text), {}};
}

check examine_key(const key_facts& facts) {
    if (facts.unreadable) {
        return {"key", verdict::ok, fmt::format("{} is not readable for this user, as it should be; check it with: sudo mbus doctor", facts.path), {}};
    }
    if (facts.path.empty()) return {"key", verdict::warning, facts.failure, "mbus key new (or sudo mbus key new /etc/mbusd/mbus.conf)"};
    if (!facts.failure.empty()) {
        return {"key", verdict::failed, facts.failure, fmt::format("chmod 600 {0}, or make a new one: mbus key new --force {0}", facts.path)};
    }
    auto text = fmt::format("{}: {} ({} profile), fingerprint {}", facts.path, facts.text, facts.modern ? "modern" : "RFC 3259", facts.fingerprint);
    if (facts.encrypted) return {"key", verdict::ok, std::move(text), {}};
    return {"key", verdict::ok, text + "; not encrypted: who hears the link reads everything", {}};
}

check examine_interfaces(const daemon_facts& facts) {
    if (!has_answers(facts)) return unknown("interfaces");
    std::vector<std::string> parts;
    for (const auto* row : interfaces_of(facts)) {
        if (joined(*row, "ipv4") || joined(*row, "ipv6")) parts.push_back(interface_text(*row));
    }
    const auto scope = text_at(facts.status, "scope");
    if (parts.empty()) {
        return {"interfaces", verdict::failed, fmt::format("scope {}, but no interface is joined{}", scope, skipped_text(facts)),
                scope == "HOSTLOCAL" ? "sudo ip link set lo up" : "bring an interface up (ip link), and look at bus.allow_interfaces and bus.deny_interfaces: mbus config show"};
    }
    return {"interfaces", verdict::ok, fmt::format("scope {}, joined on {}{}", scope, fmt::join(parts, ", "), skipped_text(facts)), {}};
}

check examine_loopback(const daemon_facts& facts) {
    if (!has_answers(facts)) return unknown("loopback");
    if (number_at(facts.status, "loopback-heard").value_or(0) != 0) {
        return {"loopback", verdict::ok, "the daemon hears its own datagrams on the group", {}};
    }
    return {"loopback", verdict::failed, "the daemon does not hear its own datagrams: multicast does not work on this host",
            "let UDP to the group through the firewall: sudo nft list ruleset; and see that the interface has MULTICAST: ip link"};
}

check examine_ipv6(const daemon_facts& facts) {
    if (!has_answers(facts)) return unknown("ipv6");
    const auto families = text_at(facts.status, "families");
    const auto group = text_at(facts.status, "group-ipv6");
    if (families == "ipv4") return {"ipv6", verdict::ok, "off by configuration (bus.families)", {}};
    const auto rows = interfaces_of(facts);
    const bool any = std::ranges::any_of(rows, [](const value::list* row) { return joined(*row, "ipv6"); });
    if (!group.empty() && any) return {"ipv6", verdict::ok, fmt::format("on, group {}", group), {}};
    const auto note = note_about(facts, "IPv6");
    if (text_at(facts.status, "scope") == "HOSTLOCAL" && families == "auto") {
        return {"ipv6", verdict::ok, note.empty() ? "not used; IPv4 is enough on one host" : note, {}};
    }
    return {"ipv6", families == "ipv6" ? verdict::failed : verdict::warning,
            note.empty() ? "no interface has a usable IPv6 address; peers with IPv6 only are not reached" : note,
            "sudo sysctl net.ipv6.conf.all.disable_ipv6=0; or say that it is meant: bus.families = \"ipv4\" in mbusd.toml"};
}

check examine_other_key(const daemon_facts& facts) {
    if (facts.counters.empty()) return unknown("other-key");
    const auto before = foreign_datagrams(facts.counters);
    const auto after = facts.counters_later.empty() ? before : foreign_datagrams(facts.counters_later);
    if (after > before) {
        return {"other-key", verdict::failed,
                fmt::format("somebody with another key is on this bus: {} datagrams with a wrong MAC in {}, {} since the start", after - before,
                            format_duration(facts.between), after),
                "compare the fingerprint of mbus key show on all hosts; copy the key: mbus key export | ssh HOST mbus key import --force -"};
    }
    if (after > 0) {
        return {"other-key", verdict::ok, fmt::format("none now; {} datagrams with a wrong MAC since the start", after), {}};
    }
    return {"other-key", verdict::ok, "nobody with another key", {}};
}

check examine_mtu(const daemon_facts& facts) {
    if (!has_answers(facts)) return unknown("mtu");
    std::vector<std::string> parts;
    std::int64_t least = 0;
    for (const auto* row : interfaces_of(facts)) {
        const auto mtu = number_at(*row, "mtu").value_or(0);
        parts.push_back(fmt::format("{} {}", text_at(*row, "name"), mtu));
        if (mtu > 0 && (least == 0 || mtu < least)) least = mtu;
    }
    const auto oversized = number_at(list_at(facts.counters, "sockets"), "oversized").value_or(0);
    if (oversized > 0) {
        return {"mtu", verdict::warning, fmt::format("{} datagrams were larger than the MTU ({}) and went out in fragments", oversized, fmt::join(parts, ", ")),
                fmt::format("send less than {} octets in a message where loss matters", least)};
    }
    if (parts.empty()) return {"mtu", verdict::ok, "no interface", {}};
    return {"mtu", verdict::ok, fmt::format("{}; nothing was fragmented", fmt::join(parts, ", ")), {}};
}

check examine_clock(const daemon_facts& daemon, const clock_facts& facts) {
    const std::string fix = "sudo timedatectl set-ntp true";
    if (facts.now_ms < plausible_since_ms) return {"clock", verdict::failed, "the clock of this host was never set", fix};
    const auto theirs = static_cast<std::uint64_t>(number_at(daemon.status, "time-ms").value_or(static_cast<std::int64_t>(facts.now_ms)));
    const auto apart = theirs > facts.now_ms ? theirs - facts.now_ms : facts.now_ms - theirs;
    if (apart > clock_apart_most_ms) {
        return {"clock", verdict::warning, fmt::format("the daemon's clock is {} away from this one", format_duration(std::chrono::milliseconds{apart})), fix};
    }
    if (facts.synchronised == false) {
        return {"clock", verdict::warning, "set, but not synchronised; the modern profile drops what is too old by this clock", fix};
    }
    return {"clock", verdict::ok, facts.synchronised ? "set and synchronised" : "set", {}};
}

std::vector<check> examine(const daemon_facts& daemon, const key_facts& key, const clock_facts& clock) {
    std::vector<check> checks{examine_daemon(daemon)};
    if (daemon.failure.empty()) checks.push_back(examine_rights(daemon));
    checks.push_back(examine_key(key));
    if (daemon.failure.empty() && daemon.attach_refused.empty()) {
        for (const auto examine_one : {examine_interfaces, examine_loopback, examine_ipv6, examine_other_key, examine_mtu}) {
            checks.push_back(examine_one(daemon));
        }
    }
    checks.push_back(examine_clock(daemon, clock));
    return checks;
}

std::string check_text(const check& one) {
    auto out = printable(fmt::format("{:<8} {:<11} {}", to_string(one.found), one.name, one.text));
    if (!one.fix.empty()) out += printable(fmt::format("{:<20} fix: {}", "", one.fix)).insert(0, "\n");
    return out;
}

std::string check_json(const check& one) {
    std::string line = fmt::format(R"({{"v":1,"check":"{}","status":"{}","text":)", one.name, to_string(one.found));
    json::append_string(line, one.text);
    line += ",\"fix\":";
    if (one.fix.empty()) line += "null";
    else json::append_string(line, one.fix);
    return line + "}";
}

}  // namespace mbus::tools
