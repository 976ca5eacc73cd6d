#include "runtime/notify.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <boost/asio/io_context.hpp>

#include "runtime/unique_fd.hpp"

using namespace mbusd;

namespace {

// The service manager's end of NOTIFY_SOCKET.
struct manager_socket {
    std::filesystem::path folder;
    std::string path;
    unique_fd fd;

    manager_socket() {
        std::string pattern = (std::filesystem::temp_directory_path() / "mbusd-notify-XXXXXX").string();
        folder = ::mkdtemp(pattern.data());
        path = (folder / "notify").string();
        fd.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        sockaddr_un name{};
        name.sun_family = AF_UNIX;
        std::memcpy(name.sun_path, path.data(), path.size());
        REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&name), sizeof name) == 0);
    }
    ~manager_socket() { std::filesystem::remove_all(folder); }

    std::string next() const {
        std::array<char, 512> text{};
        const auto got = ::recv(fd.get(), text.data(), text.size(), 0);
        return got < 0 ? "" : std::string{text.data(), static_cast<std::size_t>(got)};
    }
};

}  // namespace

TEST_CASE("the service manager hears ready, status, reloading and stopping") {
    const manager_socket listening;
    const service_manager manager{listening.path};
    REQUIRE(manager.present());
    CHECK(manager.ready("2 interfaces\nFAKE=1"));
    CHECK(listening.next() == "READY=1\nSTATUS=2 interfaces FAKE=1");
    CHECK(manager.status("5 peers"));
    CHECK(listening.next() == "STATUS=5 peers");
    CHECK(manager.reloading());
    CHECK(listening.next().starts_with("RELOADING=1\nMONOTONIC_USEC="));
    CHECK(manager.stopping());
    CHECK(listening.next() == "STOPPING=1");
}

TEST_CASE("the notify socket is taken out of the environment") {
    const manager_socket listening;
    ::setenv("NOTIFY_SOCKET", listening.path.c_str(), 1);
    const service_manager manager;
    CHECK(std::getenv("NOTIFY_SOCKET") == nullptr);
    CHECK(manager.alive());
    CHECK(listening.next() == "WATCHDOG=1");
}

TEST_CASE("without a service manager nothing is told") {
    ::unsetenv("NOTIFY_SOCKET");
    const service_manager manager;
    CHECK_FALSE(manager.present());
    CHECK_FALSE(manager.ready("x"));
}

TEST_CASE("the watchdog proves life at half of its interval") {
    const manager_socket listening;
    ::setenv("WATCHDOG_USEC", "20000", 1);
    ::unsetenv("WATCHDOG_PID");
    CHECK(service_manager::watchdog_interval() == std::chrono::microseconds{10000});
    const service_manager manager{listening.path};
    boost::asio::io_context context;
    watchdog dog{context, manager};
    context.run_one();
    CHECK(listening.next() == "WATCHDOG=1");
    dog.stop();
    context.run();
    ::unsetenv("WATCHDOG_USEC");
}

TEST_CASE("a watchdog meant for another process, or none, sets no timer") {
    ::setenv("WATCHDOG_USEC", "20000", 1);
    ::setenv("WATCHDOG_PID", "1", 1);
    CHECK_FALSE(service_manager::watchdog_interval());
    ::setenv("WATCHDOG_USEC", "soon", 1);
    ::unsetenv("WATCHDOG_PID");
    CHECK_FALSE(service_manager::watchdog_interval());
    ::unsetenv("WATCHDOG_USEC");
    const service_manager manager{std::string{"/nowhere"}};
    boost::asio::io_context context;
    const watchdog dog{context, manager};
    CHECK(context.run() == 0);
}
