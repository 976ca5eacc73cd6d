#include "websocket/handshake.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <span>

#include <openssl/evp.h>

#include "message/text.hpp"
#include "websocket/header_list.hpp"

namespace mbus::websocket {
namespace {

constexpr std::string_view accept_suffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455 s1.3
constexpr std::size_t key_characters = 24;
constexpr std::size_t sha1_octets = 20;
// Of a refusal's words, what an error message repeats.
constexpr std::size_t words_octets_max = 512;

// Nothing behind a line end: a value can't become two headers.
std::string_view one_line(std::string_view text) noexcept { return text.substr(0, text.find_first_of("\r\n")); }

std::string_view trim(std::string_view text) noexcept {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// Foreign words for a terminal: one line of printable text.
std::string printable(std::string_view words) {
    std::string made;
    for (const char each : trim(words).substr(0, words_octets_max)) {
        const auto octet = static_cast<unsigned char>(each);
        made += octet < 0x20 || octet == 0x7F ? ' ' : each;
    }
    return made;
}

}  // namespace

std::string accept_key(std::string_view client_key) {
    std::string text{client_key};
    text += accept_suffix;
    std::array<std::byte, sha1_octets> digest{};
    unsigned octets = 0;
    // SHA-1 is what RFC 6455 asks for; it proves that the answer is one to this request, nothing more.
    if (EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(digest.data()), &octets, EVP_sha1(),
                   nullptr) != 1 ||
        octets != digest.size()) {
        return {};
    }
    std::string accept;
    text::append_base64(accept, digest);
    return accept;
}

bool is_client_key(std::string_view key) noexcept {
    std::array<std::byte, key_characters / 4 * 3> octets{};
    return key.size() == key_characters && text::decode_base64_strictly(key, octets.data()) == 16;
}

client_handshake::client_handshake(handshake_wish wish, const handshake_nonce& nonce) : wish_(std::move(wish)) {
    std::string key;
    text::append_base64(key, std::as_bytes(std::span{nonce}));
    accept_ = accept_key(key);
    const auto line = [this](std::string_view name, std::string_view value) {
        request_.append(one_line(name)).append(": ").append(one_line(value)).append("\r\n");
    };
    request_.append("GET ").append(one_line(wish_.target)).append(" HTTP/1.1\r\n");
    line("Host", wish_.host);
    line("Upgrade", "websocket");
    line("Connection", "Upgrade");
    line("Sec-WebSocket-Version", "13");
    line("Sec-WebSocket-Key", key);
    if (!wish_.subprotocol.empty()) line("Sec-WebSocket-Protocol", wish_.subprotocol);
    if (!wish_.extension.empty()) line("Sec-WebSocket-Extensions", wish_.extension);
    for (const auto& [name, value] : wish_.headers) line(name, value);
    request_.append("\r\n");
    wish_.headers.clear();  // credentials are needed no longer
}

client_handshake::status client_handshake::fail(std::string text) {
    failure_ = std::move(text);
    input_.clear();
    return status_ = status::failed;
}

client_handshake::status client_handshake::receive(std::string_view octets) {
    if (status_ != status::need_more) return status_;
    input_.append(octets);
    if (!refused_) {
        const auto end = input_.find("\r\n\r\n");
        const std::size_t head = end == std::string::npos ? input_.size() : end + 4;
        if (head > response_head_octets_max) return fail("the server's answer has more than 16 KiB of headers");
        if (end == std::string::npos) return status::need_more;
        used_ = head;
        if (const status read = read_head(std::string_view{input_}.substr(0, end + 2)); read != status::need_more) {
            return read;
        }
    }
    return input_.size() - used_ >= body_octets_ ? refuse() : status::need_more;
}

void client_handshake::ended() {
    if (status_ != status::need_more) return;
    if (refused_) {
        refuse();
    } else {
        fail(input_.empty() ? "the server closed the connection without an answer"
                            : "the server closed the connection in the middle of its answer");
    }
}

// `head`: the lines, each with its CR LF. need_more: it is a refusal whose body follows.
client_handshake::status client_handshake::read_head(std::string_view head) {
    const auto next_line = [&head] {
        const auto end = head.find("\r\n");
        const std::string_view line = head.substr(0, end);
        head.remove_prefix(end + 2);
        return line;
    };
    const std::string_view first = next_line();
    const std::string_view code = first.size() >= 12 ? first.substr(9, 3) : std::string_view{};
    const auto read = std::from_chars(code.data(), code.data() + code.size(), http_status_);
    if (!first.starts_with("HTTP/1.1 ") || read.ec != std::errc{} || read.ptr != code.data() + code.size() ||
        (first.size() > 12 && first[12] != ' ')) {
        return fail("the server does not speak HTTP/1.1; check the address and whether it wants TLS (wss://)");
    }
    answer_fields fields;
    while (!head.empty()) {
        if (!read_field(next_line(), fields)) return fail("the server's answer has a header line without a name");
    }
    if (http_status_ == 101) return check(fields);
    refused_ = true;
    if (fields.body_length_known) body_octets_ = std::min(fields.body_octets, refusal_octets_max);
    failure_ = "HTTP " + printable(first.substr(9));
    return status::need_more;
}

bool client_handshake::read_field(std::string_view line, answer_fields& fields) {
    const auto colon = line.find(':');
    if (colon == 0 || colon == std::string_view::npos) return false;
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = trim(line.substr(colon + 1));
    if (same_letters(name, "Upgrade")) {
        fields.upgrade = same_letters(value, "websocket");
    } else if (same_letters(name, "Connection")) {
        fields.connection = fields.connection || list_has(value, "upgrade", letters::any_case);
    } else if (same_letters(name, "Sec-WebSocket-Accept")) {
        fields.accept = value == accept_;
    } else if (same_letters(name, "Sec-WebSocket-Protocol")) {
        fields.subprotocol = value;
    } else if (same_letters(name, "Sec-WebSocket-Extensions")) {
        fields.extensions = value;
    } else if (same_letters(name, "Content-Length")) {
        const auto read = std::from_chars(value.data(), value.data() + value.size(), fields.body_octets);
        fields.body_length_known = read.ec == std::errc{};
    }
    return true;
}

// RFC 6455 s4.1, what the client must check.
client_handshake::status client_handshake::check(const answer_fields& fields) {
    if (!fields.upgrade || !fields.connection) {
        return fail("the server's answer lacks Upgrade: websocket or Connection: Upgrade; is a proxy in between?");
    }
    if (!fields.accept) return fail("the server's Sec-WebSocket-Accept is no answer to this request");
    if (fields.subprotocol != wish_.subprotocol) {
        return fail(fields.subprotocol.empty()
                        ? "the server does not speak the subprotocol " + wish_.subprotocol
                        : "the server chose a subprotocol that was not offered: " + printable(fields.subprotocol));
    }
    if (!fields.extensions.empty()) {
        if (wish_.extension.empty() || !same_letters(fields.extensions, wish_.extension)) {
            return fail("the server chose an extension that was not offered: " + printable(fields.extensions));
        }
        extension_accepted_ = true;
    }
    return status_ = status::done;
}

client_handshake::status client_handshake::refuse() {
    const std::string words = printable(std::string_view{input_}.substr(used_, body_octets_));
    return fail(failure_ + (words.empty() ? "" : ": " + words));
}

}  // namespace mbus::websocket
