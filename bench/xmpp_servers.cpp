#include "xmpp_servers.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace bench {
namespace {

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    name.sin_port = htons(port);
    return name;
}

bool answers(std::uint16_t port) {
    const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto name = loopback(port);
    const bool there = ::connect(probe, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0;
    ::close(probe);
    return there;
}

void write_file(const std::filesystem::path& path, const std::string& text) {
    std::ofstream out{path};
    out << text;
    if (!out.flush()) throw std::runtime_error("can't write " + path.string());
}

std::string settings_of_mbusd(std::uint16_t port) {
    return "[gateway]\nenabled = true\nlisten = [\"127.0.0.1:" + std::to_string(port) +
           "\"]\nconnections = 16384\nconnections_per_address = 16384\n[xmpp]\nenabled = true\ndomain = \"" +
           xmpp_domain + "\"\nsessions_per_account = 16384\nsessions = 16384\n";
}

// As Debian's package has it, without what listens elsewhere and without its limit of 10 KB/s for a client.
std::string settings_of_prosody(std::uint16_t port, const std::string& directory) {
    return "data_path = \"" + directory + "/data\"\npidfile = \"" + directory + R"(/prosody.pid"
run_as_root = true
daemonize = false
log = { warn = "*console" }
modules_enabled = { "roster", "saslauth", "disco", "ping", "smacks", "websocket" }
modules_disabled = { "s2s" }
interfaces = { "127.0.0.1" }
http_interfaces = { "127.0.0.1" }
http_ports = { )" +
           std::to_string(port) +
           R"( }
https_ports = {}
c2s_ports = {}
c2s_direct_tls_ports = {}
c2s_require_encryption = false
consider_websocket_secure = true
authentication = "internal_hashed"
VirtualHost ")" +
           xmpp_domain + "\"\nComponent \"" + xmpp_pubsub + "\" \"pubsub\"\n    admins = { \"" + xmpp_user +
           "@" + xmpp_domain + "\" }\n";
}

}  // namespace

std::uint16_t free_port() {
    const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto name = loopback(0);
    socklen_t octets = sizeof name;
    if (::bind(probe, reinterpret_cast<const sockaddr*>(&name), octets) != 0 ||
        ::getsockname(probe, reinterpret_cast<sockaddr*>(&name), &octets) != 0)
        throw std::runtime_error("no free port");
    ::close(probe);
    return ntohs(name.sin_port);
}

mbusd_with_xmpp::mbusd_with_xmpp(const std::filesystem::path& programs)
    : port_(free_port()), mbusd_((programs / "mbusd").string(), settings_of_mbusd(port_)) {
    // The password goes through the tool's input, not its command line.
    const auto command = "MBUS_SOCKET=" + mbusd_.socket() + " " + (programs / "mbus").string() +
                         " client add --xmpp " + xmpp_user +
                         " --attach '()' --send '()' --password-file - >/dev/null 2>&1";
    FILE* const in = ::popen(command.c_str(), "w");
    if (in == nullptr) throw std::runtime_error("popen");
    std::fprintf(in, "%s\n", xmpp_password);
    if (::pclose(in) != 0) throw std::runtime_error("mbus client add gave no account");
}

bool prosody::installed() { return ::access(program, X_OK) == 0; }

std::string prosody::name() {
    std::array<char, 64> line{};
    FILE* const out = ::popen("dpkg-query -W -f='${Version}' prosody 2>/dev/null", "r");
    if (out != nullptr) {
        if (std::fgets(line.data(), line.size(), out) == nullptr) line.front() = '\0';
        (void)::pclose(out);
    }
    const std::string version{line.data()};
    return "Prosody " + version.substr(0, version.find('-'));
}

prosody::prosody() : port_(free_port()) {
    std::string pattern = (std::filesystem::temp_directory_path() / "mbus-bench-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
    directory_ = pattern;
    // The form of its internal storage; the password is replaced by its keys at the first login.
    const auto accounts = directory_ / "data" / "bus%2eexample" / "accounts";
    std::filesystem::create_directories(accounts);
    write_file(accounts / (std::string{xmpp_user} + ".dat"),
               std::string{"return { [\"password\"] = \""} + xmpp_password + "\" };\n");
    const auto settings = directory_ / "prosody.cfg.lua";
    write_file(settings, settings_of_prosody(port_, directory_.string()));
    id_ = ::fork();
    if (id_ < 0) throw std::runtime_error("fork");
    if (id_ == 0) {
        (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a benchmark that is interrupted leaves nothing behind
        // What it says belongs to nobody's table.
        const int log = ::open((directory_ / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
        ::dup2(log, 1);
        ::dup2(log, 2);
        ::execl(program, "prosody", "-F", "--config", settings.c_str(), nullptr);
        std::_Exit(127);
    }
    for (int tries = 0; tries < 200; ++tries) {
        std::this_thread::sleep_for(std::chrono::milliseconds{50});
        if (answers(port_)) return;
    }
    throw std::runtime_error("Prosody does not answer; see " + (directory_ / "log").string());
}

// At once: with thousands of sessions its orderly end takes minutes.
prosody::~prosody() {
    ::kill(id_, SIGKILL);
    ::waitpid(id_, nullptr, 0);
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
}

}  // namespace bench
