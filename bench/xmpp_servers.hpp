// The servers that bench_xmpp compares: mbusd and Prosody, each on a free port of loopback, with a directory of its
// own and the account `bench`.
//
// The destructors end them.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "bench_process.hpp"

namespace bench {

inline constexpr const char* xmpp_domain = "bus.example";
inline constexpr const char* xmpp_pubsub = "pubsub.bus.example";
inline constexpr const char* xmpp_user = "bench";
inline constexpr const char* xmpp_password = "correct horse";

[[nodiscard]] std::uint16_t free_port();

class xmpp_server {
public:
    virtual ~xmpp_server() = default;
    [[nodiscard]] virtual pid_t id() const = 0;
    [[nodiscard]] virtual std::uint16_t port() const = 0;
    [[nodiscard]] virtual std::string path() const = 0;
};

class mbusd_with_xmpp final : public xmpp_server {
public:
    // Where mbusd and mbus are.
    explicit mbusd_with_xmpp(const std::filesystem::path& programs);
    [[nodiscard]] pid_t id() const override { return mbusd_.id(); }
    [[nodiscard]] std::uint16_t port() const override { return port_; }
    [[nodiscard]] std::string path() const override { return "/xmpp"; }

private:
    std::uint16_t port_;
    daemon mbusd_;
};

class prosody final : public xmpp_server {
public:
    static constexpr const char* program = "/usr/bin/prosody";
    [[nodiscard]] static bool installed();
    // "Prosody 0.12.3"
    [[nodiscard]] static std::string name();

    prosody();
    ~prosody() override;
    prosody(const prosody&) = delete;
    prosody& operator=(const prosody&) = delete;
    [[nodiscard]] pid_t id() const override { return id_; }
    [[nodiscard]] std::uint16_t port() const override { return port_; }
    [[nodiscard]] std::string path() const override { return "/xmpp-websocket"; }

private:
    std::uint16_t port_;
    std::filesystem::path directory_;
    pid_t id_ = -1;
};

}  // namespace bench
