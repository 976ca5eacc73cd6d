// Who is at the other end of a Unix socket, as the kernel says.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include <sys/types.h>

#include "config/rights.hpp"

namespace mbusd {

// Names of users and groups, remembered: looking one up reads a file or asks a service.
class name_cache {
public:
    const std::string& user(uid_t uid);
    const std::string& group(gid_t gid);
    // After a reload of the configuration names are looked up anew.
    void clear();

private:
    std::unordered_map<uid_t, std::string> users_;
    std::unordered_map<gid_t, std::string> groups_;
};

// SO_PEERCRED and SO_PEERGROUPS of a connected socket. Throws std::system_error when the kernel
// does not say.
user_identity identify_peer(int socket, name_cache& names);

}  // namespace mbusd
