// Octets of a WebSocket client into the reader, the MBWS input and the broker, whole and in two pieces
// (RFC 6455; docs/mbws.md, section 8).
#include <memory>
#include <string>
#include <vector>

#include "fuzz.hpp"
#include "mbws/websocket_input.hpp"
#include "mbws/websocket_port.hpp"
#include "websocket/message_reader.hpp"

namespace {

using namespace mbus;

// The client masks with zeroes, so that what the fuzzer changes is what is read.
class quiet_port final : public mbws::websocket_port {
public:
    void wake() override {}
    void read_again() override {}
};

struct outcome {
    std::vector<std::string> messages;
    websocket::close_code code = websocket::close_code::none;
    bool operator==(const outcome&) const = default;
};

void read(websocket::message_reader& reader, std::string piece, outcome& found) {
    reader.feed(piece);
    websocket::received_message got;
    while (reader.next(got) == websocket::message_reader::status::message) {
        std::string message(1, static_cast<char>(got.what));
        found.messages.push_back(message.append(got.payload));
    }
    if (reader.failed()) found.code = reader.failure().code;
}

// Frames that arrive can be written again in their binding, and what is written can be read.
void answer(mbws::websocket_input& input, std::string octets, bool native) {
    input.feed(octets);
    mbws::frame_view frame;
    using status = mbws::websocket_input::status;
    for (auto got = input.next(frame); got != status::need_more && got != status::failed; got = input.next(frame)) {
        quiet_port port;
        if (got == status::ping) port.pong(input.payload());
        if (got == status::closed) port.answer_close(input.peer_code());
        if (got != status::frame) continue;
        std::string binary;
        fuzz::require(mbws::append_frame(binary, frame), "what is read can be written");
        const auto head = mbws::read_frame_head(binary.data());
        const std::string_view all{binary};
        port.set_binding(native ? mbws::binding::native : input.last_binding());
        port.append({head.verb, head.flags, head.number, {}, all.substr(16, head.header_octets - 16U),
                     all.substr(head.header_octets), nullptr});
        fuzz::require(port.waiting() > 0, "a frame is written");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    // The first octet: whether the extension is there, the second: where the stream is cut.
    const bool native = (data[0] & 1U) != 0;
    const auto octets = fuzz::text_of(data + 2, size - 2);
    const websocket::reader_rules rules{websocket::role::server, 4096, native};
    websocket::message_reader whole{rules};
    websocket::message_reader pieces{rules};
    outcome at_once;
    outcome in_two;
    read(whole, std::string{octets}, at_once);
    const std::size_t cut = octets.empty() ? 0 : data[1] % (octets.size() + 1);
    read(pieces, std::string{octets.substr(0, cut)}, in_two);
    read(pieces, std::string{octets.substr(cut)}, in_two);
    fuzz::require(at_once == in_two, "any split of the input gives the same messages");
    mbws::websocket_input input{{websocket::role::server, native, 4096}};
    answer(input, std::string{octets}, native);
    return 0;
}
