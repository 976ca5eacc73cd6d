// The session file on disk (RFC 3259, section 12.1): where it is, who may read it.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <sys/stat.h>
#include <unistd.h>

#include "config/session_file.hpp"
#include "envelope_support.hpp"

using namespace mbus::protocol;
using namespace mbus::protocol::testing;
using namespace mbusd;

namespace {

// A directory that goes away with the test.
class temporary_directory {
public:
    temporary_directory() {
        std::string pattern = (std::filesystem::temp_directory_path() / "mbus-session-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error{"mkdtemp failed"};
        path_ = pattern;
    }
    temporary_directory(const temporary_directory&) = delete;
    temporary_directory& operator=(const temporary_directory&) = delete;
    ~temporary_directory() { std::filesystem::remove_all(path_); }
    [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + '/' + name; }
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_;
};

void put(const std::string& path, const std::string& text, mode_t mode = 0600) {
    std::ofstream{path} << text;
    REQUIRE(::chmod(path.c_str(), mode) == 0);
}

const std::string good =
    format_session_config(make_config(hash_algorithm::hmac_sha1_96, cipher_algorithm::aes));

std::string error_of(const std::string& path) {
    const auto read = load_session_file(path);
    return read ? "no error" : read.error().text;
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE(
    "[item 138] $MBUS is the whole path and comes before ~/.mbus, the system's file comes last (RFC 3259 s12.1)") {
    const temporary_directory folder;
    put(folder / ".mbus", good);
    put(folder / "named", good);
    put(folder / "system", good);
    session_file_search search{.explicit_path = {},
                               .mbus = folder / "named",
                               .home = folder.path(),
                               .system_path = folder / "system"};
    CHECK(*find_session_file(search) == folder / "named");
    search.explicit_path = folder / "system";
    CHECK(*find_session_file(search) == folder / "system");
    search.explicit_path.clear();
    search.mbus.clear();
    CHECK(*find_session_file(search) == folder / ".mbus");
    search.home = folder / "nobody";
    CHECK(*find_session_file(search) == folder / "system");
}

TEST_CASE("[item 138] the environment names the places") {
    ::setenv("MBUS", "/some/where", 1);
    ::setenv("HOME", "/home/somebody", 1);
    const auto search = session_file_search::from_environment();
    CHECK(search.mbus == "/some/where");
    CHECK(search.home == "/home/somebody");
    CHECK(search.system_path == "/etc/mbusd/mbus.conf");
    ::unsetenv("MBUS");
    CHECK(session_file_search::from_environment().mbus.empty());
}

TEST_CASE("$MBUS names a file that is missing: an error, not a fall-back (trap F6)") {
    const temporary_directory folder;
    put(folder / ".mbus", good);
    session_file_search search{
        .explicit_path = {}, .mbus = folder / "gone", .home = folder.path(), .system_path = {}};
    const auto named = find_session_file(search);
    REQUIRE(!named);
    CHECK(named.error().code == mbus::errc::not_found);
    CHECK(contains(named.error().text, "$MBUS names " + folder / "gone"));
    search.explicit_path = folder / "lost";
    const auto given = find_session_file(search);
    REQUIRE(!given);
    CHECK(contains(given.error().text, folder / "lost"));
}

TEST_CASE("no file at all: the error names the places and how to make one") {
    const temporary_directory folder;
    const auto found = find_session_file(
        {.explicit_path = {}, .mbus = {}, .home = folder.path(), .system_path = folder / "system"});
    REQUIRE(!found);
    CHECK(found.error().code == mbus::errc::not_found);
    CHECK(contains(found.error().text, folder / ".mbus"));
    CHECK(contains(found.error().text, folder / "system"));
    CHECK(contains(found.error().text, "mbus key new"));
}

TEST_CASE("a file of ours with mode 0600 or 0400 is read") {
    const temporary_directory folder;
    for (const mode_t mode : {0600U, 0400U}) {
        put(folder / "key", good, mode);
        const auto read = load_session_file(folder / "key");
        REQUIRE(read);
        CHECK(read->hash_key == counting_key(20));
        std::filesystem::remove(folder / "key");
    }
}

TEST_CASE(
    "[item 139] a file that others may read or write is refused, with the command that repairs it (RFC 3259 s12.1)") {
    const temporary_directory folder;
    const auto path = folder / "key";
    for (const mode_t mode : {0644U, 0622U, 0640U, 0604U, 0602U, 0660U, 0610U, 0666U}) {
        put(path, good, mode);
        const auto failure = error_of(path);
        CHECK(contains(failure, "run: chmod 600 " + path));
        CHECK(::chmod(path.c_str(), 0600) == 0);
    }
    CHECK(error_of(path) == "no error");
}

TEST_CASE("[item 139] a file of a user who is neither we nor root is refused") {
    if (::geteuid() != 0) return;  // only root can make such a file
    const temporary_directory folder;
    put(folder / "key", good);
    REQUIRE(::chown((folder / "key").c_str(), 65534, 65534) == 0);
    std::filesystem::permissions(folder / "key", std::filesystem::perms{0644});  // or opening would fail already
    std::filesystem::permissions(folder.path(), std::filesystem::perms{0755});
    REQUIRE(::seteuid(65533) == 0);
    const auto failure = error_of(folder / "key");
    REQUIRE(::seteuid(0) == 0);
    CHECK(contains(failure, "belongs to another user (uid 65534)"));
}

TEST_CASE("root reads the file of any user, as long as it is private") {
    if (::geteuid() != 0) return;
    const temporary_directory folder;
    put(folder / "key", good);
    REQUIRE(::chown((folder / "key").c_str(), 65534, 65534) == 0);
    CHECK(load_session_file(folder / "key"));
    std::filesystem::permissions(folder / "key", std::filesystem::perms{0640});
    CHECK(contains(error_of(folder / "key"), "is open to other users"));
}

TEST_CASE("symbolic links, directories, pipes, missing and huge files are refused with a reason") {
    const temporary_directory folder;
    put(folder / "key", good);
    std::filesystem::create_symlink(folder / "key", folder / "link");
    CHECK(contains(error_of(folder / "link"), "is a symbolic link"));
    CHECK(contains(error_of(folder.path()), "is not a regular file"));
    REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
    CHECK(contains(error_of(folder / "pipe"), "is not a regular file"));
    CHECK(contains(error_of(folder / "gone"), "does not exist; make a session file with: mbus key new"));
    put(folder / "huge", std::string(session_file_octets_max + 1, '#'));
    CHECK(contains(error_of(folder / "huge"), "65537 octets"));
}

TEST_CASE("an error in the text names file and line") {
    const temporary_directory folder;
    put(folder / "key", "[MBUS]\nCONFIG_VERSION=7\n");
    CHECK(error_of(folder / "key").starts_with(folder / "key: line 2: expected CONFIG_VERSION=1"));
}

TEST_CASE(
    "[item 139] a file that is written has mode 0600 whatever the umask, reads back, and replaces nothing (trap F10)") {
    const temporary_directory folder;
    const auto path = folder / "key";
    const auto config = generate_session_config(key_profile::rfc, scope::link_local);
    const mode_t before = ::umask(0);
    const auto written = write_session_file(path, config);
    ::umask(before);
    REQUIRE(written);
    struct stat found {};
    REQUIRE(::stat(path.c_str(), &found) == 0);
    CHECK((found.st_mode & 07777U) == 0600);
    CHECK(load_session_file(path)->hash_key == config.hash_key);

    const auto again = write_session_file(path, generate_session_config(key_profile::rfc, scope::link_local));
    REQUIRE(!again);
    CHECK(again.error().code == mbus::errc::conflict);
    CHECK(load_session_file(path)->hash_key == config.hash_key);
    std::filesystem::create_symlink(folder / "elsewhere", folder / "link");
    CHECK(!write_session_file(folder / "link", config));
    CHECK(!std::filesystem::exists(folder / "elsewhere"));
    CHECK(!write_session_file(folder / "no/such/folder", config));
}
