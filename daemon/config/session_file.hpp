// The file that holds the keys of an Mbus session (RFC 3259, section 12.1): finding, reading and writing
// it. What stands in it is read by mbus::protocol::parse_session_config.
//
//     auto path = find_session_file(session_file_search::from_environment());
//     if (!path) fail(path.error().text);
//     auto config = load_session_file(*path);
//
// Blocking file access; no state. Errors are fit to print and say what to do; keys are never in them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <mbus/result.hpp>

#include "protocol/session_config.hpp"

namespace mbusd {

inline constexpr std::string_view system_session_file = "/etc/mbusd/mbus.conf";

// Where to look. Empty strings count as absent.
struct session_file_search {
    std::string explicit_path;                     // an option of the program: nothing else is tried
    std::string mbus;                              // $MBUS: nothing else is tried (trap F6)
    std::string home;                              // ~/.mbus, if that exists
    std::string system_path{system_session_file};  // at last, if that exists

    // $MBUS and $HOME of this process.
    static session_file_search from_environment();
};

// The file to use. Errors: errc::not_found when there is none; the text names the places and how to
// make one. A file that was named but is missing is an error, never a fall-back.
mbus::result<std::string> find_session_file(const session_file_search& search);

// Reads and parses. Refused with errc::bad_config: symbolic links and anything but a regular file,
// files that group or others may read or write (section 12.1), files of another user than us or
// root unless we are root, files above session_file_octets_max. Parse errors become "PATH: line N: ...".
mbus::result<mbus::protocol::session_config> load_session_file(
    const std::string& path, const mbus::protocol::session_config_options& options = {});

// Creates the file with mode 0600 and syncs it to disk. Errors: errc::conflict when something with that name
// exists; errc::internal with the system's reason.
mbus::result<void> write_session_file(const std::string& path, const mbus::protocol::session_config& config);

}  // namespace mbusd
