// Whatever a peer sends, and however it is cut, the same comes out.
#include "frames.hpp"

#include <rapidcheck.h>

namespace mbus::websocket {

using namespace testing;

namespace {

struct script {
    std::string octets;
    std::vector<seen> expected;
};

// Evenly, for small cases too.
template <class Number>
Number anywhere(Number from, Number end) {
    return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange<Number>(from, end));
}

std::string some_octets(std::size_t octets_max) {
    return *rc::gen::resize(static_cast<int>(octets_max), rc::gen::container<std::string>(rc::gen::arbitrary<char>()));
}

std::string some_text() {
    std::string text;
    for (const int which : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 4))) {
        constexpr std::array<const char*, 4> characters{"a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x8e\xb5"};
        text += characters[static_cast<std::size_t>(which)];
    }
    return text;
}

mask_key some_mask() {
    const auto bits = *rc::gen::arbitrary<std::uint32_t>();
    mask_key mask{};
    for (std::size_t i = 0; i < mask.size(); ++i) mask[i] = static_cast<char>(bits >> 8 * i);
    return mask;
}

void append_control(script& made, bool masked) {
    const auto what = *rc::gen::element(opcode::ping, opcode::pong, opcode::extension_control);
    const std::string payload = some_octets(100).substr(0, control_octets_max);
    made.octets += frame(what, true, payload, masked ? std::optional{some_mask()} : std::nullopt);
    made.expected.push_back({what, payload, close_code::none, payload.size()});
}

// A message in any number of fragments with control frames between them.
void append_message(script& made, bool masked) {
    const auto what = *rc::gen::element(opcode::text, opcode::binary, opcode::extension_data);
    const std::string content = what == opcode::text ? some_text() : some_octets(400);
    std::string rest = content;
    opcode code = what;
    std::optional<std::size_t> first;
    for (int fragments = 1;; ++fragments) {
        const bool enough = fragments == 10;
        const auto cut = enough ? rest.size() : anywhere<std::size_t>(0, rest.size() + 1);
        const bool last = enough || (cut == rest.size() && anywhere(0, 3) == 0);
        made.octets += frame(code, last, rest.substr(0, cut), masked ? std::optional{some_mask()} : std::nullopt);
        if (!first) first = cut;
        code = opcode::continuation;
        rest.erase(0, cut);
        if (last) break;
        if (anywhere(0, 3) == 0) append_control(made, masked);
    }
    made.expected.push_back({what, content, close_code::none, *first});
}

script some_script(bool masked) {
    script made;
    const int messages = *rc::gen::inRange(1, 6);
    for (int i = 0; i < messages; ++i) {
        if (*rc::gen::arbitrary<bool>()) {
            append_message(made, masked);
        } else {
            append_control(made, masked);
        }
    }
    return made;
}

std::vector<seen> read_in_pieces(message_reader& reader, const std::string& octets) {
    std::vector<seen> found;
    for (std::size_t at = 0; at < octets.size();) {
        const auto count = anywhere<std::size_t>(1, std::min<std::size_t>(octets.size() - at, 200) + 1);
        read(reader, octets.substr(at, count), found);
        at += count;
    }
    return found;
}

}  // namespace

TEST_CASE("any split of the input gives the same messages, from clients and from servers") {
    for (const bool masked : {true, false}) {
        CHECK(rc::check("any split", [masked] {
            const script made = some_script(masked);
            const reader_rules rules{masked ? role::server : role::client, 1 << 20, true};
            message_reader whole{rules};
            const auto at_once = read(whole, made.octets);
            message_reader pieces{rules};
            const auto bit_by_bit = read_in_pieces(pieces, made.octets);
            RC_ASSERT(!whole.failed());
            RC_ASSERT(!pieces.failed());
            RC_ASSERT(at_once == made.expected);
            RC_ASSERT(bit_by_bit == made.expected);
            RC_ASSERT(pieces.held() == 0U);
        }));
    }
}

TEST_CASE("keeping the rest between two messages changes nothing") {
    CHECK(rc::check("keep", [] {
        const script made = some_script(true);
        message_reader reader{{role::server, 1 << 20, true}};
        std::vector<seen> found;
        std::string octets = made.octets;
        reader.feed(octets);
        received_message got;
        while (reader.next(got) == message_reader::status::message) {
            found.push_back({got.what, std::string{got.payload}, got.code, got.first_frame_octets});
            if (*rc::gen::arbitrary<bool>()) {
                reader.keep();
                octets.assign(octets.size(), 'x');
            }
        }
        RC_ASSERT(found == made.expected);
    }));
}

TEST_CASE("nonsense is refused in the same way however it is cut") {
    CHECK(rc::check("nonsense", [] {
        script made = some_script(true);
        const std::size_t at = anywhere<std::size_t>(0, made.octets.size());
        made.octets[at] = *rc::gen::arbitrary<char>();
        const reader_rules rules{role::server, 4096, *rc::gen::arbitrary<bool>()};
        message_reader whole{rules};
        const auto at_once = read(whole, made.octets);
        message_reader pieces{rules};
        const auto bit_by_bit = read_in_pieces(pieces, made.octets);
        RC_ASSERT(at_once == bit_by_bit);
        RC_ASSERT(whole.failed() == pieces.failed());
        if (whole.failed()) RC_ASSERT(whole.failure().code == pieces.failure().code);
    }));
}

}  // namespace mbus::websocket
