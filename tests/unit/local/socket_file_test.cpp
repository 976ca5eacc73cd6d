// The socket in the file system: stale files, other daemons, modes.
#include <doctest/doctest.h>

#include <sys/stat.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "local/peer_credentials.hpp"
#include "local/socket_file.hpp"

namespace {

struct scratch_folder {
    scratch_folder() {
        char name[] = "/tmp/mbusd-local-XXXXXX";
        path = ::mkdtemp(name);
    }
    ~scratch_folder() { std::filesystem::remove_all(path); }
    [[nodiscard]] std::string file(const std::string& name) const { return (path / name).string(); }
    std::filesystem::path path;
};

std::string refusal(const mbusd::socket_file_options& options) {
    try {
        mbusd::listen_on(options);
    } catch (const std::runtime_error& fault) {
        return fault.what();
    }
    return {};
}

}  // namespace

TEST_CASE("the folder is made and the socket has the mode that was asked for") {
    const scratch_folder scratch;
    const auto path = scratch.file("a/b/m.sock");
    const auto socket = mbusd::listen_on({path, 0660, ""});
    CHECK(socket);
    struct stat found{};
    REQUIRE(::stat(path.c_str(), &found) == 0);
    CHECK((found.st_mode & 0777) == 0660);
}

TEST_CASE("the file of a daemon that was killed is replaced, that of a living one is not") {
    const scratch_folder scratch;
    const auto path = scratch.file("m.sock");
    auto first = mbusd::listen_on({path, 0600, ""});
    CHECK(refusal({path, 0600, ""}) == path + ": another mbusd answers on this socket; stop it, or set socket.path");
    first.reset();
    CHECK(std::filesystem::exists(path));
    CHECK(mbusd::listen_on({path, 0600, ""}));
}

TEST_CASE("a file that is no socket is never removed") {
    const scratch_folder scratch;
    const auto path = scratch.file("m.sock");
    std::ofstream(path) << "precious";
    CHECK(refusal({path, 0600, ""}) == path + ": a file that is no socket is in the way; move it, or set socket.path");
    CHECK(std::filesystem::file_size(path) == 8);
}

TEST_CASE("a path that is too long and a group that does not exist are told") {
    const scratch_folder scratch;
    CHECK(refusal({scratch.file(std::string(120, 'x')), 0600, ""}).find("a Unix socket takes 107") != std::string::npos);
    CHECK(refusal({scratch.file("m.sock"), 0600, "no-such-group-here"}).find("there is no group 'no-such-group-here'") !=
          std::string::npos);
}

TEST_CASE("the kernel says who is at the other end") {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    mbusd::name_cache names;
    const auto who = mbusd::identify_peer(ends[0], names);
    CHECK(who.uid == ::getuid());
    CHECK(who.pid == static_cast<std::uint32_t>(::getpid()));
    CHECK(who.owner);
    CHECK_FALSE(who.name.empty());
    ::close(ends[0]);
    ::close(ends[1]);
}
