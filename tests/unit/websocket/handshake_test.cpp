// The opening handshake (RFC 6455, section 4).
#include <doctest/doctest.h>

#include <string>

#include "websocket/handshake.hpp"
#include "websocket/header_list.hpp"

namespace mbus::websocket {
namespace {

using status = client_handshake::status;

// "the sample nonce" of RFC 6455 s1.3
constexpr handshake_nonce sample{'t', 'h', 'e', ' ', 's', 'a', 'm', 'p', 'l', 'e', ' ', 'n', 'o', 'n', 'c', 'e'};

client_handshake opening() {
    return client_handshake{{.host = "localhost:8407", .target = "/mbws", .subprotocol = "mbws", .extension = "mbws",
                             .headers = {{"Authorization", "Bearer t"}}},
                            sample};
}

std::string answer(const std::string& more = "Sec-WebSocket-Protocol: mbws\r\n") {
    return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n"
           "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" +
           more + "\r\n";
}

std::string refusal_of(const std::string& octets) {
    auto client = opening();
    if (client.receive(octets) == status::need_more) client.ended();
    return client.failure();
}

}  // namespace

TEST_CASE("the accept key is that of the RFC's example (s1.3)") {
    CHECK(accept_key("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST_CASE("a client's key is Base64 of 16 octets (s4.2.1)") {
    CHECK(is_client_key("dGhlIHNhbXBsZSBub25jZQ=="));
    CHECK_FALSE(is_client_key(""));
    CHECK_FALSE(is_client_key("dGhlIHNhbXBsZSBub25j"));
    CHECK_FALSE(is_client_key("dGhlIHNhbXBsZSBub25jZSE="));
    CHECK_FALSE(is_client_key("dGhlIHNhbXBsZSBub25jZ*=="));
}

TEST_CASE("the request says what a client must say (s4.1)") {
    CHECK(opening().request() ==
          "GET /mbws HTTP/1.1\r\nHost: localhost:8407\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
          "Sec-WebSocket-Protocol: mbws\r\nSec-WebSocket-Extensions: mbws\r\nAuthorization: Bearer t\r\n\r\n");
}

TEST_CASE("a line end in a value adds no header") {
    const client_handshake client{{.host = "a\r\nEvil: yes", .headers = {{"X", "1\nY: 2"}}}, sample};
    CHECK(client.request().find("Evil") == std::string::npos);
    CHECK(client.request().find("Y: 2") == std::string::npos);
}

TEST_CASE("given the right answer in any pieces then what follows it is left over") {
    const std::string octets = answer("Sec-WebSocket-Protocol: mbws\r\nSec-WebSocket-Extensions: mbws\r\n") + "more";
    for (std::size_t cut = 0; cut < octets.size() - 4; ++cut) {
        auto client = opening();
        REQUIRE(client.receive(octets.substr(0, cut)) == status::need_more);
        REQUIRE(client.receive(octets.substr(cut)) == status::done);
        REQUIRE(client.leftover() == "more");
        REQUIRE(client.extension_accepted());
    }
}

TEST_CASE("the extension may be declined") {
    auto client = opening();
    CHECK(client.receive(answer()) == status::done);
    CHECK_FALSE(client.extension_accepted());
    CHECK(client.leftover().empty());
}

TEST_CASE("an answer that proves nothing is refused (s4.1)") {
    const auto without = [](std::string text, const std::string& what) {
        text.erase(text.find(what), what.size());
        return text;
    };
    CHECK(refusal_of(without(answer(), "Upgrade: WebSocket\r\n")).find("Upgrade") != std::string::npos);
    CHECK(refusal_of(without(answer(), "Connection: keep-alive, Upgrade\r\n")).find("proxy") != std::string::npos);
    CHECK(refusal_of(without(answer(), "s3pP")).find("Accept") != std::string::npos);
    CHECK(refusal_of(answer("")).find("subprotocol mbws") != std::string::npos);
    CHECK(refusal_of(answer("Sec-WebSocket-Protocol: other\r\n")).find("other") != std::string::npos);
    CHECK(refusal_of(answer("Sec-WebSocket-Protocol: mbws\r\nSec-WebSocket-Extensions: permessage-deflate\r\n"))
              .find("permessage-deflate") != std::string::npos);
}

TEST_CASE("a refusal is told with its status and the server's words") {
    auto client = opening();
    CHECK(client.receive("HTTP/1.1 401 Unauthorized\r\nContent-Length: 11\r\n\r\nmake") == status::need_more);
    CHECK(client.receive(" a token") == status::failed);
    CHECK(client.failure() == "HTTP 401 Unauthorized: make a toke");
    CHECK(client.http_status() == 401);
    CHECK(refusal_of("HTTP/1.1 503 Busy\r\n\r\ntry\nlater\n") == "HTTP 503 Busy: try later");
    CHECK(refusal_of("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n") == "HTTP 404 Not Found");
}

TEST_CASE("what is no HTTP, or endless, is refused") {
    CHECK(refusal_of("SSH-2.0-OpenSSH\r\n\r\n").find("HTTP") != std::string::npos);
    CHECK(refusal_of("HTTP/1.1 x01 Oops\r\n\r\n").find("HTTP") != std::string::npos);
    CHECK(refusal_of("").find("without an answer") != std::string::npos);
    CHECK(refusal_of("HTTP/1.1 101 Sw").find("in the middle") != std::string::npos);
    CHECK(refusal_of("HTTP/1.1 200 OK\r\nX: " + std::string(17000, 'x')).find("16 KiB") != std::string::npos);
    CHECK(refusal_of("HTTP/1.1 101 S\r\nnonsense\r\n\r\n").find("header line") != std::string::npos);
}

TEST_CASE("lists in headers are taken apart") {
    CHECK(list_has("a, mbws ,b", "mbws", letters::exact));
    CHECK_FALSE(list_has("a, MBWS", "mbws", letters::exact));
    CHECK(list_has("keep-alive, UPGRADE", "upgrade", letters::any_case));
    CHECK_FALSE(list_has("", "mbws", letters::exact));
    CHECK(offers_extension("permessage-deflate; client_max_window_bits, mbws", "mbws"));
    CHECK_FALSE(offers_extension("mbws; x=1", "mbws"));
}

}  // namespace mbus::websocket
