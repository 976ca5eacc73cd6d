#include "tls_client.hpp"

#include <arpa/inet.h>

#include <array>
#include <utility>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "socket_bio.hpp"

namespace mbus::detail {
namespace {

struct context_deleter {
    void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
};
using context_ptr = std::unique_ptr<SSL_CTX, context_deleter>;

std::string openssl_reason() {
    const auto code = ERR_peek_last_error();
    const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
    return reason == nullptr ? "unknown failure" : reason;
}

error no_tls() { return {errc::internal, "can't set up TLS: " + openssl_reason()}; }

result<context_ptr> make_context(const std::string& ca_file) {
    ERR_clear_error();
    context_ptr context{SSL_CTX_new(TLS_client_method())};
    if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1) return no_tls();
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    // Parts of a write may go out, from a buffer that has moved since; an idle connection holds none.
    SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                        SSL_MODE_RELEASE_BUFFERS);
    if (ca_file.empty()) {
        if (SSL_CTX_set_default_verify_paths(context.get()) != 1) return no_tls();
    } else if (SSL_CTX_load_verify_file(context.get(), ca_file.c_str()) != 1) {
        return error{errc::bad_argument, "can't read certificates from the ca_file " + ca_file + ": " + openssl_reason()};
    }
    return context;
}

bool is_ip_address(const std::string& host) {
    std::array<unsigned char, sizeof(in6_addr)> octets;
    return ::inet_pton(AF_INET, host.c_str(), octets.data()) == 1 ||
           ::inet_pton(AF_INET6, host.c_str(), octets.data()) == 1;
}

// The certificate must name the host (RFC 9110, section 4.3.4).
bool expect_host(SSL* session, const std::string& host) {
    if (is_ip_address(host)) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host.c_str()) == 1;
    return SSL_set1_host(session, host.c_str()) == 1 && SSL_set_tlsext_host_name(session, host.c_str()) == 1;
}

}  // namespace

result<std::unique_ptr<tls_client>> tls_client::make(int socket, const std::string& host, const std::string& ca_file) {
    auto context = make_context(ca_file);
    if (!context) return std::move(context.error());
    std::unique_ptr<tls_client> made{new tls_client{SSL_new(context->get()), host}};  // holds its own reference
    if (made->session_ == nullptr || !expect_host(made->session_, host)) return no_tls();
    BIO* const way = make_socket_bio(socket);
    if (way == nullptr) return no_tls();
    SSL_set_bio(made->session_, way, way);
    SSL_set_connect_state(made->session_);
    return made;
}

tls_client::tls_client(ssl_st* session, std::string host) noexcept : session_(session), host_(std::move(host)) {}

tls_client::~tls_client() { SSL_free(session_); }

tls_client::status tls_client::judge(int outcome) {
    switch (SSL_get_error(session_, outcome)) {
    case SSL_ERROR_NONE: return status::done;
    case SSL_ERROR_WANT_READ: return status::wants_input;
    case SSL_ERROR_WANT_WRITE: return status::wants_output;
    case SSL_ERROR_SSL: break;
    default: return status::failed;  // the connection ended
    }
    if (ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) return status::failed;
    const long verdict = SSL_get_verify_result(session_);
    if (verdict != X509_V_OK) {
        failure_ = "the certificate of " + host_ + " is not accepted: " + X509_verify_cert_error_string(verdict) +
                   "; connect_options::ca_file names certificates to trust";
    } else {
        failure_ = "TLS with " + host_ + " failed: " + openssl_reason();
    }
    return status::failed;
}

tls_client::status tls_client::handshake() {
    ERR_clear_error();
    return judge(SSL_do_handshake(session_));
}

io_outcome tls_client::read(std::span<char> into) {
    ERR_clear_error();
    std::size_t got = 0;
    const int outcome = SSL_read_ex(session_, into.data(), into.size(), &got);
    if (outcome == 1) {
        read_wants_output_ = false;
        return {got, false};
    }
    const auto why = judge(outcome);
    read_wants_output_ = why == status::wants_output;
    return {0, why == status::failed || why == status::done};
}

io_outcome tls_client::write(std::string_view octets) {
    ERR_clear_error();
    std::size_t put = 0;
    const int outcome = SSL_write_ex(session_, octets.data(), octets.size(), &put);
    if (outcome == 1) {
        write_wants_input_ = false;
        return {put, false};
    }
    const auto why = judge(outcome);
    write_wants_input_ = why == status::wants_input;
    return {0, why == status::failed || why == status::done};
}

void tls_client::end() noexcept {
    ERR_clear_error();
    if (SSL_is_init_finished(session_) == 1) (void)SSL_shutdown(session_);
    ERR_clear_error();
}

}  // namespace mbus::detail
