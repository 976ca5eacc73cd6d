// Reading and checking mbusd.toml: every fault has file, line, what was expected and what to do.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "config/config_file.hpp"

namespace {

mbusd::config_reading read(std::string_view text) {
    mbusd::config_reading out;
    mbusd::read_config_text(out, text, "mbusd.toml");
    return out;
}

// The only problem of the text; empty when there is none or more than one.
std::string only_problem(std::string_view text) {
    const auto reading = read(text);
    return reading.problems.size() == 1 ? reading.problems.front().text : std::string{};
}

// A folder that is gone at the end of the test.
struct scratch_folder {
    scratch_folder() {
        char name[] = "/tmp/mbusd-config-XXXXXX";
        path = ::mkdtemp(name);
    }
    ~scratch_folder() { std::filesystem::remove_all(path); }
    void write(const std::string& name, std::string_view text) const {
        std::filesystem::create_directories((path / name).parent_path());
        std::ofstream(path / name) << text;
    }
    std::filesystem::path path;
};

}  // namespace

TEST_CASE("a file with every kind of key is read, with the origin of each value") {
    const auto reading = read(R"toml(
[bus]
families = "ipv6"
coalesce = false
deny_interfaces = ["docker*", "virbr?"]
[limits]
sessions_per_user = 12
)toml");
    REQUIRE(reading.problems.empty());
    CHECK(reading.values.bus.families == "ipv6");
    CHECK_FALSE(reading.values.bus.coalesce);
    CHECK(reading.values.bus.deny_interfaces == std::vector<std::string>{"docker*", "virbr?"});
    CHECK(reading.values.limits.sessions_per_user == 12);
    CHECK(reading.origins.at("bus.families") == "mbusd.toml:3");
    CHECK(reading.origins.at("limits.sessions_per_user") == "mbusd.toml:7");
    CHECK_FALSE(reading.origins.contains("bus.unicast"));
}

TEST_CASE("an unknown key is an error with file, line and the nearest key") {
    CHECK(only_problem("[bus]\nfamiles = \"ipv4\"\n") ==
          "mbusd.toml:2: unknown key 'bus.familes'; did you mean 'bus.families'?");
    CHECK(only_problem("\n[limit]\nconnections = 3\n") ==
          "mbusd.toml:2: unknown table 'limit'; did you mean 'limits'?");
}

TEST_CASE("a key outside its table is sent to the right one") {
    CHECK(only_problem("families = \"ipv4\"\n") == "mbusd.toml:1: unknown key 'families'; 'families' belongs in table [bus]");
    CHECK(only_problem("[socket]\nfamilies = \"ipv4\"\n") ==
          "mbusd.toml:2: unknown key 'socket.families'; 'families' belongs in table [bus]");
}

TEST_CASE("a key that resembles none is sent to the list of keys") {
    CHECK(only_problem("[bus]\nxylophone_is_blue = 1\n") ==
          "mbusd.toml:2: unknown key 'bus.xylophone_is_blue'; 'mbusd --dump-keys markdown' lists all keys");
}

TEST_CASE("a value of the wrong type says what was expected and what was found") {
    CHECK(only_problem("[bus]\n\ncoalesce = \"yes\"\n") ==
          "mbusd.toml:3: bus.coalesce must be true or false (true or false), not a text");
    CHECK(only_problem("[limits]\nsessions_per_user = 1.5\n") ==
          "mbusd.toml:2: limits.sessions_per_user must be a whole number (1 to 1000000), not a number with a fraction");
    CHECK(only_problem("[bus]\nallow_interfaces = \"eth0\"\n") ==
          "mbusd.toml:2: bus.allow_interfaces must be a list of texts (names or globs; [\"*\"] is all), not a text");
    CHECK(only_problem("[socket]\nmode = 0o666\n") ==
          "mbusd.toml:2: socket.mode must be a text (an octal file mode in quotes), not a whole number");
}

TEST_CASE("a value outside its range says the range") {
    CHECK(only_problem("[limits]\nsessions_per_user = 0\n") ==
          "mbusd.toml:2: limits.sessions_per_user must be 1 to 1000000, not 0");
    CHECK(only_problem("[limits]\nframe_octets = -1\n") ==
          "mbusd.toml:2: limits.frame_octets must be 131072 to 67108864, not -1");
    CHECK(only_problem("[bus]\nfamilies = \"ipv5\"\n") ==
          "mbusd.toml:2: bus.families must be auto, ipv4, ipv6 or both, not 'ipv5'; did you mean 'ipv4'?");
    CHECK(only_problem("[socket]\nmode = \"rw\"\n") ==
          "mbusd.toml:2: socket.mode: expected an octal file mode in quotes such as \"0666\" or \"0660\", got 'rw'");
    CHECK(only_problem("[socket]\npath = \"run/mbusd.sock\"\n") ==
          "mbusd.toml:2: socket.path: expected a path that starts with '/', got 'run/mbusd.sock'");
}

TEST_CASE("text that is not TOML is refused with its line") {
    const auto problem = only_problem("[bus]\ncoalesce = = true\n");
    CHECK(problem.starts_with("mbusd.toml:2: not TOML: "));
}

TEST_CASE("all faults of a file are told at once") {
    CHECK(read("[bus]\ncoalesce = 1\nunicast = 2\n[socket]\nmod = \"0600\"\n").problems.size() == 3);
}

TEST_CASE("rights rules are read, and their faults have a line") {
    const auto reading = read(R"toml([[rights]]
users = ["bob"]
attach = ["(app:player)"]
send = ["()"]
monitor = true
)toml");
    REQUIRE(reading.problems.empty());
    REQUIRE(reading.values.rights.rules().size() == 1);
    CHECK(reading.values.rights.rules().front().monitor);

    CHECK(only_problem("[[rights]]\nuser = [\"bob\"]\nusers = []\n") ==
          "mbusd.toml:2: unknown key 'user' in [[rights]]; did you mean 'users'?");
    CHECK(only_problem("[[rights]]\nattach = [\"()\"]\n") ==
          "mbusd.toml:1: a [[rights]] rule must say for whom it is: add users = [...], groups = [...] or clients = [...]");
    CHECK(only_problem("[rights]\nusers = [\"bob\"]\n") ==
          "mbusd.toml:1: rights must be written as [[rights]], with two brackets on each side");
    CHECK(only_problem("[[rights]]\nusers = [\"bob\"]\nsend = [\"app\"]\n")
              .starts_with("mbusd.toml:3: send of [[rights]]: 'app' is not an address such as (app:player): "));
}

TEST_CASE("files in conf.d win in the order of their names, and their rules add up") {
    const scratch_folder folder;
    folder.write("mbusd.toml", "[log]\nlevel = \"debug\"\n[bus]\ncoalesce = false\n[[rights]]\nusers = [\"a\"]\n");
    folder.write("conf.d/20-b.toml", "[log]\nlevel = \"warning\"\n");
    folder.write("conf.d/10-a.toml", "[log]\nlevel = \"error\"\n[[rights]]\nusers = [\"b\"]\n");
    folder.write("conf.d/30-c.toml.bak", "not read at all");
    const auto reading = mbusd::read_config(folder.path / "mbusd.toml", mbusd::must_exist::yes);
    REQUIRE(reading.problems.empty());
    CHECK(reading.files.size() == 3);
    CHECK(reading.values.log.level == "warning");
    CHECK_FALSE(reading.values.bus.coalesce);
    CHECK(reading.values.rights.rules().size() == 2);
    CHECK(reading.origins.at("log.level") == (folder.path / "conf.d/20-b.toml").string() + ":2");
}

TEST_CASE("an empty file is as good as none") {
    const scratch_folder folder;
    folder.write("mbusd.toml", "");
    const auto reading = mbusd::read_config(folder.path / "mbusd.toml", mbusd::must_exist::yes);
    CHECK(reading.problems.empty());
    CHECK(reading.values == mbusd::settings{});
}

TEST_CASE("a missing file is an error only when it was asked for") {
    const scratch_folder folder;
    CHECK(mbusd::read_config(folder.path / "none.toml", mbusd::must_exist::no).problems.empty());
    const auto reading = mbusd::read_config(folder.path / "none.toml", mbusd::must_exist::yes);
    REQUIRE(reading.problems.size() == 1);
    CHECK(reading.problems.front().text ==
          (folder.path / "none.toml").string() + ": can't be read; check that it exists and that mbusd may read it");
}

TEST_CASE("an option of the command line wins and is checked like the file") {
    auto reading = read("[socket]\npath = \"/run/a.sock\"\n");
    mbusd::override_setting(reading, "socket.path", "/run/b.sock", "--socket");
    CHECK(reading.problems.empty());
    CHECK(reading.values.socket.path == "/run/b.sock");
    CHECK(reading.origins.at("socket.path") == "--socket");

    mbusd::override_setting(reading, "bus.scope", "LINKLOCL", "--scope");
    REQUIRE(reading.problems.size() == 1);
    CHECK(reading.problems.front().text ==
          "--scope: bus.scope must be key-file, HOSTLOCAL or LINKLOCAL, not 'LINKLOCL'; did you mean 'LINKLOCAL'?");
}
