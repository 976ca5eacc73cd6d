#include "runtime/process.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <csignal>

#include <boost/asio/io_context.hpp>

using namespace mbusd;
using namespace std::chrono_literals;

namespace {

// Two descriptors in a row that nobody uses; returns the first.
int open_two() {
    constexpr int first = 200;
    REQUIRE(::dup2(STDIN_FILENO, first) == first);
    REQUIRE(::dup2(STDIN_FILENO, first + 1) == first + 1);
    return first;
}

}  // namespace

TEST_CASE("inherited sockets come with their names, and close on exec") {
    const int first = open_two();
    const auto sockets = inherited_sockets(std::to_string(::getpid()), "2", "local:gateway", first);
    REQUIRE(sockets.size() == 2);
    CHECK(sockets[0].fd.get() == first);
    CHECK(sockets[0].name == "local");
    CHECK(sockets[1].name == "gateway");
    CHECK((::fcntl(first + 1, F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("sockets without a name are called unknown; announced ones that are missing are left out") {
    const int first = open_two();
    const auto sockets = inherited_sockets(std::to_string(::getpid()), "3", "", first);
    REQUIRE(sockets.size() == 2);
    CHECK(sockets[0].name == "unknown");
}

TEST_CASE("sockets for another process, and nonsense, are not taken") {
    CHECK(inherited_sockets("1", "1", "", 0).empty());
    CHECK(inherited_sockets(std::to_string(::getpid()), "many", "", 0).empty());
    CHECK(inherited_sockets(std::to_string(::getpid()), "-1", "", 0).empty());
    CHECK(inherited_sockets("", "", "").empty());
}

TEST_CASE("SIGTERM stops, SIGHUP reloads, but not any more while stopping") {
    boost::asio::io_context context;
    std::string seen;
    signal_watch watch{context, [&](int number) { seen += "stop" + std::to_string(number) + " "; },
                       [&] { seen += "reload "; }};
    const auto raise_and_wait = [&](int number, const char* expected) {
        ::raise(number);
        while (seen.find(expected) == std::string::npos) context.run_one_for(5s);
    };
    raise_and_wait(SIGHUP, "reload");
    raise_and_wait(SIGTERM, "stop");
    ::raise(SIGHUP);
    context.run_for(20ms);
    watch.close();
    context.restart();
    context.run();
    CHECK(seen == "reload stop15 ");
}

TEST_CASE("seeds differ") { CHECK(random_seed() != random_seed()); }

TEST_CASE("the limit of open files is raised as far as it may be") {
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    const auto now = raise_open_files();
    CHECK(now >= before.rlim_cur);
    CHECK(now <= before.rlim_max);
}
