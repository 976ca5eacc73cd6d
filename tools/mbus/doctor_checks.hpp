// What `mbus doctor` concludes from what it found: pure, so that every conclusion has a test.
//
//     const auto checks = examine(facts);
//     for (const auto& one : checks) print(one);
//
// Thread-safety: plain values and pure functions.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mbus/value.hpp>

namespace mbus::tools {

enum class verdict : std::uint8_t { ok, warning, failed };

[[nodiscard]] std::string_view to_string(verdict which) noexcept;  // "ok", "warning", "failed"

struct check {
    std::string name;  // "daemon", "rights", "key", "interfaces", "loopback", "ipv6", "other-key", "mtu", "clock"
    verdict found = verdict::ok;
    std::string text;
    std::string fix{};  // what to do; empty when nothing is wrong
};

// What the daemon answered; empty lists where it did not.
struct daemon_facts {
    std::string socket;
    std::string user;            // who we are, for the fix
    std::string failure;         // why there is no session; empty: there is one
    bool refused = false;        // the daemon is there but does not let us in
    std::string attach_refused;  // why we may not be an entity; empty: we may
    value::list status;          // mbusd.status
    value::list rights;          // mbusd.rights
    value::list interfaces;      // mbusd.interfaces
    value::list counters;        // mbusd.counters
    value::list counters_later;  // the same, some hello intervals later
    std::chrono::milliseconds between{0};
};

struct key_facts {
    std::string path;       // empty: not found
    std::string failure;    // why it is not usable
    bool unreadable = false;  // another user's: that is no fault of it
    std::string text;       // algorithms and scope
    std::string fingerprint;
    bool modern = false;
    bool encrypted = true;
};

struct clock_facts {
    std::uint64_t now_ms = 0;
    std::optional<bool> synchronised;
};

[[nodiscard]] check examine_daemon(const daemon_facts& facts);
[[nodiscard]] check examine_rights(const daemon_facts& facts);
[[nodiscard]] check examine_key(const key_facts& facts);
[[nodiscard]] check examine_interfaces(const daemon_facts& facts);
[[nodiscard]] check examine_loopback(const daemon_facts& facts);
[[nodiscard]] check examine_ipv6(const daemon_facts& facts);
[[nodiscard]] check examine_other_key(const daemon_facts& facts);
[[nodiscard]] check examine_mtu(const daemon_facts& facts);
[[nodiscard]] check examine_clock(const daemon_facts& daemon, const clock_facts& facts);

// All that make sense: without a daemon only daemon, key and clock.
[[nodiscard]] std::vector<check> examine(const daemon_facts& daemon, const key_facts& key, const clock_facts& clock);

// "ok       daemon      mbusd 0.1.0 ..." and below it "         fix: ...".
[[nodiscard]] std::string check_text(const check& one);
// {"v":1,"check":"daemon","status":"ok","text":"..","fix":null}
[[nodiscard]] std::string check_json(const check& one);

}  // namespace mbus::tools
