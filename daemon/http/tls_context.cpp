#include "http/tls.hpp"

#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace mbusd {
namespace {

struct release_bio {
    void operator()(BIO* bio) const noexcept { BIO_free(bio); }
};

std::string openssl_reason() {
    const auto code = ERR_peek_last_error();
    const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
    return reason != nullptr ? reason : "no reason given";
}

// The system's reason goes before OpenSSL's: "no such file" says more than "BIO lib".
void must_be_readable(const std::string& file, std::string_view setting) {
    if (file.empty()) throw std::runtime_error(fmt::format("{} must name a file in PEM form", setting));
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> probe{std::fopen(file.c_str(), "re"), &std::fclose};
    if (probe) return;
    throw std::runtime_error(fmt::format("{}: {} can't be read: {}", setting, file, std::generic_category().message(errno)));
}

std::shared_ptr<SSL_CTX> new_context(const SSL_METHOD* method) {
    std::shared_ptr<SSL_CTX> out{SSL_CTX_new(method), &SSL_CTX_free};
    if (!out) throw std::runtime_error("TLS is not available: " + openssl_reason());
    SSL_CTX_set_min_proto_version(out.get(), TLS1_2_VERSION);
    // Idle connections hold no record buffers; writes go on from another place with the same octets.
    SSL_CTX_set_mode(out.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_options(out.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(out.get(), SSL_SESS_CACHE_OFF);
    return out;
}

// HTTP/1.1 if the client offers protocols at all; one that offers others only finds out by itself.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                    unsigned offered_size, void*) {
    static constexpr std::array<unsigned char, 9> ours{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
    unsigned char* found = nullptr;
    if (SSL_select_next_proto(&found, size, ours.data(), ours.size(), offered, offered_size) != OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
}

std::string fingerprint_of(X509* certificate) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1) return {};
    std::string out;
    for (unsigned i = 0; i < size; ++i) out += fmt::format("{:02x}", digest.at(i));
    return out;
}

std::string time_text(const ASN1_TIME* moment) {
    const std::unique_ptr<BIO, release_bio> text{BIO_new(BIO_s_mem())};
    if (!text || ASN1_TIME_print(text.get(), moment) != 1) return {};
    char* data = nullptr;
    const long size = BIO_get_mem_data(text.get(), &data);
    return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string{};
}

}  // namespace

tls_context tls_context::server(const std::string& certificate_file, const std::string& key_file) {
    must_be_readable(certificate_file, "gateway.tls_certificate");
    must_be_readable(key_file, "gateway.tls_key");
    ERR_clear_error();
    tls_context out;
    out.native_ = new_context(TLS_server_method());
    auto* native = out.native_.get();
    if (SSL_CTX_use_certificate_chain_file(native, certificate_file.c_str()) != 1) {
        throw std::runtime_error(fmt::format("gateway.tls_certificate: {} holds no usable certificate: {}",
                                             certificate_file, openssl_reason()));
    }
    // A key with a passphrase would ask at the terminal.
    SSL_CTX_set_default_passwd_cb(native, [](char*, int, int, void*) { return 0; });
    if (SSL_CTX_use_PrivateKey_file(native, key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(native) != 1) {
        throw std::runtime_error(fmt::format("gateway.tls_key: {} holds no key, without passphrase, that fits the "
                                             "certificate {}: {}", key_file, certificate_file, openssl_reason()));
    }
    auto* certificate = SSL_CTX_get0_certificate(native);
    const auto* ends = X509_get0_notAfter(certificate);
    out.valid_until_ = time_text(ends);
    out.fingerprint_ = fingerprint_of(certificate);
    if (X509_cmp_current_time(ends) < 0) {
        throw std::runtime_error(fmt::format("gateway.tls_certificate: {} was valid until {}; renew it", certificate_file,
                                             out.valid_until_));
    }
    struct stat found{};
    if (::stat(key_file.c_str(), &found) == 0 && (found.st_mode & S_IROTH) != 0) {
        out.warnings_.push_back(fmt::format("gateway.tls_key: {} can be read by every user; run: chmod o-rwx {}", key_file,
                                            key_file));
    }
    SSL_CTX_set_alpn_select_cb(native, &choose_protocol, nullptr);
    return out;
}

tls_context tls_context::client(const std::string& ca_file) {
    ERR_clear_error();
    tls_context out;
    out.native_ = new_context(TLS_client_method());
    auto* native = out.native_.get();
    SSL_CTX_set_verify(native, SSL_VERIFY_PEER, nullptr);
    if (ca_file.empty()) {
        if (SSL_CTX_set_default_verify_paths(native) != 1) {
            throw std::runtime_error("the system's certificate authorities can't be loaded: " + openssl_reason());
        }
        return out;
    }
    must_be_readable(ca_file, "ca_file");
    if (SSL_CTX_load_verify_locations(native, ca_file.c_str(), nullptr) != 1) {
        throw std::runtime_error(fmt::format("ca_file: {} holds no usable certificate: {}", ca_file, openssl_reason()));
    }
    return out;
}

}  // namespace mbusd
