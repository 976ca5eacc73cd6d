#include <array>

#include "c_handles.hpp"

namespace mbus::detail {
namespace {

thread_local std::string last_error;

constexpr std::array codes{
    errc::bad_frame,    errc::bad_version,      errc::bad_address, errc::bad_command,   errc::too_large,
    errc::window,       errc::no_entity,        errc::unauthorized, errc::forbidden,    errc::no_session,
    errc::conflict,     errc::taken_over,       errc::no_match,    errc::not_unique,    errc::not_acknowledged,
    errc::left,         errc::expired,          errc::overflow,    errc::rate,          errc::limit,
    errc::not_found,    errc::shutting_down,    errc::internal,    errc::syntax,        errc::bad_value,
    errc::bad_argument, errc::bad_config,       errc::no_daemon,   errc::disconnected,  errc::timed_out,
    errc::cancelled,    errc::remote_failed,
};
static_assert(codes.size() == MBUS_REMOTE_FAILED, "every errc has its mbus_status, in the same order");

}  // namespace

mbus_status to_status(errc code) noexcept {
    for (std::size_t i = 0; i < codes.size(); ++i) {
        if (codes[i] == code) return static_cast<mbus_status>(i + 1);
    }
    return MBUS_INTERNAL;
}

errc from_status(mbus_status status) noexcept {
    const auto index = static_cast<std::size_t>(status) - 1;
    return index < codes.size() ? codes[index] : errc::internal;
}

mbus_status failed(const error& failure) noexcept {
    try {
        last_error = failure.offset == error::no_offset ? failure.text : describe(failure);
    } catch (...) {
        last_error.clear();  // out of memory: the status has to do
    }
    return to_status(failure.code);
}

mbus_status missing_argument(const char* which) noexcept {
    return failed({errc::bad_argument, std::string{which} + " must not be NULL"});
}

std::string list_text(const std::vector<value>& values) {
    auto text = format_value(value{values});
    return text ? std::move(*text) : std::string{"()"};
}

}  // namespace mbus::detail

extern "C" {

const char* mbus_last_error(void) { return mbus::detail::last_error.c_str(); }

const char* mbus_status_name(mbus_status status) {
    if (status == MBUS_OK) return "ok";
    // The symbols are literals and therefore end with a NUL.
    return mbus::to_string(mbus::detail::from_status(status)).data();
}

const char* mbus_version(void) { return MBUS_VERSION; }

}  // extern "C"
