// A connected byte stream, non-blocking: TCP, TLS over TCP, or a Unix socket.
//
//     auto got = stream->read(buffer);                        // never waits
//     if (got.what == io_state::again) stream->wait_readable([this] { go_on(); });
//
// Readiness instead of completed reads, so that an idle connection holds no buffer and one writev
// carries many pieces. Owned by whoever serves the connection. Thread-safety: none; callbacks come
// from the io_context, never from inside a call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace boost::asio {
class io_context;
}

namespace mbusd {

class unique_fd;

// A piece of output.
struct octet_view {
    const char* data = nullptr;
    std::size_t size = 0;
};

enum class io_state : std::uint8_t {
    done,   // `octets` went over, at least one
    again,  // nothing now: wait_readable() or wait_writable(), as the call was
    ended,  // read only: the other side has sent its last octet
    failed  // the connection is broken: failure() says why
};

struct io_outcome {
    using state = io_state;
    io_state what = io_state::again;
    std::size_t octets = 0;
};

class byte_stream {
public:
    virtual ~byte_stream() = default;
    byte_stream(const byte_stream&) = delete;
    byte_stream& operator=(const byte_stream&) = delete;

    // One read(2) or SSL_read.
    virtual io_outcome read(std::span<char> into) = 0;
    // One writev, or one SSL_write of as many pieces as fit a TLS record. A part may be taken. After
    // `again` the same octets come first in the next call, at least as many, from any place.
    virtual io_outcome write(std::span<const octet_view> pieces) = 0;

    // Once: `ready` is called when read() may have something to say, also when the peer has gone.
    // False alarms are possible. A second call while one waits replaces the callback.
    virtual void wait_readable(std::function<void()> ready) = 0;
    virtual void wait_writable(std::function<void()> ready) = 0;

    // No more output: FIN, or TLS close_notify and FIN. Reading goes on.
    virtual void finish_output() noexcept = 0;
    // Gives the connection up: waits end without their callback. The destructor does so too.
    virtual void close() noexcept = 0;

    [[nodiscard]] virtual bool encrypted() const noexcept = 0;
    // Why read() or write() failed: one sentence without secrets. Empty before that.
    [[nodiscard]] virtual std::string failure() const = 0;
    // For the counters of a connection; -1 after close().
    [[nodiscard]] virtual int descriptor() const noexcept = 0;

    // Lives as long as the stream: a place among the connections that are counted.
    void hold(std::shared_ptr<const void> what) noexcept { held_ = std::move(what); }

protected:
    byte_stream() = default;

private:
    std::shared_ptr<const void> held_;
};

// The socket must be connected (or be connecting) and non-blocking.
std::unique_ptr<byte_stream> make_plain_stream(boost::asio::io_context& context, unique_fd socket);

}  // namespace mbusd
