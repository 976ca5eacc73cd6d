#include "config/settings.hpp"

#include <algorithm>
#include <array>
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

std::string xmpp_domain(const settings& values) {
    std::string out = values.xmpp.domain;
    if (out.empty()) {
        std::array<char, 256> name{};  // HOST_NAME_MAX and more
        if (::gethostname(name.data(), name.size() - 1) == 0) out = name.data();
        if (out.empty()) out = "localhost";
    }
    std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return out;
}

}  // namespace mbusd
