#include "endpoints.hpp"

#include <netdb.h>

#include <cstring>
#include <memory>

#include "websocket/header_list.hpp"

namespace mbus::detail {
namespace {

struct list_deleter {
    void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};

// Appends what getaddrinfo() gives; its code.
int append(std::vector<endpoint>& out, const char* host, const std::string& port, int flags) {
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    wanted.ai_flags = flags | AI_NUMERICSERV;
    addrinfo* first = nullptr;
    const int code = ::getaddrinfo(host, port.c_str(), &wanted, &first);
    if (code != 0) return code;
    const std::unique_ptr<addrinfo, list_deleter> list{first};
    for (const addrinfo* one = first; one != nullptr; one = one->ai_next) {
        if (one->ai_addrlen > sizeof(sockaddr_storage)) continue;
        auto& next = out.emplace_back();
        std::memcpy(&next.address, one->ai_addr, one->ai_addrlen);
        next.octets = one->ai_addrlen;
    }
    return 0;
}

}  // namespace

result<std::vector<endpoint>> look_up(const websocket_url& where) {
    std::vector<endpoint> found;
    const auto port = std::to_string(where.port);
    // localhost is this host whatever a name server says (RFC 6761 s6.3).
    if (websocket::same_letters(where.host, "localhost")) {
        (void)append(found, "127.0.0.1", port, AI_NUMERICHOST);
        (void)append(found, "::1", port, AI_NUMERICHOST);
        return found;
    }
    if (append(found, where.host.c_str(), port, AI_NUMERICHOST) == 0) return found;
    const int code = append(found, where.host.c_str(), port, AI_ADDRCONFIG);
    if (code == 0 && !found.empty()) return found;
    return error{errc::no_daemon, "can't find the host " + where.host + ": " + ::gai_strerror(code)};
}

}  // namespace mbus::detail
