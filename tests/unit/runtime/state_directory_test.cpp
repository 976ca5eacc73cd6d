// What the daemon remembers from one start to the next.
#include "runtime/state_directory.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace mbusd {
namespace {

constexpr const char* first_id = "0123456789abcdef";
constexpr const char* second_id = "fedcba9876543210";

struct folder {
    folder() {
        std::string name = (std::filesystem::temp_directory_path() / "mbusd-state-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path = name;
    }
    ~folder() { std::filesystem::remove_all(path); }
    folder(const folder&) = delete;
    folder& operator=(const folder&) = delete;

    std::filesystem::path path;
};

}  // namespace

TEST_CASE("the id is the same at the next start, in a file for its owner only") {
    const folder where;
    const auto directory = (where.path / "made").string();
    {
        state_directory state{directory};
        const auto kept = state.broker_id(first_id);
        CHECK(kept.id == first_id);
        CHECK(kept.problem.empty());
    }
    struct stat about{};
    REQUIRE(::stat((directory + "/broker-id").c_str(), &about) == 0);
    CHECK((about.st_mode & 07777) == 0600);
    CHECK(std::distance(std::filesystem::directory_iterator{directory}, {}) == 1);  // no draft is left
    state_directory again{directory};
    CHECK(again.broker_id(second_id).id == first_id);
}

TEST_CASE("two daemons never have one id: the second keeps its own and says why") {
    const folder where;
    state_directory first{where.path.string()};
    state_directory second{where.path.string()};
    CHECK(first.broker_id(first_id).id == first_id);
    const auto kept = second.broker_id(second_id);
    CHECK(kept.id == second_id);
    CHECK(kept.problem.find("state.directory") != std::string::npos);
}

TEST_CASE("what is no id is replaced") {
    const folder where;
    for (const auto* text : {"", "0123", "0123456789ABCDEF\n", "0123456789abcdef0\n", "0123456789abcdef\nmore"}) {
        std::ofstream{where.path / "broker-id"} << text;
        {
            state_directory state{where.path.string()};
            CHECK(state.broker_id(first_id).id == first_id);
        }
        state_directory again{where.path.string()};
        CHECK(again.broker_id(second_id).id == first_id);
    }
}

TEST_CASE("where nothing can be kept there is an id all the same, and the reason") {
    state_directory state{"/proc/nowhere/at/all"};
    const auto kept = state.broker_id(first_id);
    CHECK(kept.id == first_id);
    CHECK(kept.problem.find("there is no /proc/nowhere/at/all") != std::string::npos);
}

}  // namespace mbusd
