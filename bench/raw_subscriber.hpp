// A WebSocket client that costs as little as one can: it speaks the native binding of docs/mbws.md,
// looks at the heads of frames, counts messages and acknowledges them.
//
//     raw_subscriber one{{.port = 8407, .token = token, .entity = "(app:x)", .window = 4096}};
//     while (one.read()) ...            // when its socket is readable
//
// Thread-safety: none. Faults are exceptions: a benchmark has no use for another answer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

struct subscription {
    std::uint16_t port = 0;     // of 127.0.0.1
    std::string token{};        // of a client
    std::string entity{};       // to attach; empty: none
    std::string session{};      // to resume; empty: a new one
    std::uint64_t received = 0; // by the session that is resumed
    std::uint32_t window = 256;
};

class raw_subscriber {
public:
    // Blocks until the session is open and the entity is attached.
    explicit raw_subscriber(const subscription& how);
    ~raw_subscriber();
    raw_subscriber(raw_subscriber&& other) noexcept;
    raw_subscriber& operator=(raw_subscriber&&) = delete;

    // Takes what is there; false at the end of the connection.
    bool read();
    // Reads until so many messages came altogether.
    void read_until(std::uint64_t messages);

    [[nodiscard]] int socket() const noexcept { return socket_; }
    [[nodiscard]] std::uint64_t messages() const noexcept { return messages_; }
    [[nodiscard]] std::uint64_t message_octets() const noexcept { return message_octets_; }  // on the wire
    [[nodiscard]] std::uint64_t missed() const noexcept { return missed_; }
    [[nodiscard]] const std::string& session() const noexcept { return session_; }
    [[nodiscard]] std::uint64_t received() const noexcept { return received_; }

private:
    void shake_hands(const subscription& how);
    void open_session(const subscription& how);
    void fill();
    std::size_t take(std::string_view octets);
    void handle(unsigned opcode, std::string_view frame);
    void acknowledge();
    void send(unsigned opcode, std::string_view frame) const;

    int socket_ = -1;
    std::uint32_t window_ = 0;
    bool opened_ = false;
    bool attached_ = false;
    std::string session_;
    std::uint64_t messages_ = 0;
    std::uint64_t message_octets_ = 0;
    std::uint64_t missed_ = 0;
    std::uint64_t received_ = 0;
    std::uint64_t acknowledged_ = 0;
    std::string begun_;  // a frame that is not whole yet
};

}  // namespace bench
