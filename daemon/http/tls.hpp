// TLS for byte streams, by OpenSSL on the non-blocking socket: the handshake runs inside read() and
// write() and never holds up the loop.
//
//     auto context = tls_context::server("cert.pem", "key.pem");      // throws one sentence
//     auto stream = make_tls_server_stream(io, std::move(socket), context);
//
//     auto trust = tls_context::client("");                           // the system's authorities
//     auto stream = make_tls_client_stream(io, std::move(socket), trust, "bus.example.org");
//
// TLS 1.2 and later. Thread-safety: none.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/byte_stream.hpp"

struct ssl_ctx_st;

namespace mbusd {

// Certificates and rules of one side. Copies share; streams keep what they were made with.
class tls_context {
public:
    // A certificate chain and its key, both PEM. Throws std::runtime_error with one sentence: a file that
    // can't be read, a key that does not fit, a certificate that is no longer valid.
    static tls_context server(const std::string& certificate_file, const std::string& key_file);
    // Verifies the peer's certificate and name by `ca_file` (PEM), or by the system's authorities when
    // that is empty. Throws std::runtime_error.
    static tls_context client(const std::string& ca_file);

    // What is unwise about the files, though it works: one sentence each.
    [[nodiscard]] const std::vector<std::string>& warnings() const noexcept { return warnings_; }
    // Server only: SHA-256 of the certificate in hexadecimal, and the end of its life for people.
    [[nodiscard]] const std::string& fingerprint() const noexcept { return fingerprint_; }
    [[nodiscard]] const std::string& valid_until() const noexcept { return valid_until_; }

    [[nodiscard]] ssl_ctx_st* native() const noexcept { return native_.get(); }

private:
    tls_context() = default;
    std::shared_ptr<ssl_ctx_st> native_;
    std::vector<std::string> warnings_;
    std::string fingerprint_;
    std::string valid_until_;
};

std::unique_ptr<byte_stream> make_tls_server_stream(boost::asio::io_context& context, unique_fd socket,
                                                    const tls_context& rules);
// `host`: the name or address that the certificate must be for, without port and brackets.
std::unique_ptr<byte_stream> make_tls_client_stream(boost::asio::io_context& context, unique_fd socket,
                                                    const tls_context& rules, std::string_view host);

}  // namespace mbusd
