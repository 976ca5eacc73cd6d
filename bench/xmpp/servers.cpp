#include "xmpp/servers.hpp"

#include <csignal>
#include <filesystem>

#include "harness/scratch.hpp"
#include "subjects/mbusd_process.hpp"

namespace bench {
namespace {

class mbusd_with_xmpp final : public xmpp_server {
public:
    mbusd_with_xmpp() { mbusd_.add_account(xmpp_user, xmpp_password); }
    [[nodiscard]] pid_t id() const override { return mbusd_.id(); }
    [[nodiscard]] std::uint16_t port() const override { return port_; }
    [[nodiscard]] std::string path() const override { return "/xmpp"; }

private:
    std::uint16_t port_ = free_port();
    mbusd_process mbusd_{{.more = std::string{"[xmpp]\nenabled = true\ndomain = \""} + xmpp_domain +
                                  "\"\nsessions_per_account = 16384\nsessions = 16384\n",
                          .gateway_port = port_}};
};

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

// Where its internal storage has the account; the password is replaced by its keys at the first login.
constexpr auto accounts_of_prosody = "data/bus%2eexample/accounts";

server_command command_of(const scratch_directory& directory, std::uint16_t port) {
    const auto program = find_program("prosody", "prosody");
    std::filesystem::create_directories(directory / accounts_of_prosody);
    directory.write(std::string{accounts_of_prosody} + "/" + xmpp_user + ".dat",
                    std::string{"return { [\"password\"] = \""} + xmpp_password + "\" };\n");
    const auto settings = directory.write("prosody.cfg.lua", settings_of_prosody(port, directory.path()));
    return {.words = {program, "-F", "--config", settings},
            .log = directory / "prosody.log",
            .end = SIGKILL};  // with thousands of sessions its orderly end takes minutes
}

class prosody final : public xmpp_server {
public:
    prosody() {
        server_.await([this] { return accepts_tcp(port_); });
    }
    [[nodiscard]] pid_t id() const override { return server_.id(); }
    [[nodiscard]] std::uint16_t port() const override { return port_; }
    [[nodiscard]] std::string path() const override { return "/xmpp-websocket"; }

private:
    std::uint16_t port_ = free_port();
    scratch_directory directory_;
    server_process server_{command_of(directory_, port_)};
};

}  // namespace

std::unique_ptr<xmpp_server> start_mbusd_with_xmpp() { return std::make_unique<mbusd_with_xmpp>(); }
std::unique_ptr<xmpp_server> start_prosody() { return std::make_unique<prosody>(); }

}  // namespace bench
