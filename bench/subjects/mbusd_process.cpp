#include "subjects/mbusd_process.hpp"

#include <array>
#include <cstdio>
#include <stdexcept>

#include "protocol/session_config.hpp"
#include "subjects/mbusd.hpp"

namespace bench {
namespace {

server_command command_of(const scratch_directory& directory, const mbusd_setup& setup,
                          const std::unique_ptr<allocation_meter>& allocations) {
    const auto keys = directory.write("mbus.conf", setup.key_file.empty() ? key_file_of({}) : setup.key_file);
    std::string config =
        "[bus]\nkey_file = \"" + keys + "\"\n" + setup.bus + "[socket]\npath = \"" +
        directory / "mbusd.sock" + "\"\n[state]\ndirectory = \"" + directory.path().string() +
        "\"\n[limits]\nsessions_per_user = 16384\nentities_per_user = 16384\n[log]\nlevel = \"warning\"\n";
    if (setup.gateway_port > 0)
        config += "[gateway]\nenabled = true\nlisten = [\"127.0.0.1:" + std::to_string(setup.gateway_port) +
                  "\"]\nconnections = 16384\nconnections_per_address = 16384\n";
    const auto file = directory.write("mbusd.toml", config + setup.more);
    return {.words = {programs() + "/mbusd", "--config", file},
            .log = directory / "mbusd.log",
            .before_exec = [&setup, &allocations] {
                if (setup.before_exec) setup.before_exec();
                if (allocations) allocations->preload();
            }};
}

}  // namespace

mbusd_process::mbusd_process(const mbusd_setup& setup)
    : allocations_(setup.count_allocations ? std::make_unique<allocation_meter>(directory_) : nullptr),
      server_(command_of(directory_, setup, allocations_)) {
    server_.await([this] { return accepts_unix(socket()); });
    if (setup.gateway_port > 0) server_.await([&] { return accepts_tcp(setup.gateway_port); });
    if (allocations_ && allocations_->count() == 0)  // no daemon starts without any
        throw std::runtime_error("the allocations of mbusd are not counted: " MBUS_BENCH_COUNTED_ALLOCATIONS
                                 " could not be preloaded");
}

std::optional<std::uint64_t> mbusd_process::allocations() const {
    if (!allocations_) return std::nullopt;
    return allocations_->count();
}

std::string mbusd_process::add_command(const std::string& words) const {
    return "MBUS_SOCKET='" + socket() + "' '" + programs() + "/mbus' client add --attach '()' --send '()' " +
           words;
}

std::string mbusd_process::add_client(const std::string& name) const {
    FILE* const out = ::popen(add_command(name + " --block").c_str(), "r");
    std::array<char, 256> line{};
    if (out == nullptr || std::fgets(line.data(), line.size(), out) == nullptr)
        throw std::runtime_error("mbus client add gave no token");
    (void)::pclose(out);
    std::string token = line.data();
    while (!token.empty() && token.back() <= ' ') token.pop_back();
    return token;
}

// The password goes through the tool's input, not its command line.
void mbusd_process::add_account(const std::string& name, const std::string& password) const {
    FILE* const in = ::popen(add_command("--xmpp " + name + " --password-file - >/dev/null 2>&1").c_str(), "w");
    if (in == nullptr) throw std::runtime_error("popen");
    (void)std::fprintf(in, "%s\n", password.c_str());
    if (::pclose(in) != 0) throw std::runtime_error("mbus client add made no account");
}

std::string key_file_of(const bus_keys& keys) {
    using namespace mbus::protocol;
    const auto profile = keys.profile == bus_profile::modern     ? key_profile::modern
                         : keys.profile == bus_profile::sha1_aes ? key_profile::rfc
                                                                 : key_profile::rfc_unencrypted;
    auto config =
        generate_session_config(profile, keys.this_host_alone ? scope::host_local : scope::link_local);
    if (keys.port > 0) config.port = keys.port;
    return format_session_config(config);
}

}  // namespace bench
