// result<T>: a value, or an error that says what was wrong and what to do.
//
//     auto parsed = mbus::address::parse("(app:rat)");
//     if (!parsed) std::puts(parsed.error().text.c_str());
//     else use(*parsed);
//
// Thread-safety: plain values, like std::string.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <mbus/export.hpp>

namespace mbus {

// What went wrong. The first group has the names of the MBWS codes (docs/mbws.md, section 6); the
// second group arises in this process and never crosses the wire.
enum class errc : unsigned char {
    bad_frame,
    bad_version,
    bad_address,
    bad_command,
    too_large,
    window,
    no_entity,
    unauthorized,
    forbidden,
    no_session,
    conflict,
    taken_over,
    no_match,
    not_unique,
    not_acknowledged,
    left,
    expired,
    overflow,
    rate,
    limit,
    not_found,
    shutting_down,
    internal,

    syntax,         // text that is not what the grammar demands; `offset` says where
    bad_value,      // a value that can't be written: NaN, a NUL in a string, an empty symbol
    bad_argument,   // the caller asked for something that makes no sense
    bad_config,     // a configuration file; the text names file and line
    no_daemon,      // nothing answers on the socket
    disconnected,   // the connection to the daemon broke before the outcome was known
    timed_out,      // the caller's own time limit
    cancelled,      // the operation was given up by its owner
    remote_failed,  // a request's callee answered FAILED or UNKNOWN
};

// The code as a symbol, for instance "not-unique"; never empty.
[[nodiscard]] MBUS_API std::string_view to_string(errc code) noexcept;

// The code that `symbol` names; errc::internal for a symbol from a later version.
[[nodiscard]] MBUS_API errc errc_from_string(std::string_view symbol) noexcept;

// One failure. `text` is a whole English sentence part, fit to print after "mbus-send: ".
struct error {
    static constexpr std::size_t no_offset = static_cast<std::size_t>(-1);

    errc code = errc::internal;
    std::string text;
    std::size_t offset = no_offset;  // octets from the start of the text that was read

    bool operator==(const error&) const = default;
};

// "syntax: expected ')' at octet 12"
[[nodiscard]] MBUS_API std::string describe(const error& failure);

// Either a T or an error. Reading the value of a failed result is undefined, as for std::optional.
template <class T>
class [[nodiscard]] result {
public:
    result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    result(mbus::error failure) : state_(std::in_place_index<1>, std::move(failure)) {}
    result(errc code, std::string text) : state_(std::in_place_index<1>, mbus::error{code, std::move(text)}) {}

    [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    [[nodiscard]] T& value() & noexcept { return *std::get_if<0>(&state_); }
    [[nodiscard]] const T& value() const& noexcept { return *std::get_if<0>(&state_); }
    [[nodiscard]] T&& value() && noexcept { return std::move(*std::get_if<0>(&state_)); }
    [[nodiscard]] T& operator*() & noexcept { return value(); }
    [[nodiscard]] const T& operator*() const& noexcept { return value(); }
    [[nodiscard]] T&& operator*() && noexcept { return std::move(*this).value(); }
    [[nodiscard]] T* operator->() noexcept { return std::get_if<0>(&state_); }
    [[nodiscard]] const T* operator->() const noexcept { return std::get_if<0>(&state_); }

    [[nodiscard]] mbus::error& error() & noexcept { return *std::get_if<1>(&state_); }
    [[nodiscard]] const mbus::error& error() const& noexcept { return *std::get_if<1>(&state_); }
    [[nodiscard]] mbus::error&& error() && noexcept { return std::move(*std::get_if<1>(&state_)); }

private:
    std::variant<T, mbus::error> state_;
};

// Success without a value.
template <>
class [[nodiscard]] result<void> {
public:
    result() = default;
    result(mbus::error failure) : failed_(true), failure_(std::move(failure)) {}
    result(errc code, std::string text) : failed_(true), failure_{code, std::move(text)} {}

    [[nodiscard]] bool has_value() const noexcept { return !failed_; }
    explicit operator bool() const noexcept { return has_value(); }

    [[nodiscard]] mbus::error& error() & noexcept { return failure_; }
    [[nodiscard]] const mbus::error& error() const& noexcept { return failure_; }
    [[nodiscard]] mbus::error&& error() && noexcept { return std::move(failure_); }

private:
    bool failed_ = false;
    mbus::error failure_;
};

}  // namespace mbus
