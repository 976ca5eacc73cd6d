// mbusd with a key, a socket and a directory of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "harness/scratch.hpp"
#include "subjects/allocation_meter.hpp"

namespace bench {

struct mbusd_setup {
    std::string key_file{};  // text of the RFC 3259 configuration; empty: HMAC-SHA1-96, this host alone
    std::string bus{};       // added to [bus] of its mbusd.toml
    std::string more{};      // added at its end
    std::uint16_t gateway_port = 0;       // of 127.0.0.1; 0: no gateway
    std::function<void()> before_exec{};  // enters another network
    bool count_allocations = false;
};

class mbusd_process {
public:
    explicit mbusd_process(const mbusd_setup& setup);

    [[nodiscard]] std::string socket() const { return directory_ / "mbusd.sock"; }
    [[nodiscard]] pid_t id() const noexcept { return server_.id(); }
    // So far; none unless they are counted.
    [[nodiscard]] std::optional<std::uint64_t> allocations() const;
    // A client of the gateway that may do everything; its token.
    [[nodiscard]] std::string add_client(const std::string& name) const;
    // An XMPP account that may do everything.
    void add_account(const std::string& name, const std::string& password) const;

private:
    // `mbus client add WORDS` for one that may do everything.
    [[nodiscard]] std::string add_command(const std::string& words) const;

    scratch_directory directory_;
    std::unique_ptr<allocation_meter> allocations_;
    server_process server_;
};

// A key file that all hosts of a bus share, with an algorithm for authentication and one for encryption.
enum class bus_profile : std::uint8_t { sha1, sha1_aes, modern };
struct bus_keys {
    bus_profile profile = bus_profile::sha1;
    bool this_host_alone = true;
    std::uint16_t port = 0;  // of the bus; 0: its default
};
[[nodiscard]] std::string key_file_of(const bus_keys& keys);

}  // namespace bench
