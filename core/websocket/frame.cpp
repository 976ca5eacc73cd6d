#include "websocket/frame.hpp"

#include <cstring>

#include "message/text.hpp"

namespace mbus::websocket {
namespace {

constexpr unsigned final_bit = 0x80;
constexpr unsigned mask_bit = 0x80;
constexpr unsigned length_of_two = 126;
constexpr unsigned length_of_eight = 127;

unsigned octet_at(const char* octets, std::size_t at) noexcept { return static_cast<unsigned char>(octets[at]); }

std::uint64_t read_integer(const char* octets, std::size_t count) noexcept {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < count; ++i) value = value << 8U | octet_at(octets, i);
    return value;
}

void write_integer(char* octets, std::size_t count, std::uint64_t value) noexcept {
    for (std::size_t i = count; i-- > 0; value >>= 8U) octets[i] = static_cast<char>(value & 0xFFU);
}

// Octets of the length behind the first two.
std::size_t length_octets(const char* first_two) noexcept {
    const unsigned length = octet_at(first_two, 1) & 0x7FU;
    return length == length_of_two ? 2 : length == length_of_eight ? 8 : 0;
}

}  // namespace

std::size_t head_octets(const char* first_two) noexcept {
    return 2 + length_octets(first_two) + ((octet_at(first_two, 1) & mask_bit) != 0 ? 4U : 0U);
}

frame_head read_head(const char* octets) noexcept {
    frame_head head;
    const unsigned first = octet_at(octets, 0);
    head.what = static_cast<opcode>(first & 0x0FU);
    head.last = (first & final_bit) != 0;
    head.reserved = static_cast<std::uint8_t>(first & 0x70U);
    const std::size_t more = length_octets(octets);
    head.payload = more == 0 ? octet_at(octets, 1) & 0x7FU : read_integer(octets + 2, more);
    if ((octet_at(octets, 1) & mask_bit) != 0) {
        mask_key mask{};
        std::memcpy(mask.data(), octets + 2 + more, mask.size());
        head.mask = mask;
    }
    return head;
}

bool is_minimal(const char* head) noexcept {
    const std::size_t more = length_octets(head);
    if (more == 0) return true;
    const std::uint64_t length = read_integer(head + 2, more);
    return more == 2 ? length > control_octets_max : length > 0xFFFF && length >> 63U == 0;
}

std::size_t write_head(char* out, const frame_head& head) noexcept {
    out[0] = static_cast<char>((head.last ? final_bit : 0U) | head.reserved | static_cast<unsigned>(head.what));
    const unsigned masked = head.mask ? mask_bit : 0U;
    std::size_t used = 2;
    if (head.payload <= control_octets_max) {
        out[1] = static_cast<char>(masked | static_cast<unsigned>(head.payload));
    } else if (head.payload <= 0xFFFF) {
        out[1] = static_cast<char>(masked | length_of_two);
        write_integer(out + 2, 2, head.payload);
        used = 4;
    } else {
        out[1] = static_cast<char>(masked | length_of_eight);
        write_integer(out + 2, 8, head.payload);
        used = 10;
    }
    if (head.mask) {
        std::memcpy(out + used, head.mask->data(), head.mask->size());
        used += head.mask->size();
    }
    return used;
}

// Eight octets at a time from wherever the payload begins; the key is turned instead of the data.
void apply_mask(char* octets, std::size_t count, mask_key mask, std::size_t at) noexcept {
    std::array<char, 8> turned{};
    for (std::size_t i = 0; i < turned.size(); ++i) turned[i] = mask[(at + i) % mask.size()];
    std::uint64_t key = 0;
    std::memcpy(&key, turned.data(), sizeof key);
    std::size_t i = 0;
    for (; i + sizeof key <= count; i += sizeof key) {
        std::uint64_t eight = 0;
        std::memcpy(&eight, octets + i, sizeof eight);
        eight ^= key;
        std::memcpy(octets + i, &eight, sizeof eight);
    }
    for (std::size_t k = 0; i < count; ++i, ++k) octets[i] = static_cast<char>(octets[i] ^ turned[k]);
}

void append_frame(std::string& out, opcode what, std::string_view payload, std::optional<mask_key> mask) {
    std::array<char, head_octets_max> head{};
    const auto used = write_head(head.data(), {what, true, 0, payload.size(), mask});
    out.append(head.data(), used).append(payload);
    if (mask) apply_mask(out.data() + out.size() - payload.size(), payload.size(), *mask);
}

std::string close_payload(close_code code, std::string_view reason) {
    std::string made;
    if (code == close_code::none) return made;
    const auto number = static_cast<unsigned>(code);
    made += static_cast<char>(number >> 8U);
    made += static_cast<char>(number & 0xFFU);
    std::size_t used = 0;
    while (used < reason.size()) {
        const std::size_t next = text::utf8_sequence(reason, used);
        if (next == 0 || used + next > close_reason_octets_max) break;
        used += next;
    }
    made.append(reason.substr(0, used));
    return made;
}

bool may_be_sent(std::uint16_t code) noexcept {
    if (code >= 3000 && code <= 4999) return true;
    return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
}

}  // namespace mbus::websocket
