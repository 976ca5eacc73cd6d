#include "config/settings.hpp"

#include <cstdlib>

#include <unistd.h>

namespace mbusd {

std::string default_socket_path() {
    // RUNTIME_DIRECTORY is what systemd makes for `RuntimeDirectory=mbusd`.
    if (const char* made = std::getenv("RUNTIME_DIRECTORY"); made != nullptr && *made == '/') {
        return std::string{made} + "/mbusd.sock";
    }
    const char* own = std::getenv("XDG_RUNTIME_DIR");
    if (::geteuid() != 0 && own != nullptr && *own == '/') return std::string{own} + "/mbusd/mbusd.sock";
    return "/run/mbusd/mbusd.sock";
}

}  // namespace mbusd
