// TCP and Unix sockets as byte streams.
#include "http/byte_stream.hpp"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "http/readiness.hpp"
#include "runtime/unique_fd.hpp"

namespace mbusd {
namespace {

// Pieces of one sendmsg; the rest waits for the next call.
constexpr std::size_t pieces_max = 64;

class plain_stream final : public byte_stream {
public:
    plain_stream(boost::asio::io_context& context, unique_fd socket) : ready_(context, std::move(socket)) {}

    io_outcome read(std::span<char> into) override {
        const auto got = ::recv(ready_.descriptor(), into.data(), into.size(), MSG_DONTWAIT);
        if (got > 0) return {io_state::done, static_cast<std::size_t>(got)};
        if (got == 0) return {into.empty() ? io_state::again : io_state::ended, 0};
        return stopped(errno);
    }

    io_outcome write(std::span<const octet_view> pieces) override {
        std::array<iovec, pieces_max> vectors;
        const auto count = std::min(pieces.size(), vectors.size());
        for (std::size_t i = 0; i < count; ++i) vectors[i] = {const_cast<char*>(pieces[i].data), pieces[i].size};
        msghdr message{};
        message.msg_iov = vectors.data();
        message.msg_iovlen = count;
        const auto put = ::sendmsg(ready_.descriptor(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (put > 0) return {io_state::done, static_cast<std::size_t>(put)};
        return put == 0 ? io_outcome{} : stopped(errno);
    }

    void wait_readable(std::function<void()> ready) override { ready_.wait_readable(std::move(ready)); }
    void wait_writable(std::function<void()> ready) override { ready_.wait_writable(std::move(ready)); }
    void finish_output() noexcept override { ::shutdown(ready_.descriptor(), SHUT_WR); }
    void close() noexcept override { ready_.close(); }
    [[nodiscard]] bool encrypted() const noexcept override { return false; }
    [[nodiscard]] std::string failure() const override {
        return fault_ == 0 ? std::string{} : std::generic_category().message(fault_);
    }
    [[nodiscard]] int descriptor() const noexcept override { return ready_.descriptor(); }

private:
    io_outcome stopped(int fault) noexcept {
        if (fault == EAGAIN || fault == EINTR) return {};
        fault_ = fault;
        return {io_state::failed, 0};
    }

    readiness ready_;
    int fault_ = 0;
};

}  // namespace

std::unique_ptr<byte_stream> make_plain_stream(boost::asio::io_context& context, unique_fd socket) {
    return std::make_unique<plain_stream>(context, std::move(socket));
}

}  // namespace mbusd
