// The key file, as `mbus key` writes and copies it. No key ever appears in a text for people.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "config/session_file.hpp"
#include "mbus/key_files.hpp"

using namespace mbus::tools;
namespace fs = std::filesystem;
namespace protocol = mbus::protocol;

namespace {

struct directory {
    std::string path = "/tmp/mbus-key-XXXXXX";
    directory() { REQUIRE(mkdtemp(path.data()) != nullptr); }
    ~directory() { fs::remove_all(path); }
    [[nodiscard]] std::string file(const char* name) const { return path + "/" + name; }
};

protocol::session_config fresh(protocol::key_profile profile = protocol::key_profile::rfc) {
    return protocol::generate_session_config(profile, protocol::scope::host_local);
}

}  // namespace

TEST_CASE("a key file is written with mode 0600 and never over another one") {
    const directory here;
    const auto path = here.file("mbus");
    const auto first = fresh();
    REQUIRE(save_key_file(path, first, false));
    struct stat state {};
    REQUIRE(stat(path.c_str(), &state) == 0);
    CHECK((state.st_mode & 0777U) == 0600U);
    const auto again = save_key_file(path, fresh(), false);
    REQUIRE_FALSE(again);
    CHECK(again.error().code == mbus::errc::conflict);
    const auto read = mbusd::load_session_file(path);
    REQUIRE(read);
    CHECK(protocol::key_fingerprint(*read) == protocol::key_fingerprint(first));
}

TEST_CASE("with force the file is replaced in one step and nothing is left beside it") {
    const directory here;
    const auto path = here.file("mbus");
    REQUIRE(save_key_file(path, fresh(), false));
    const auto second = fresh();
    REQUIRE(save_key_file(path, second, true));
    CHECK(protocol::key_fingerprint(*mbusd::load_session_file(path)) == protocol::key_fingerprint(second));
    CHECK(std::distance(fs::directory_iterator{here.path}, fs::directory_iterator{}) == 1);
}

TEST_CASE("what is said about a key holds no key") {
    for (const auto profile : {protocol::key_profile::rfc, protocol::key_profile::rfc_unencrypted, protocol::key_profile::modern}) {
        const auto config = fresh(profile);
        const auto file = protocol::format_session_config(config);
        const auto line = file.find("HASHKEY=(") + 9;
        const auto comma = file.find(',', line);
        const auto key = file.substr(comma + 1, file.find(')', comma) - comma - 1);
        REQUIRE(key.size() > 10);
        for (const auto& text : {describe_key(config), key_json("/home/u/.mbus", config)}) {
            CHECK(text.find(key) == std::string::npos);
            CHECK(text.find(key.substr(0, 8)) == std::string::npos);
        }
        CHECK(key_json("/home/u/.mbus", config).find("\"fingerprint\":\"" + protocol::key_fingerprint(config)) != std::string::npos);
        CHECK(is_modern(config) == (profile == protocol::key_profile::modern));
    }
}

TEST_CASE("text to import is read from any file, up to the limit") {
    const directory here;
    const auto path = here.file("copy");
    std::ofstream{path} << "[MBUS]\n";
    CHECK(*read_key_text(path) == "[MBUS]\n");
    std::ofstream{path} << std::string(protocol::session_file_octets_max + 1, 'x');
    CHECK_FALSE(read_key_text(path));
    CHECK_FALSE(read_key_text(here.file("missing")));
}

TEST_CASE("a new key goes to $MBUS, else to ~/.mbus") {
    const char* mbus_before = std::getenv("MBUS");
    const char* home_before = std::getenv("HOME");
    const std::string home_kept = home_before != nullptr ? home_before : "";
    setenv("HOME", "/home/u", 1);
    setenv("MBUS", "/run/x", 1);
    CHECK(*own_key_file() == "/run/x");
    unsetenv("MBUS");
    CHECK(*own_key_file() == "/home/u/.mbus");
    unsetenv("HOME");
    CHECK_FALSE(own_key_file());
    if (home_before != nullptr) setenv("HOME", home_kept.c_str(), 1);
    if (mbus_before != nullptr) setenv("MBUS", mbus_before, 1);
}
