// A WebSocket without a socket: a port whose octets an input of the other side reads.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "mbws/websocket_input.hpp"
#include "mbws/websocket_output.hpp"
#include "mbws/websocket_port.hpp"

namespace mbus::mbws::testing {

inline constexpr std::size_t all_octets = static_cast<std::size_t>(-1);

// Not random, but never the same twice.
class counting_masks final : public websocket::mask_source {
public:
    websocket::mask_key next() override {
        state_ = state_ * 2654435761U + 12345U;
        websocket::mask_key mask{};
        for (std::size_t i = 0; i < mask.size(); ++i) mask[i] = static_cast<char>(state_ >> 8 * i);
        return mask;
    }

private:
    std::uint32_t state_ = 1;
};

template <class Port>
std::string take(Port& port, std::size_t octets_max = all_octets) {
    std::string all;
    while (port.waiting() > 0 && octets_max > 0) {
        std::array<octet_span, 3> spans;
        const std::size_t count = port.gather(spans);
        std::size_t taken = 0;
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t part = std::min(spans[i].size, octets_max - taken);
            all.append(spans[i].data, part);
            taken += part;
        }
        octets_max -= taken;
        port.consumed(taken);
        if (taken == 0) break;
    }
    return all;
}

class plain_websocket_port final : public websocket_port {
public:
    explicit plain_websocket_port(binding which, websocket::mask_source* masks = nullptr) : websocket_port(masks) {
        set_binding(which);
    }
    void wake() override { ++wakes; }
    void read_again() override {}
    int wakes = 0;
};

// What came through an input, with octets of its own.
struct arrived {
    websocket_input::status what = websocket_input::status::frame;
    binding how = binding::binary;
    std::string octets{};  // a frame in the binary form; else the payload
    websocket::close_code code = websocket::close_code::none;
    bool operator==(const arrived&) const = default;

    [[nodiscard]] frame_view frame() const {
        frame_view view;
        REQUIRE(decode_frame(octets, view) == nullptr);
        return view;
    }
};

inline std::ostream& operator<<(std::ostream& out, const arrived& what) {
    return out << "{" << static_cast<int>(what.what) << " " << what.octets.size() << " octets}";
}

inline std::string binary(const frame_view& frame) {
    std::string octets;
    REQUIRE(append_frame(octets, frame));
    return octets;
}

inline void read(websocket_input& input, std::string octets, std::vector<arrived>& found) {
    input.feed(octets);
    frame_view frame;
    while (true) {
        const auto status = input.next(frame);
        if (status == websocket_input::status::need_more || status == websocket_input::status::failed) return;
        if (status == websocket_input::status::frame) {
            found.push_back({status, input.last_binding(), binary(frame), websocket::close_code::none});
        } else {
            found.push_back({status, binding::binary, std::string{input.payload()}, input.peer_code()});
        }
    }
}

inline std::vector<arrived> read(websocket_input& input, const std::string& octets) {
    std::vector<arrived> found;
    read(input, octets, found);
    return found;
}

// One masked frame of a client.
inline std::string client_frame(websocket::opcode what, bool last, std::string_view payload) {
    std::string made(websocket::head_octets_max, '\0');
    const websocket::mask_key mask{1, 2, 3, 4};
    made.resize(websocket::write_head(made.data(), {what, last, 0, payload.size(), mask}));
    const auto start = made.size();
    made.append(payload);
    websocket::apply_mask(made.data() + start, payload.size(), mask);
    return made;
}

inline frame_view message(std::uint64_t number, std::string_view body) {
    frame_view frame;
    frame.verb = verb::message;
    frame.number = number;
    frame.set(key::to, "(app:player)");
    frame.body = body;
    return frame;
}

inline frame_view plain(verb which, std::uint64_t number = 0) {
    frame_view frame;
    frame.verb = which;
    frame.number = number;
    return frame;
}

}  // namespace mbus::mbws::testing
