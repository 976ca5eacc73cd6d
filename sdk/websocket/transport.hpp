// A TCP connection to a URL's host, with TLS for wss. Never blocks but in open(), which looks up the
// host's name.
//
//     transport way{polls};
//     way.open(where, ca_file);
//     while (way.advance(now) == transport::status::connecting) polls.wait(way.deadline());
//     way.read(...); way.write(...);
//
// Thread-safety: none.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <mbus/result.hpp>

#include "endpoints.hpp"
#include "link.hpp"
#include "poll_set.hpp"
#include "tls_client.hpp"
#include "url.hpp"

namespace mbus::detail {

class transport {
public:
    enum class status : std::uint8_t { connecting, connected, failed };
    // While another address is left to try, one that does not answer is given up after this.
    static constexpr std::chrono::seconds address_limit{3};

    // `polls` outlives the object.
    explicit transport(poll_set& polls) noexcept : polls_(polls) {}
    transport(const transport&) = delete;
    transport& operator=(const transport&) = delete;
    ~transport() { close(); }

    // Begins. `ca_file`: certificates to trust, PEM; empty: the system's.
    result<void> open(const websocket_url& where, const std::string& ca_file, clock::time_point now);
    // Goes on with connecting. After `failed`, failure() says why.
    status advance(clock::time_point now);
    [[nodiscard]] clock::time_point deadline() const noexcept { return address_deadline_; }

    io_outcome read(std::span<char> into);
    io_outcome write(std::string_view octets);
    // Whether there is output that waits for room.
    void watch_output(bool wanted);
    void close() noexcept;

    [[nodiscard]] const error& failure() const noexcept { return failure_; }

private:
    status connect_next(clock::time_point now);
    status give_up_address(int code, clock::time_point now);
    status finish_tcp(clock::time_point now);
    status finish_tls();
    status fail(error why);
    void close_socket() noexcept;
    void watch(bool output);

    poll_set& polls_;
    websocket_url where_;
    std::string ca_file_;
    std::vector<endpoint> addresses_;
    std::size_t next_address_ = 0;
    clock::time_point address_deadline_ = never;
    int socket_ = -1;
    bool tcp_connected_ = false;
    bool connected_ = false;
    bool output_watched_ = false;
    std::unique_ptr<tls_client> tls_;  // wss only
    error failure_{errc::disconnected, "the daemon closed the connection"};
};

}  // namespace mbus::detail
