// TLS over a non-blocking socket as a byte stream.
#include "http/tls.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "http/readiness.hpp"
#include "runtime/unique_fd.hpp"

namespace mbusd {
namespace {

// The plain text of one TLS record (RFC 8446, section 5.1).
constexpr std::size_t record_octets = 16 * 1024;

struct release_ssl {
    void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
};

class tls_stream final : public byte_stream {
public:
    tls_stream(boost::asio::io_context& context, unique_fd socket, const tls_context& rules)
        : ssl_(SSL_new(rules.native())), ready_(context, std::move(socket)) {
        if (!ssl_ || SSL_set_fd(ssl_.get(), ready_.descriptor()) != 1) throw std::runtime_error("no memory for a TLS connection");
    }
    ~tls_stream() override { close(); }

    void accept() { SSL_set_accept_state(ssl_.get()); }

    void connect(std::string_view host) {
        const std::string name{host};
        std::array<unsigned char, sizeof(in6_addr)> octets{};
        const bool literal = ::inet_pton(AF_INET, name.c_str(), octets.data()) == 1 ||
                             ::inet_pton(AF_INET6, name.c_str(), octets.data()) == 1;
        const bool set = literal ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), name.c_str()) == 1
                                 : SSL_set1_host(ssl_.get(), name.c_str()) == 1 &&
                                       SSL_set_tlsext_host_name(ssl_.get(), name.c_str()) == 1;
        if (!set) throw std::runtime_error("'" + name + "' is no name that a certificate can be for");
        SSL_set_connect_state(ssl_.get());
    }

    io_outcome read(std::span<char> into) override {
        if (failed_ || !ssl_) return {io_state::failed, 0};
        if (into.empty()) return {};
        std::size_t got = 0;
        ERR_clear_error();
        errno = 0;
        const int worked = SSL_read_ex(ssl_.get(), into.data(), into.size(), &got);
        if (worked == 1) {
            read_needs_room_ = false;
            return {io_state::done, got};
        }
        return stopped(SSL_get_error(ssl_.get(), worked), read_needs_room_, SSL_ERROR_WANT_WRITE);
    }

    io_outcome write(std::span<const octet_view> pieces) override {
        if (failed_ || !ssl_) return {io_state::failed, 0};
        static std::array<char, record_octets> record;  // one thread; used within this call only
        const auto octets = gather(pieces, record);
        if (octets.size == 0) return {};
        std::size_t put = 0;
        ERR_clear_error();
        errno = 0;
        const int worked = SSL_write_ex(ssl_.get(), octets.data, octets.size, &put);
        if (worked == 1) {
            write_needs_input_ = false;
            return {io_state::done, put};
        }
        auto out = stopped(SSL_get_error(ssl_.get(), worked), write_needs_input_, SSL_ERROR_WANT_READ);
        if (out.what == io_state::ended) out.what = io_state::failed;
        return out;
    }

    void wait_readable(std::function<void()> ready) override {
        on_readable_ = std::move(ready);
        // Decrypted octets are no longer in the socket, which would stay silent about them.
        if (ssl_ && SSL_pending(ssl_.get()) > 0) {
            ready_.call_soon_readable([this] { input_came(); });
        } else {
            arm();
        }
    }

    void wait_writable(std::function<void()> ready) override {
        on_writable_ = std::move(ready);
        arm();
    }

    void finish_output() noexcept override {
        say_goodbye();
        ::shutdown(ready_.descriptor(), SHUT_WR);
    }

    void close() noexcept override {
        if (!ssl_) return;
        say_goodbye();
        ready_.close();
        ssl_.reset();
        on_readable_ = nullptr;
        on_writable_ = nullptr;
    }

    [[nodiscard]] bool encrypted() const noexcept override { return true; }
    [[nodiscard]] std::string failure() const override { return failure_; }
    [[nodiscard]] int descriptor() const noexcept override { return ready_.descriptor(); }

private:
    static octet_view gather(std::span<const octet_view> pieces, std::span<char> record) {
        if (pieces.size() == 1 || (!pieces.empty() && pieces[0].size >= record.size())) {
            return {pieces[0].data, std::min(pieces[0].size, record.size())};
        }
        std::size_t used = 0;
        for (const auto& piece : pieces) {
            const auto part = std::min(piece.size, record.size() - used);
            if (part > 0) std::memcpy(record.data() + used, piece.data, part);
            used += part;
        }
        return {record.data(), used};
    }

    // `crossed`: the call needs the other direction of the socket, as during the handshake.
    io_outcome stopped(int reason, bool& crossed, int crossing) {
        crossed = reason == crossing;
        if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE) return {};
        if (reason == SSL_ERROR_ZERO_RETURN) return {io_state::ended, 0};
        const bool cut = (reason == SSL_ERROR_SSL && ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) ||
                         (reason == SSL_ERROR_SYSCALL && errno == 0);
        failed_ = true;  // also keeps say_goodbye() from a broken session
        // HTTP and WebSocket say themselves where they end, so an end without close_notify is one too.
        if (cut && SSL_is_init_finished(ssl_.get())) return {io_state::ended, 0};
        failure_ = cut ? std::string{"the other side ended the connection during the TLS handshake"} : failure_text(reason);
        return {io_state::failed, 0};
    }

    static const char* remedy(long verified) noexcept {
        switch (verified) {
        case X509_V_ERR_HOSTNAME_MISMATCH:
        case X509_V_ERR_IP_ADDRESS_MISMATCH: return "; the url must name a host that the certificate is for";
        case X509_V_ERR_CERT_HAS_EXPIRED: return "; renew it there";
        case X509_V_ERR_CERT_NOT_YET_VALID: return "; check the clocks of both hosts";
        default: return "; set ca_file to the authority that signed it";
        }
    }

    std::string failure_text(int reason) const {
        if (reason == SSL_ERROR_SYSCALL) return std::generic_category().message(errno);
        const auto verified = SSL_get_verify_result(ssl_.get());
        if (SSL_is_server(ssl_.get()) == 0 && verified != X509_V_OK) {
            return std::string{"the certificate of the other side was refused: "} + X509_verify_cert_error_string(verified) +
                   remedy(verified);
        }
        const char* text = ERR_reason_error_string(ERR_peek_error());
        return std::string{"TLS: "} + (text != nullptr ? text : "the other side broke the protocol");
    }

    void say_goodbye() noexcept {
        if (!ssl_ || failed_ || SSL_is_init_finished(ssl_.get()) == 0) return;
        if ((SSL_get_shutdown(ssl_.get()) & SSL_SENT_SHUTDOWN) == 0) SSL_shutdown(ssl_.get());
        ERR_clear_error();
    }

    void arm() {
        if ((on_readable_ && !read_needs_room_) || (on_writable_ && write_needs_input_)) {
            ready_.wait_readable([this] { input_came(); });
        }
        if ((on_writable_ && !write_needs_input_) || (on_readable_ && read_needs_room_)) {
            ready_.wait_writable([this] { room_came(); });
        }
    }

    // The callbacks may end this stream, so each is the last that a function does; the other one, if
    // it is due too, comes by itself.
    void input_came() {
        if (on_writable_ && write_needs_input_) {
            write_needs_input_ = false;
            ready_.call_soon_writable([this] { room_came(); });
        }
        if (auto call = read_needs_room_ ? nullptr : std::exchange(on_readable_, nullptr)) call();
    }

    void room_came() {
        if (on_readable_ && read_needs_room_) {
            read_needs_room_ = false;
            ready_.call_soon_readable([this] { input_came(); });
        }
        if (auto call = write_needs_input_ ? nullptr : std::exchange(on_writable_, nullptr)) call();
    }

    std::unique_ptr<SSL, release_ssl> ssl_;
    readiness ready_;
    std::function<void()> on_readable_;
    std::function<void()> on_writable_;
    bool read_needs_room_ = false;
    bool write_needs_input_ = false;
    bool failed_ = false;
    std::string failure_;
};

}  // namespace

std::unique_ptr<byte_stream> make_tls_server_stream(boost::asio::io_context& context, unique_fd socket,
                                                    const tls_context& rules) {
    auto out = std::make_unique<tls_stream>(context, std::move(socket), rules);
    out->accept();
    return out;
}

std::unique_ptr<byte_stream> make_tls_client_stream(boost::asio::io_context& context, unique_fd socket,
                                                    const tls_context& rules, std::string_view host) {
    auto out = std::make_unique<tls_stream>(context, std::move(socket), rules);
    out->connect(host);
    return out;
}

}  // namespace mbusd
