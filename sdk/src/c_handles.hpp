// What stands behind the opaque handles of <mbus/mbus.h>, and how failures reach C.
//
// No exception leaves the C interface: every function that can fail runs inside guarded().
// Thread-safety: as in the C++ API; the text of the last error is per thread.
#pragma once

#include <chrono>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mbus/connection.hpp>
#include <mbus/mbus.h>

struct mbus_connection {
    mbus::connection held;
};

struct mbus_entity {
    mbus::entity held;
    std::string address;   // what mbus_entity_address() gave out
};

struct mbus_message {
    struct command_text {
        std::string name;
        std::string arguments;
    };
    std::string from;
    std::string to;
    std::string body;
    std::string type;
    bool reliable = false;
    std::vector<command_text> commands;
};

struct mbus_reply {
    std::string results;
    std::string text;
    std::string from;
};

struct mbus_peers {
    std::vector<std::string> addresses;
};

namespace mbus::detail {

mbus_status to_status(errc code) noexcept;
errc from_status(mbus_status status) noexcept;

// Remembers the text for mbus_last_error() and gives the status.
mbus_status failed(const error& failure) noexcept;
mbus_status missing_argument(const char* which) noexcept;

// Handles of C may be null by mistake; the text then says which.
template <class F>
mbus_status guarded(F&& body) noexcept {
    try {
        return std::forward<F>(body)();
    } catch (const std::exception& thrown) {
        return failed({errc::internal, thrown.what()});
    } catch (...) {
        return failed({errc::internal, "an exception of unknown type left a handler"});
    }
}

inline std::chrono::milliseconds limit_from(int milliseconds) noexcept {
    return milliseconds < 0 ? no_limit : std::chrono::milliseconds{milliseconds};
}

// The values of a list with its parentheses, "(1 \"a\")".
std::string list_text(const std::vector<value>& values);

mbus_message to_c_message(const received_message& message);

}  // namespace mbus::detail
