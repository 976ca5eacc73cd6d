#include "peers/dbus_server.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>

#include "harness/subject.hpp"

namespace bench {
namespace {

constexpr auto broker_path = "/usr/bin/dbus-broker";  // where the launcher looks for it
constexpr auto journal = "/run/systemd/journal/socket";
constexpr int first_passed_descriptor = 3;  // sd_listen_fds(3)

[[noreturn]] void give_up(const char* what) {
    std::perror(what);
    std::_Exit(126);
}

int bound_socket(const char* path, int type) {
    const int made = ::socket(AF_UNIX, type, 0);
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::strncpy(name.sun_path, path, sizeof name.sun_path - 1);
    if (made < 0 || ::bind(made, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) give_up(path);
    return made;
}

class dbus_daemon final : public dbus_server {
public:
    dbus_daemon()
        : server_({.words = {find_program("dbus-daemon", "dbus-daemon"), "--config-file=" + configuration_,
                             "--nofork", "--nopidfile"},
                   .log = directory_ / "dbus.log"}) {
        server_.await([this] { return accepts_unix(directory_ / "bus"); });
    }
    [[nodiscard]] pid_t id() const override { return server_.id(); }

private:
    server_process server_;
};

// The launcher wants what systemd gives it: a socket that is passed, a journal, a bus of the user. It gets the
// first two in a mount namespace of its own, and dbus-daemon as the third.
class dbus_broker final : public dbus_server {
public:
    dbus_broker()
        : launcher_({.words = {find_program("dbus-broker-launch", "dbus-broker"), "--scope", "user",
                               "--config-file", configuration_},
                     .log = directory_ / "broker.log",
                     .before_exec = [this] { prepare(); }}) {
        launcher_.await([this] {
            broker_ = child_of_launcher().value_or(-1);
            return broker_ > 0 && accepts_unix(directory_ / "bus");
        });
    }
    // The broker does not always end with its launcher, nor by SIGTERM.
    ~dbus_broker() override {
        if (broker_ > 0) ::kill(broker_, SIGKILL);
    }
    dbus_broker(const dbus_broker&) = delete;
    dbus_broker& operator=(const dbus_broker&) = delete;
    [[nodiscard]] pid_t id() const override { return broker_; }

private:
    void prepare() const {
        const auto program = find_program("dbus-broker", "dbus-broker");
        if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
            give_up("unshare");
        if (program != broker_path) {
            const auto layers = "lowerdir=" + program.substr(0, program.rfind('/')) + ":/usr/bin";
            if (::mount("overlay", "/usr/bin", "overlay", MS_RDONLY, layers.c_str()) != 0)
                give_up(broker_path);
        }
        // Listening sockets outlive the exec: at 3 the bus, above it the journal that nobody reads.
        const int bus = bound_socket((directory_ / "bus").c_str(), SOCK_STREAM);
        if (::listen(bus, SOMAXCONN) != 0) give_up("listen");
        if (::mount("none", "/run", "tmpfs", 0, nullptr) != 0) give_up("/run");
        for (const auto* each : {"/run/systemd", "/run/systemd/journal"}) (void)::mkdir(each, 0755);
        const int log = ::fcntl(bound_socket(journal, SOCK_DGRAM), F_DUPFD, first_passed_descriptor + 1);
        if (log < 0) give_up("journal");
        if (bus != first_passed_descriptor && ::dup2(bus, first_passed_descriptor) < 0) give_up("dup2");
        ::setenv("LISTEN_FDS", "1", 1);
        ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
        ::setenv("DBUS_SESSION_BUS_ADDRESS", user_bus_.address().c_str(), 1);
    }

    [[nodiscard]] std::optional<pid_t> child_of_launcher() const {
        const auto id = std::to_string(launcher_.id());
        std::ifstream in{"/proc/" + id + "/task/" + id + "/children"};
        pid_t child = 0;
        if (!(in >> child)) return std::nullopt;
        return child;
    }

    dbus_daemon user_bus_;
    server_process launcher_;
    pid_t broker_ = -1;
};

}  // namespace

dbus_server::dbus_server()
    : configuration_(directory_.write(
          "bus.conf", "<busconfig><type>session</type><listen>" + address() +
                          "</listen><auth>EXTERNAL</auth><policy context=\"default\">"
                          "<allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/>"
                          "<allow own=\"*\"/><allow user=\"*\"/>"
                          "</policy>"
                          "<limit name=\"max_connections_per_user\">10000</limit>"
                          "<limit name=\"max_completed_connections\">10000</limit>"
                          "<limit name=\"max_incomplete_connections\">10000</limit>"
                          "</busconfig>\n")) {}

std::unique_ptr<dbus_server> start_dbus_daemon() { return std::make_unique<dbus_daemon>(); }
std::unique_ptr<dbus_server> start_dbus_broker() {
    if (::geteuid() != 0)
        throw not_available("dbus-broker's launcher outside systemd needs a mount namespace, that is root");
    return std::make_unique<dbus_broker>();
}

}  // namespace bench
