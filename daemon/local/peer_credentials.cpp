#include "local/peer_credentials.hpp"

#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace mbusd {
namespace {

// Names beyond this are looked up again: bounds memory on hosts with very many users.
constexpr std::size_t names_max = 1024;
// A group with tens of thousands of members still fits.
constexpr std::size_t record_octets_max = 1024 * 1024;

// Calls one of the get..._r functions with a buffer that grows.
template <class Record, class Id>
std::string look_up(int (*get)(Id, Record*, char*, std::size_t, Record**), char* Record::*name, Id id) {
    std::vector<char> buffer(1024);
    for (;;) {
        Record record{};
        Record* found = nullptr;
        const int fault = get(id, &record, buffer.data(), buffer.size(), &found);
        if (fault == ERANGE && buffer.size() < record_octets_max) {
            buffer.resize(buffer.size() * 2);
            continue;
        }
        return fault == 0 && found != nullptr ? std::string{found->*name} : std::to_string(id);
    }
}

std::vector<gid_t> groups_of(int socket) {
    std::vector<gid_t> groups(32);
    for (;;) {
        auto octets = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
        if (::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &octets) == 0) {
            groups.resize(octets / sizeof(gid_t));
            return groups;
        }
        if (errno != ERANGE) return {};
        groups.resize(std::max<std::size_t>(octets / sizeof(gid_t), groups.size() * 2));
    }
}

}  // namespace

const std::string& name_cache::user(uid_t uid) {
    if (users_.size() > names_max) users_.clear();
    const auto [entry, added] = users_.try_emplace(uid);
    if (added) entry->second = look_up(::getpwuid_r, &passwd::pw_name, uid);
    return entry->second;
}

const std::string& name_cache::group(gid_t gid) {
    if (groups_.size() > names_max) groups_.clear();
    const auto [entry, added] = groups_.try_emplace(gid);
    if (added) entry->second = look_up(::getgrgid_r, &group::gr_name, gid);
    return entry->second;
}

void name_cache::clear() {
    users_.clear();
    groups_.clear();
}

user_identity identify_peer(int socket, name_cache& names) {
    ucred credentials{};
    socklen_t octets = sizeof credentials;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &octets) != 0) {
        throw std::system_error(errno, std::generic_category(), "the kernel does not say who connects");
    }
    user_identity out;
    out.uid = credentials.uid;
    out.pid = credentials.pid > 0 ? static_cast<std::uint32_t>(credentials.pid) : 0;
    out.owner = credentials.uid == 0 || credentials.uid == ::geteuid();
    out.name = names.user(credentials.uid);
    if (out.owner) return out;  // has every right, whatever its groups
    auto groups = groups_of(socket);
    groups.push_back(credentials.gid);
    std::ranges::sort(groups);
    groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
    for (const auto gid : groups) out.groups.push_back(names.group(gid));
    return out;
}

}  // namespace mbusd
