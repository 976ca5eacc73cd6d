#include <doctest/doctest.h>

#include <stdexcept>

#include "http/path_table.hpp"

using namespace mbusd;

namespace {

std::string found(const path_table& paths, std::string_view path) {
    const auto* entry = paths.find(path);
    return entry != nullptr ? entry->path : "";
}

}  // namespace

TEST_CASE("a path is found exactly, or by the longest prefix that ends in '/'") {
    path_table paths;
    for (const auto* each : {"/", "/cap/", "/cap/special", "/send"}) paths.add(each, {}, [](const auto&) {});
    CHECK(found(paths, "/") == "/");
    CHECK(found(paths, "/cap/abc") == "/cap/");
    CHECK(found(paths, "/cap/special") == "/cap/special");
    CHECK(found(paths, "/send") == "/send");
    CHECK(found(paths, "/send/") == "");
    CHECK(found(paths, "/cap") == "");
    CHECK(found(paths, "/nothing") == "");
}

TEST_CASE("a path is added once") {
    path_table paths;
    paths.add("/send", {}, [](const auto&) {});
    CHECK_THROWS_AS(paths.add("/send", {}, [](const auto&) {}), std::invalid_argument);
    CHECK_THROWS_AS(paths.add("send", {}, [](const auto&) {}), std::invalid_argument);
}

TEST_CASE("limits of a path may change later") {
    path_table paths;
    auto& rules = paths.add("/send", {.methods = {"POST"}, .body_octets_max = 10}, [](const auto&) {});
    paths.add("/other", {}, [](const auto&) {});
    rules.body_octets_max = 20;
    CHECK(paths.find("/send")->rules.body_octets_max == 20);
}
