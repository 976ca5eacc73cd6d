#include <filesystem>
#include <initializer_list>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "config/command_line.hpp"

namespace {

mbusd::command_line parse(std::initializer_list<const char*> words) {
    std::vector<const char*> argv{"mbusd"};
    argv.insert(argv.end(), words);
    return mbusd::parse_command_line(static_cast<int>(argv.size()), argv.data(), "1.2.3");
}

}  // namespace

TEST_CASE("paths of the command line start in the working directory") {
    const auto here = std::filesystem::current_path();
    const auto asked = parse({"--socket", "m.sock", "--key-file", "keys/mbus.conf"});
    CHECK_FALSE(asked.exit_code);
    CHECK(asked.socket == (here / "m.sock").string());
    CHECK(asked.key_file == (here / "keys/mbus.conf").string());
    CHECK(parse({"--socket", "/run/m.sock"}).socket == "/run/m.sock");
    CHECK(parse({"--key-file", "~/.mbus"}).key_file == "~/.mbus");
}

TEST_CASE("a wrong value of an option is wrong usage and says what is expected") {
    const auto asked = parse({"--scope", "LINKLOCL"});
    CHECK(asked.exit_code == mbusd::exit_usage);
    CHECK(asked.text == "mbusd: --scope: bus.scope must be key-file, HOSTLOCAL or LINKLOCAL, not 'LINKLOCL'; did you mean 'LINKLOCAL'?\n");
    const std::string too_long(120, 'x');
    CHECK(parse({"--socket", too_long.c_str()}).exit_code == mbusd::exit_usage);
}

TEST_CASE("unknown and conflicting options are wrong usage") {
    CHECK(parse({"--chekc"}).text == "mbusd: unknown option '--chekc'; did you mean '--check'?\n");
    CHECK(parse({"--chekc"}).exit_code == mbusd::exit_usage);
    CHECK(parse({"--check", "--print-config"}).exit_code == mbusd::exit_usage);
    CHECK(parse({"--version"}).text == "mbusd 1.2.3\n");
}
