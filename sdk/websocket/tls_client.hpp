// The client's side of TLS over a socket that somebody else owns, non-blocking, by OpenSSL. The
// server's certificate must be trusted and valid for the host.
//
//     auto tls = tls_client::make(socket, "bus.example.org", ca_file);
//     while (tls->handshake() == tls_client::status::wants_input) ...
//
// Never raises SIGPIPE. Thread-safety: none.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <mbus/result.hpp>

#include "link.hpp"

struct ssl_st;

namespace mbus::detail {

class tls_client {
public:
    enum class status : std::uint8_t { done, wants_input, wants_output, failed };

    // `ca_file`: certificates to trust, PEM; empty: the system's. Errors: bad_argument, internal.
    static result<std::unique_ptr<tls_client>> make(int socket, const std::string& host, const std::string& ca_file);
    tls_client(const tls_client&) = delete;
    tls_client& operator=(const tls_client&) = delete;
    ~tls_client();

    status handshake();
    io_outcome read(std::span<char> into);
    io_outcome write(std::string_view octets);
    // Tells the other side that nothing follows.
    void end() noexcept;

    // After handshake() or read() failed: a sentence, empty when the connection just ended.
    [[nodiscard]] const std::string& failure() const noexcept { return failure_; }
    // read() waits for room for output (a change of keys).
    [[nodiscard]] bool read_wants_output() const noexcept { return read_wants_output_; }
    // write() waits for input.
    [[nodiscard]] bool write_wants_input() const noexcept { return write_wants_input_; }

private:
    tls_client(ssl_st* session, std::string host) noexcept;
    status judge(int outcome);

    ssl_st* session_;
    std::string host_;
    std::string failure_;
    bool read_wants_output_ = false;
    bool write_wants_input_ = false;
};

}  // namespace mbus::detail
