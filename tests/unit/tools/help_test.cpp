// --help, the manual pages and the completion all come from, or are held to, the option tables.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <unistd.h>

#include "cli/completion.hpp"
#include "cli/help.hpp"
#include "mbus-listen/spec.hpp"
#include "mbus-send/spec.hpp"
#include "mbus/verbs.hpp"

using namespace mbus::tools;

namespace {

std::vector<tool_spec> every_spec() {
    std::vector<tool_spec> specs{mbus_send_spec(), mbus_listen_spec()};
    for (const auto& one : all_verbs()) specs.push_back(one.spec);
    return specs;
}

std::string text_of(const std::string& path) {
    const std::ifstream file{path};
    REQUIRE_MESSAGE(file.good(), path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

std::string manual_of(const tool_spec& spec) {
    const std::string page = spec.program.starts_with("mbus ") ? "mbus" : std::string{spec.program};
    auto text = text_of(std::string{MBUS_SOURCE_DIR} + "/packaging/man/" + page + ".1.scd");
    std::string plain;
    for (const char octet : text) {
        if (octet != '\\') plain += octet;
    }
    if (page != "mbus") return plain;
    // The section of the verb.
    const auto start = plain.find("\n## " + std::string{spec.program.substr(5)});
    REQUIRE_MESSAGE(start != std::string::npos, spec.program);
    const auto end = std::min(plain.find("\n## ", start + 4), plain.find("\n# ", start + 4));
    return plain.substr(start, end - start);
}

}  // namespace

TEST_CASE("every help ends with five examples") {
    for (const auto& spec : every_spec()) {
        CAPTURE(spec.program);
        CHECK(spec.examples.size() == 5);
        const auto help = help_text(spec);
        const auto at = help.find("\nExamples:\n");
        REQUIRE(at != std::string::npos);
        CHECK(help.find("\n\n", at + 1) == std::string::npos);
        CHECK(help.ends_with(std::string{spec.examples.back().says} + "\n"));
    }
}

TEST_CASE("help lists every option, in lines that fit a terminal") {
    for (const auto& spec : every_spec()) {
        const auto help = help_text(spec);
        for (const auto& option : spec.options) CHECK(help.find("--" + std::string{option.name}) != std::string::npos);
        std::istringstream lines{help.substr(0, help.find("\nExamples:"))};
        for (std::string line; std::getline(lines, line);) CHECK_MESSAGE(line.size() <= 110, line);
    }
}

TEST_CASE("no letter and no name means two things in one tool, and exclusions name real options") {
    for (const auto& spec : every_spec()) {
        CAPTURE(spec.program);
        std::string letters = "h";
        for (const auto& option : spec.options) {
            if (option.letter != '\0') {
                CHECK(letters.find(option.letter) == std::string::npos);
                letters += option.letter;
            }
            for (const auto other : option.excludes) CHECK(spec.find(other) != nullptr);
        }
    }
}

TEST_CASE("the manual has every option with its operand, and no other") {
    for (const auto& spec : every_spec()) {
        CAPTURE(spec.program);
        const auto manual = manual_of(spec);
        for (const auto& option : spec.options) {
            const auto name = "*--" + std::string{option.name} + "*";
            const auto heading = option.takes == operand::none ? name : name + " _" + std::string{option.placeholder} + "_";
            const auto whole = option.letter != '\0' ? "*-" + std::string{option.letter} + "*, " + heading : heading;
            CHECK_MESSAGE(manual.find("\n" + whole + "\n") != std::string::npos, whole);
        }
        for (auto at = manual.find("*--"); at != std::string::npos; at = manual.find("*--", at + 3)) {
            const auto name = manual.substr(at + 3, manual.find('*', at + 3) - at - 3);
            CHECK_MESSAGE(spec.find(name) != nullptr, name);
        }
    }
}

TEST_CASE("the completion is a script that bash takes, with every verb and option") {
    const tool_spec programs[] = {mbus_send_spec(), mbus_listen_spec()};
    std::vector<tool_spec> verbs;
    for (const auto& one : all_verbs()) verbs.push_back(one.spec);
    const auto script = bash_completion(programs, verbs);
    for (const auto& spec : every_spec()) {
        for (const auto& option : spec.options) CHECK(script.find("--" + std::string{option.name}) != std::string::npos);
    }
    std::string path = "/tmp/mbus-completion-XXXXXX";
    const int fd = mkstemp(path.data());
    REQUIRE(fd >= 0);
    REQUIRE(write(fd, script.data(), script.size()) == static_cast<ssize_t>(script.size()));
    close(fd);
    const auto run = [&](const std::string& line, int word) {
        const auto command = "bash -c 'source " + path + "; COMP_LINE=\"" + line + "\" COMP_POINT=${#COMP_LINE} COMP_WORDS=(" + line +
                             ") COMP_CWORD=" + std::to_string(word) + "; " + (line.starts_with("mbus ") ? "_mbus" : "_mbus_send") +
                             "; echo \"${COMPREPLY[*]}\"'";
        FILE* pipe = popen(command.c_str(), "r");
        REQUIRE(pipe != nullptr);
        char text[512] = {};
        const auto got = fread(text, 1, sizeof text - 1, pipe);
        CHECK(pclose(pipe) == 0);
        return std::string{text, got};
    };
    CHECK(run("mbus pe", 1) == "peers\n");
    CHECK(run("mbus-send --rel", 1) == "--reliable\n");
    CHECK(run("mbus key --pro", 2) == "--profile\n");
    CHECK(run("mbus key --profile mo", 3) == "modern\n");
    std::remove(path.c_str());
}
