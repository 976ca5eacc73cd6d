// Cuts a stream of octets into WebSocket messages and control frames (RFC 6455, section 5).
//
//     message_reader reader{{.side = role::server, .message_octets_max = 1 << 20}};
//     reader.feed(octets);                       // must live until next() said `need_more`; is unmasked in place
//     received_message got;
//     while (reader.next(got) == message_reader::status::message) use(got);
//     if (reader.failed()) close(reader.failure());
//
// A message that stands whole in what was fed is shown there, not copied; of a message in several
// frames or pieces what came so far is kept. Text is checked as it comes. Control frames between the
// fragments of a message come out in their place. An idle reader holds no memory. After a close
// frame everything that follows is thrown away (s5.5.1).
// Thread-safety: none.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "websocket/frame.hpp"
#include "websocket/utf8_stream.hpp"

namespace mbus::websocket {

// A message of n octets may come in n fragments, but not in endlessly many empty ones.
inline constexpr std::uint32_t empty_fragments_max = 128;

struct reader_rules {
    role side = role::server;  // ours
    std::size_t message_octets_max = 1024 * 1024;
    bool extension = false;  // the opcodes 3 and B were negotiated
};

// A whole message or one control frame.
struct received_message {
    opcode what = opcode::binary;
    std::string_view payload{};              // of a close frame: the reason
    close_code code = close_code::none;      // of a close frame
    std::size_t first_frame_octets = 0;      // payload of the message's first frame (extension data, s9.1)
};

// Why a reader gave up: the code for our close frame and a sentence.
struct protocol_fault {
    close_code code = close_code::protocol_error;
    std::string text{};
};

class message_reader {
public:
    enum class status : std::uint8_t { message, need_more, failed };

    explicit message_reader(reader_rules rules) noexcept : rules_(rules) {}
    message_reader(const message_reader&) = delete;
    message_reader& operator=(const message_reader&) = delete;

    void set_message_octets_max(std::size_t octets) noexcept { rules_.message_octets_max = octets; }

    // What was fed before must be used up (need_more) or kept. The octets are changed by unmasking.
    // After a failure nothing is taken any more.
    void feed(std::span<char> octets);

    // The next message or control frame; its views are valid until the next call of anything here.
    status next(received_message& out);

    // Copies what next() has not looked at yet, so that the fed octets may go away.
    void keep();

    [[nodiscard]] bool failed() const noexcept { return wrong_ != nullptr; }
    [[nodiscard]] protocol_fault failure() const;
    // A close frame came.
    [[nodiscard]] bool closed() const noexcept { return closed_; }
    // Octets held of what is not complete yet (or was kept).
    [[nodiscard]] std::size_t held() const noexcept;

private:
    enum class progress : std::uint8_t { done, more, failed };

    void drop_used() noexcept;
    status refuse(close_code code, const char* wrong) noexcept;
    progress begin_frame();
    bool check_head(const char* first_two, std::size_t octets) noexcept;
    bool check_lengths(const frame_head& head) noexcept;
    std::span<char> take_payload() noexcept;
    status end_control(received_message& out, std::string_view payload);
    status read_control(received_message& out, std::span<char> piece);
    status read_data(received_message& out, std::span<char> piece);
    status end_close(received_message& out, std::string_view payload);

    reader_rules rules_;
    std::span<char> input_;  // fed or kept, not looked at
    std::string kept_;       // what keep() saved
    std::string message_;    // the fragments so far
    std::string control_;    // a control frame's payload so far

    std::array<char, head_octets_max> begun_{};  // a head that is cut
    std::uint8_t begun_octets_ = 0;
    bool in_frame_ = false;
    bool closed_ = false;
    bool used_message_ = false;  // next() showed message_
    bool used_control_ = false;
    bool in_message_ = false;
    opcode message_opcode_ = opcode::binary;
    utf8_stream utf8_;

    frame_head head_;            // of the frame that is being read
    std::uint64_t payload_at_ = 0;  // octets of it that came
    std::uint64_t first_frame_octets_ = 0;
    std::uint32_t empty_fragments_ = 0;

    close_code code_ = close_code::none;
    const char* wrong_ = nullptr;
    std::uint64_t refused_octets_ = 0;
};

}  // namespace mbus::websocket
