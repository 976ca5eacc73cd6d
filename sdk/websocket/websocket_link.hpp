// The way to the daemon over WebSocket: the native binding of docs/mbws.md, section 8, or the binary
// one where the daemon or something in between declines the extension. Above it nothing differs from
// the Unix socket: MBWS frames go in and come out, back to back.
//
// open() begins; connecting, TLS and WebSocket's handshake go on inside read().
//
// Thread-safety: none.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mbus/connection.hpp>

#include "link.hpp"
#include "mbws/websocket_input.hpp"
#include "mbws/websocket_output.hpp"
#include "poll_set.hpp"
#include "transport.hpp"
#include "url.hpp"
#include "websocket/handshake.hpp"

namespace mbus::detail {

// Connecting, TLS and the handshake together.
inline constexpr std::chrono::seconds opening_limit{15};
// docs/mbws.md s7: either side gives a connection up that was silent for so long.
inline constexpr std::chrono::seconds websocket_silence_max{60};

// Mask keys from the system's random numbers (RFC 6455 s5.3), a block of them at a time.
class random_masks final : public websocket::mask_source {
public:
    websocket::mask_key next() override;

private:
    std::array<char, 512> octets_{};
    std::size_t used_ = sizeof octets_;
};

class websocket_link final : public link {
public:
    explicit websocket_link(const connect_options& options);
    websocket_link(const websocket_link&) = delete;
    websocket_link& operator=(const websocket_link&) = delete;
    ~websocket_link() override { close(); }

    [[nodiscard]] clock::time_point now() override { return clock::now(); }
    [[nodiscard]] std::uint64_t random() override;
    result<void> open() override;
    void close() noexcept override;
    io_outcome read(std::span<char> into) override;
    io_outcome write(std::string_view frames) override;
    [[nodiscard]] link_fault fault() const override { return fault_; }
    [[nodiscard]] std::size_t waiting() const override { return out_ ? out_->waiting() : 0; }
    [[nodiscard]] clock::time_point deadline() const override;
    [[nodiscard]] std::chrono::seconds silence_max() const override { return websocket_silence_max; }
    void watch_output(bool wanted) override;
    void wait(clock::time_point until) override { polls_.wait(clock::now(), until); }
    [[nodiscard]] int fd() override { return polls_.fd(); }
    void wake_at(clock::time_point when) override { polls_.wake_at(when); }

private:
    enum class phase : std::uint8_t { closed, connecting, asking, open, broken };

    result<std::string> token() const;
    io_outcome broken(error why, bool final = false);
    void advance();
    void ask();
    void hear(std::string_view answer);
    void refused();
    bool flush();
    bool next_frame();
    bool read_more();
    void take_close();
    void take_fault();

    // The URL, or why it is none.
    result<websocket_url> where_;
    std::uint32_t window_;
    std::string token_;
    std::string token_file_;
    std::string ca_file_;

    poll_set polls_;
    transport way_{polls_};
    random_masks masks_;
    std::optional<mbws::websocket_output> out_;  // while open
    std::optional<mbws::websocket_input> in_;

    phase phase_ = phase::closed;
    clock::time_point opening_ends_ = never;
    std::string request_;                                     // what of it is not written
    std::optional<websocket::client_handshake> handshake_;    // while asking
    std::vector<char> input_;                                 // octets that in_ works on
    mbws::frame_view decoded_;                                // by in_, reused
    std::string recoded_;                                     // the binary form of a text frame
    std::string_view frame_;                                  // what of the frame in hand is not handed on
    bool more_input_ = false;                                 // the last read() stopped for want of room
    bool output_wanted_ = false;
    link_fault fault_;
};

}  // namespace mbus::detail
