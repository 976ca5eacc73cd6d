// The opening handshake of WebSocket (RFC 6455, section 4): the answer to a key, and the client's
// side of it.
//
//     client_handshake opening{{.host = "localhost:8407", .target = "/mbws", .subprotocol = "mbws"}, nonce};
//     socket.write(opening.request());
//     switch (opening.receive(octets)) ...       // done: go on with opening.leftover()
//
// Sans-I/O: the 16 random octets of the nonce come from the caller. Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mbus::websocket {

// Headers of an answer, status line included.
inline constexpr std::size_t response_head_octets_max = 16 * 1024;
// What is read of a refusal's body, to say why.
inline constexpr std::size_t refusal_octets_max = 4 * 1024;

using handshake_nonce = std::array<std::uint8_t, 16>;

// Sec-WebSocket-Accept for a Sec-WebSocket-Key (s4.2.2).
[[nodiscard]] std::string accept_key(std::string_view client_key);
// True for a Sec-WebSocket-Key: Base64 of 16 octets.
[[nodiscard]] bool is_client_key(std::string_view key) noexcept;

struct handshake_wish {
    std::string host{};                                          // with the port, if it is not the default
    std::string target = "/";                                    // path and query
    std::string subprotocol{};                                   // the answer must name it
    std::string extension{};                                     // offered without parameters; may be declined
    std::vector<std::pair<std::string, std::string>> headers{};  // more of them: Authorization, Origin, ...
};

class client_handshake {
public:
    enum class status : std::uint8_t { need_more, done, failed };

    // Text in `wish` with a line end in it is cut there, so that nothing can add a header.
    client_handshake(handshake_wish wish, const handshake_nonce& nonce);

    [[nodiscard]] const std::string& request() const noexcept { return request_; }

    // Octets of the answer.
    status receive(std::string_view octets);
    // The connection ended before the answer was complete.
    void ended();

    // Valid after `done`: what came behind the answer belongs to the WebSocket.
    [[nodiscard]] std::string_view leftover() const noexcept { return std::string_view{input_}.substr(used_); }
    [[nodiscard]] bool extension_accepted() const noexcept { return extension_accepted_; }

    // Valid after `failed`: a sentence, with the server's own words; and its status, 0 if none came.
    [[nodiscard]] const std::string& failure() const noexcept { return failure_; }
    [[nodiscard]] int http_status() const noexcept { return http_status_; }

private:
    struct answer_fields {
        bool upgrade = false;
        bool connection = false;
        bool accept = false;
        bool body_length_known = false;
        std::size_t body_octets = 0;
        std::string_view subprotocol{};
        std::string_view extensions{};
    };

    status fail(std::string text);
    status read_head(std::string_view head);
    bool read_field(std::string_view line, answer_fields& fields);
    status check(const answer_fields& fields);
    status refuse();

    handshake_wish wish_;
    std::string request_;
    std::string accept_;
    std::string input_;
    std::size_t used_ = 0;
    status status_ = status::need_more;
    bool refused_ = false;  // another status than 101: its body follows
    std::size_t body_octets_ = refusal_octets_max;
    bool extension_accepted_ = false;
    int http_status_ = 0;
    std::string failure_;
};

}  // namespace mbus::websocket
