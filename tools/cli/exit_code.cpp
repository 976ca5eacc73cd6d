#include "cli/exit_code.hpp"

namespace mbus::tools {

exit_code exit_code_of(errc code) noexcept {
    switch (code) {
        case errc::no_match:
            return exit_code::nobody_matched;
        case errc::not_acknowledged:
        case errc::left:
        case errc::expired:
        case errc::overflow:
            return exit_code::not_acknowledged;
        case errc::not_unique:
            return exit_code::not_unique;
        case errc::unauthorized:
        case errc::forbidden:
        case errc::conflict:
        case errc::taken_over:
        case errc::rate:
        case errc::limit:
            return exit_code::refused;
        case errc::too_large:
        case errc::bad_address:
        case errc::bad_command:
        case errc::bad_value:
        case errc::syntax:
            return exit_code::invalid;
        case errc::bad_argument:
            return exit_code::usage;
        case errc::no_daemon:
        case errc::disconnected:
        case errc::shutting_down:
            return exit_code::no_daemon;
        case errc::timed_out:
            return exit_code::time_limit;
        default:
            return exit_code::failed;
    }
}

}  // namespace mbus::tools
