#include "protocol/counters.hpp"

namespace mbus::protocol {

std::string_view to_string(drop_reason reason) noexcept {
    switch (reason) {
    case drop_reason::too_short: return "too-short";
    case drop_reason::bad_mac_line: return "bad-mac-line";
    case drop_reason::bad_mac: return "bad-mac";
    case drop_reason::bad_ciphertext: return "bad-ciphertext";
    case drop_reason::not_mbus: return "not-mbus";
    case drop_reason::replayed: return "replayed";
    case drop_reason::bad_version: return "bad-version";
    case drop_reason::bad_header: return "bad-header";
    case drop_reason::bad_body: return "bad-body";
    case drop_reason::source_without_id: return "source-without-id";
    case drop_reason::own_echo: return "own-echo";
    case drop_reason::duplicate: return "duplicate";
    case drop_reason::not_for_us: return "not-for-us";
    case drop_reason::reliable_not_exact: return "reliable-not-exact";
    case drop_reason::queue_full: return "queue-full";
    case drop_reason::peers_full: return "peers-full";
    case drop_reason::late_after_bye: return "late-after-bye";
    case drop_reason::not_local_host: return "not-local-host";
    case drop_reason::truncated: return "truncated";
    case drop_reason::bad_mbus_command: return "bad-mbus-command";
    case drop_reason::unknown_mbus_command: return "unknown-mbus-command";
    case drop_reason::foreign_ack: return "foreign-ack";
    case drop_reason::count_: break;
    }
    return "unknown";
}

}  // namespace mbus::protocol
