#include <doctest/doctest.h>

#include "http/exchange.hpp"
#include "http/field_text.hpp"
#include "http/response_text.hpp"

using namespace mbusd;

TEST_CASE("percent escapes are decoded, broken ones and NUL refused") {
    CHECK(http::percent_decoded("/a%20b%2Fc", false) == "/a b/c");
    CHECK(http::percent_decoded("a+b", true) == "a b");
    CHECK(http::percent_decoded("a+b", false) == "a+b");
    CHECK_FALSE(http::percent_decoded("/%", false));
    CHECK_FALSE(http::percent_decoded("/%4", false));
    CHECK_FALSE(http::percent_decoded("/%zz", false));
    CHECK_FALSE(http::percent_decoded("/%00", false));
}

TEST_CASE("a query is read into decoded pairs, in order") {
    const auto pairs = http::query_pairs("address=%28app%3Aui%29&x=1&&flag&x=two+words");
    REQUIRE(pairs);
    REQUIRE(pairs->size() == 4);
    CHECK((*pairs)[0].second == "(app:ui)");
    CHECK((*pairs)[2].first == "flag");
    CHECK((*pairs)[3].second == "two words");
}

TEST_CASE("a date has the form of RFC 9110, section 5.6.7") {
    CHECK(http::http_date(784111777) == "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST_CASE("the bearer token is found whatever the case of header and scheme") {
    http_request call;
    CHECK_FALSE(call.bearer());
    call.headers = {{"authorization", "bearer abc"}};
    CHECK(call.bearer() == "abc");
    call.headers = {{"Authorization", "Basic abc"}};
    CHECK_FALSE(call.bearer());
}

TEST_CASE("a header that is a list names its words whatever their case") {
    http_request call;
    call.headers = {{"Connection", "keep-alive, Upgrade"}, {"connection", "x"}};
    CHECK(call.header_lists("connection", "upgrade"));
    CHECK(call.header_lists("Connection", "X"));
    CHECK_FALSE(call.header_lists("Connection", "up"));
    CHECK(call.header("Connection") == "keep-alive, Upgrade, x");
}

TEST_CASE("errors are JSON unless text is asked for") {
    http_request call;
    CHECK(call.prefers_json());
    call.headers = {{"Accept", "*/*"}};
    CHECK(call.prefers_json());
    call.headers = {{"Accept", "text/html,application/xhtml+xml"}};
    CHECK_FALSE(call.prefers_json());
    CHECK(problem_response(true, 403, "forbidden", "say \"why\"").body == "{\"code\":\"forbidden\",\"text\":\"say \\\"why\\\"\"}\n");
    CHECK(problem_response(false, 403, "forbidden", "why").body == "why\n");
}

TEST_CASE("an error that repeats octets of the request is UTF-8 whatever they are (RFC 8259 s8.1)") {
    CHECK(problem_response(true, 403, "forbidden", "'\xff\xc3\xa9'").body == "{\"code\":\"forbidden\",\"text\":\"'\xEF\xBF\xBD\xc3\xa9'\"}\n");
    CHECK(problem_response(false, 403, "forbidden", "\xc3").body == "\xEF\xBF\xBD\n");
}

TEST_CASE("every status that is answered has its reason") {
    for (const int status : {200, 201, 202, 204, 304, 308, 400, 401, 403, 404, 405, 408, 409, 412, 413, 415, 422, 426, 429, 431, 500, 501, 502, 503, 504, 505}) {
        CAPTURE(status);
        CHECK(reason_phrase(status) != "Status");
    }
}

TEST_CASE("line ends in header values never reach the wire") {
    const auto head = response_head(http_response::plain(200, "").with("Location", "/a\r\nSet-Cookie: x"), {}, {.octets = 0});
    CHECK(head.find("\r\nSet-Cookie") == std::string::npos);
    CHECK(head.find("Location: /a  Set-Cookie: x\r\n") != std::string::npos);
}
