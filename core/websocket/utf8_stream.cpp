#include "websocket/utf8_stream.hpp"

#include <algorithm>

#include "message/text.hpp"

namespace mbus::websocket {
namespace {

// Octets of the character that begins with `lead`; 0 for an octet that begins none.
std::size_t length_of(char lead) noexcept {
    const auto octet = static_cast<unsigned char>(lead);
    if (octet < 0x80) return 1;
    if (octet < 0xC2 || octet > 0xF4) return 0;
    return octet < 0xE0 ? 2 : octet < 0xF0 ? 3 : 4;
}

// True when octets may follow so that a character results. From the third on any continuation octet
// will do, so trying one is enough.
bool may_continue(std::string_view begun) noexcept {
    const std::size_t length = length_of(begun.front());
    if (begun.size() == 1) return length > 1;
    std::array<char, 4> tried{};
    tried.fill(static_cast<char>(0x80));
    std::copy(begun.begin(), begun.end(), tried.begin());
    return text::utf8_sequence(tried.data(), tried.data() + tried.size()) == length;
}

// Where the character begins that the end of `text` may have cut.
std::size_t cut_character(std::string_view text) noexcept {
    for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
        const auto octet = static_cast<unsigned char>(text[text.size() - back]);
        if (octet < 0x80) break;
        if (octet >= 0xC0) return length_of(static_cast<char>(octet)) > back ? text.size() - back : text.size();
    }
    return text.size();
}

}  // namespace

bool utf8_stream::feed(std::string_view piece) noexcept {
    while (count_ > 0 && !piece.empty()) {
        std::array<char, 4> character{};
        std::copy_n(begun_.begin(), count_, character.begin());
        character[count_] = piece.front();
        piece.remove_prefix(1);
        const std::size_t have = count_ + std::size_t{1};
        if (have == length_of(character.front())) {
            if (text::utf8_sequence(character.data(), character.data() + have) == 0) return false;
            count_ = 0;
        } else {
            if (!may_continue({character.data(), have})) return false;
            begun_[count_++] = character[have - 1];
        }
    }
    const std::size_t whole = cut_character(piece);
    if (!text::is_utf8(piece.substr(0, whole))) return false;
    const std::string_view rest = piece.substr(whole);
    if (rest.empty()) return true;
    std::copy(rest.begin(), rest.end(), begun_.begin());
    count_ = static_cast<std::uint8_t>(rest.size());
    return may_continue(rest);
}

}  // namespace mbus::websocket
