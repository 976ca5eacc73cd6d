#include <doctest/doctest.h>

#include <initializer_list>

#include <rapidcheck.h>

#include "http/request_reader.hpp"

using namespace mbusd;
using step = request_reader::step;

namespace {

struct outcome {
    step last = step::more;
    request_reader::head_view head;
    std::string body;
    request_reader::fault fault;
    std::size_t rest = 0;  // octets not used
};

// Reads one request that comes in pieces of `piece` octets.
outcome read(std::string_view text, std::size_t piece, std::size_t body_max = 1000) {
    request_reader reader;
    outcome out;
    std::string held;
    for (std::size_t at = 0; at < text.size();) {
        const auto part = std::min(piece, text.size() - at);
        held.append(text.substr(at, part));
        at += part;
        for (;;) {
            std::size_t used = 0;
            out.last = reader.feed(held, used);
            held.erase(0, used);
            if (out.last == step::head) {
                out.head = reader.take_head();
                if (reader.accept_body(body_max)) continue;
                out.fault = {413, ""};
                out.last = step::failed;
            } else if (out.last == step::done) {
                out.body = reader.take_body();
            } else if (out.last == step::failed) {
                out.fault = reader.failure();
            }
            break;
        }
        if (out.last == step::done || out.last == step::failed) {
            out.rest = held.size() + text.size() - at;
            return out;
        }
    }
    return out;
}

outcome read(std::string_view text) { return read(text, text.size()); }

}  // namespace

TEST_CASE("a request is read, what follows it is left") {
    const auto got = read("GET /a?b=c HTTP/1.1\r\nHost: localhost\r\n\r\nGET /next");
    CHECK(got.last == step::done);
    CHECK(got.head.method == "GET");
    CHECK(got.head.target == "/a?b=c");
    CHECK(got.head.keep_alive);
    CHECK_FALSE(got.head.has_body);
    REQUIRE(got.head.headers.size() == 1);
    CHECK(got.head.headers[0].value == "localhost");
    CHECK(got.rest == 9);
}

TEST_CASE("any division of the octets gives the same requests") {
    const std::string one = "POST /send HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";
    const std::string other =
        "POST /send HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nhel\r\n2\r\nlo\r\n0\r\nX-Trailer: y\r\n\r\n";
    rc::check("pieces of any size", [&] {
        const auto piece = *rc::gen::inRange<std::size_t>(1, 60);
        for (const auto& text : {one, other}) {
            const auto got = read(text, piece);
            RC_ASSERT(got.last == step::done);
            RC_ASSERT(got.body == "hello");
            RC_ASSERT(got.rest == 0U);
        }
    });
}

TEST_CASE("headers have at most 16 KiB, in one piece or octet by octet, as one field or as many") {
    const std::string one_field = "GET / HTTP/1.1\r\nX: " + std::string(header_octets_max, 'a') + "\r\n\r\n";
    std::string many_fields = "GET / HTTP/1.1\r\n";
    while (many_fields.size() <= header_octets_max) many_fields += "X-Some-Header: some value\r\n";
    for (const auto& text : {one_field, many_fields}) {
        for (const std::size_t piece : {text.size(), std::size_t{100}, std::size_t{4096}}) {
            const auto got = read(text, piece);
            CHECK(got.last == step::failed);
            CHECK(got.fault.status == 431);
        }
    }
    std::string fits = "GET / HTTP/1.1\r\nX: ";
    fits += std::string(header_octets_max - fits.size() - 4, 'a') + "\r\n\r\n";
    CHECK(fits.size() == header_octets_max);
    CHECK(read(fits).last == step::done);
}

TEST_CASE("a body is limited before it is read, a chunked one while it is read") {
    CHECK(read("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n").fault.status == 413);
    CHECK(read("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999\r\n\r\n").fault.status == 413);
    const std::string chunk = "190\r\n" + std::string(400, 'x') + "\r\n";
    const std::string head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    CHECK(read(head + chunk + chunk + "0\r\n\r\n").last == step::done);
    CHECK(read(head + chunk + chunk + chunk).fault.status == 413);
    CHECK(read(head + "fffffffff\r\n").fault.status == 413);
}

TEST_CASE("a chunk's header without end is refused") {
    const auto got = read("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;" + std::string(5000, 'a'), 100);
    CHECK(got.last == step::failed);
    CHECK(got.fault.status == 400);
}

TEST_CASE("what is no HTTP/1.1 is refused with what it is") {
    CHECK(read("GET / HTTP/2.0\r\n\r\n").fault.status == 505);
    CHECK(read("\x16\x03\x01\x02\r\n\r\n").fault.status == 400);
    CHECK(read("GET / HTTP/1.1\r\nNo colon\r\n\r\n").fault.status == 400);
    CHECK(read("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n").fault.status == 400);
    CHECK(read("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n").fault.status == 400);
    CHECK(read("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n").fault.status == 400);
}

TEST_CASE("what is behind a malformed request does not count as its headers") {
    const std::string behind(header_octets_max, 'x');
    CHECK(read("GET / HTTP/2.0\r\n\r\n" + behind).fault.status == 505);
    CHECK(read("GET / HTTP/1.1\r\nNo colon\r\n\r\n" + behind).fault.status == 400);
}

TEST_CASE("headers that end where the version should be are refused, however they come") {
    for (const auto piece : std::initializer_list<std::size_t>{1, 2, 3, 7, 100}) {
        CAPTURE(piece);
        CHECK(read("GET / x\r\n\r\n", piece).fault.status == 505);
        CHECK(read("GET /long/enough x\r\n\r\nGET / HTTP/1.1\r\n\r\n", piece).fault.status == 505);
        CHECK(read("GET / \r\n\r\n", piece).fault.status == 505);
    }
    CHECK(read("GET / x\r\n\r").last == step::more);
}

TEST_CASE("empty lines before a request are ignored, however they come, but not without end") {
    const std::string request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    for (const auto piece : std::initializer_list<std::size_t>{1, 2, 3, 100}) {
        CAPTURE(piece);
        CHECK(read("\r\n\r\n" + request, piece).last == step::done);
        CHECK(read("\r\n\r\n\r\n\r\n" + request, piece).last == step::done);
        CHECK(read("\r\n\r\n\r\n\r\n\r\n" + request, piece).fault.status == 400);
        CHECK(read("\r" + request, piece).fault.status == 400);
    }
}

TEST_CASE("keep-alive and Expect are told") {
    CHECK_FALSE(read("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").head.keep_alive);
    CHECK_FALSE(read("GET / HTTP/1.0\r\nHost: x\r\n\r\n").head.keep_alive);
    CHECK(read("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n").head.expects_continue);
}
