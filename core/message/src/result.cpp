#include <mbus/result.hpp>

#include <array>

namespace mbus {
namespace {

struct code_name {
    errc code;
    std::string_view name;
};

constexpr std::array code_names{
    code_name{errc::bad_frame, "bad-frame"},
    code_name{errc::bad_version, "bad-version"},
    code_name{errc::bad_address, "bad-address"},
    code_name{errc::bad_command, "bad-command"},
    code_name{errc::too_large, "too-large"},
    code_name{errc::window, "window"},
    code_name{errc::no_entity, "no-entity"},
    code_name{errc::unauthorized, "unauthorized"},
    code_name{errc::forbidden, "forbidden"},
    code_name{errc::no_session, "no-session"},
    code_name{errc::conflict, "conflict"},
    code_name{errc::taken_over, "taken-over"},
    code_name{errc::no_match, "no-match"},
    code_name{errc::not_unique, "not-unique"},
    code_name{errc::not_acknowledged, "not-acknowledged"},
    code_name{errc::left, "left"},
    code_name{errc::expired, "expired"},
    code_name{errc::overflow, "overflow"},
    code_name{errc::rate, "rate"},
    code_name{errc::limit, "limit"},
    code_name{errc::not_found, "not-found"},
    code_name{errc::shutting_down, "shutting-down"},
    code_name{errc::internal, "internal"},
    code_name{errc::syntax, "syntax"},
    code_name{errc::bad_value, "bad-value"},
    code_name{errc::bad_argument, "bad-argument"},
    code_name{errc::bad_config, "bad-config"},
    code_name{errc::no_daemon, "no-daemon"},
    code_name{errc::disconnected, "disconnected"},
    code_name{errc::timed_out, "timed-out"},
    code_name{errc::cancelled, "cancelled"},
    code_name{errc::remote_failed, "remote-failed"},
};

}  // namespace

std::string_view to_string(errc code) noexcept {
    for (const auto& entry : code_names)
        if (entry.code == code) return entry.name;
    return "internal";
}

errc errc_from_string(std::string_view symbol) noexcept {
    for (const auto& entry : code_names)
        if (entry.name == symbol) return entry.code;
    return errc::internal;
}

std::string describe(const error& failure) {
    std::string out{to_string(failure.code)};
    if (!failure.text.empty()) out += ": " + failure.text;
    if (failure.offset != error::no_offset) out += " at octet " + std::to_string(failure.offset);
    return out;
}

}  // namespace mbus
