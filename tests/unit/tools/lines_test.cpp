#include <cstdio>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <unistd.h>

#include "cli/lines.hpp"

using namespace mbus::tools;

namespace {

// A file with this content, gone at the end.
struct temporary_file {
    std::string path = "/tmp/mbus-lines-XXXXXX";
    explicit temporary_file(const std::string& content) {
        const int fd = mkstemp(path.data());
        REQUIRE(fd >= 0);
        REQUIRE(write(fd, content.data(), content.size()) == static_cast<ssize_t>(content.size()));
        close(fd);
    }
    ~temporary_file() { std::remove(path.c_str()); }
};

std::vector<mbus::result<std::string>> all_lines(const std::string& content) {
    const temporary_file file{content};
    auto reader = line_reader::open(file.path);
    REQUIRE(reader);
    std::vector<mbus::result<std::string>> lines;
    while (!reader->ended()) {
        if (auto line = reader->next()) lines.push_back(std::move(*line));
        else reader->read_some();
    }
    return lines;
}

}  // namespace

TEST_CASE("lines end with LF or CR LF, the last one perhaps with neither") {
    const auto lines = all_lines("one\r\ntwo\n\nlast");
    REQUIRE(lines.size() == 4);
    CHECK(*lines[0] == "one");
    CHECK(*lines[1] == "two");
    CHECK(lines[2]->empty());
    CHECK(*lines[3] == "last");
    CHECK(all_lines("").empty());
}

TEST_CASE("a line that is too long is refused once, and the next one is read") {
    const auto lines = all_lines(std::string(line_octets_max * 2 + 7, 'x') + "\nnext\n");
    REQUIRE(lines.size() == 2);
    REQUIRE_FALSE(lines[0]);
    CHECK(lines[0].error().code == mbus::errc::too_large);
    CHECK(*lines[1] == "next");
}

TEST_CASE("a file that is not there is named") {
    const auto reader = line_reader::open("/nonexistent/file");
    REQUIRE_FALSE(reader);
    CHECK(reader.error().text.find("/nonexistent/file") != std::string::npos);
}

TEST_CASE("a directory is refused before anything is sent") {
    const auto reader = line_reader::open("/");
    REQUIRE_FALSE(reader);
    CHECK(reader.error().text == "can't read /: it is a directory");
}

TEST_CASE("a file that can't be read ends with the reason, not in silence") {
    auto reader = line_reader::open("/proc/self/mem");  // opens; address 0 is never mapped
    REQUIRE(reader);
    reader->read_some();
    const auto line = reader->next();
    REQUIRE(line);
    REQUIRE_FALSE(*line);
    CHECK(line->error().code == mbus::errc::internal);
    CHECK(line->error().text.find("can't read /proc/self/mem: ") == 0);
    CHECK(reader->ended());
}
