#include "http_answers.hpp"

#include <algorithm>
#include <charconv>

#include <boost/json/parse.hpp>

#include "fuzz.hpp"
#include "http/field_text.hpp"
#include "message/text.hpp"
#include "xml/reader.hpp"

namespace fuzz {
namespace {

constexpr std::string_view token_marks = "!#$%&'*+-.^_`|~";

bool is_token(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || token_marks.find(c) != std::string_view::npos;
    });
}

// RFC 9110, section 5.5.
bool is_field_value(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x20 ? c != 0x7f : c == '\t'; });
}

std::string_view take_line(std::string_view& from) {
    const auto end = from.find("\r\n");
    const auto out = from.substr(0, end);
    from.remove_prefix(std::min(from.size(), end + 2));
    return out;
}

// "HTTP/1.1 200 OK" (RFC 9112, section 4).
int status_in(std::string_view line) {
    require(line.starts_with("HTTP/1.1 ") && line.size() > 13 && line[12] == ' ', "an answer begins with a status line");
    int out = 0;
    const auto [end, fault] = std::from_chars(line.data() + 9, line.data() + 12, out);
    require(fault == std::errc{} && end == line.data() + 12 && out >= 100 && out < 600, "a status has three digits");
    require(is_field_value(line), "a reason is text");
    return out;
}

// What a body says of itself must be so.
void check_content(const http_answer& what) {
    const auto type = what.header("content-type");
    const auto essence = mbusd::http::lowered(std::string_view{type}.substr(0, type.find(';')));
    if (essence == "application/json" || essence.ends_with("+json")) {
        require(mbus::text::is_utf8(what.body), "JSON is UTF-8");
        boost::system::error_code wrong;
        boost::json::parse(what.body, wrong);
        require(!wrong, "a body of JSON is JSON");
    } else if (essence.ends_with("+xml") || essence == "application/xml") {
        // With room for what is added to entries that are as large as they may be.
        mbusd::xml::document_reader reader{
            {.octets = what.body.size(), .depth = 200, .attributes = 100'000, .elements = 100'000, .name_octets = 1 << 20}};
        require(reader.read(what.body).has_value(), "a body of XML is well-formed");
    } else if (essence.starts_with("text/")) {
        require(mbus::text::is_utf8(what.body), "text is UTF-8, as its type says");
    }
}

}  // namespace

std::string http_answer::header(std::string_view name) const {
    const auto found = std::ranges::find(headers, name, &std::pair<std::string, std::string>::first);
    return found == headers.end() ? std::string{} : found->second;
}

std::size_t http_answer::count(std::string_view name) const {
    return static_cast<std::size_t>(std::ranges::count(headers, name, &std::pair<std::string, std::string>::first));
}

std::optional<http_answer> answer_reader::next(bool head_only) {
    const auto end = rest_.find("\r\n\r\n");
    if (end == std::string_view::npos) return std::nullopt;
    auto head = rest_.substr(0, end + 2);
    http_answer out;
    out.status = status_in(take_line(head));
    while (!head.empty()) {
        const auto line = take_line(head);
        const auto colon = line.find(": ");
        require(colon != std::string_view::npos && is_token(line.substr(0, colon)), "a header has a name");
        const auto value = line.substr(colon + 2);
        require(is_field_value(value), "a header's value is text without controls");
        out.headers.emplace_back(mbusd::http::lowered(line.substr(0, colon)), std::string{value});
    }
    for (const auto* once : {"content-length", "content-type", "transfer-encoding", "date", "connection", "etag", "location"}) {
        require(out.count(once) <= 1, "a header that stands alone stands once");
    }
    const auto behind = rest_.substr(end + 4);
    if (out.status < 200) {
        require(out.header("content-length").empty() && out.header("transfer-encoding").empty(), "1xx has no body");
        rest_ = behind;
        return out;
    }
    require(out.count("date") == 1, "an answer has a date");
    const auto connection = out.header("connection");
    require(connection == "keep-alive" || connection == "close", "an answer says what becomes of the connection");
    out.closes = connection == "close";
    if (!read_body(out, behind, head_only)) return std::nullopt;
    if (!head_only && !out.open && out.status != 304) check_content(out);
    return out;
}

// RFC 9112, section 6.3.
bool answer_reader::read_body(http_answer& into, std::string_view text, bool head_only) {
    const bool chunked = into.count("transfer-encoding") == 1;
    const auto length = into.header("content-length");
    require(!chunked || (length.empty() && into.header("transfer-encoding") == "chunked"), "a body has one length");
    into.streamed = length.empty();
    if (into.status == 204 || into.status == 304) {
        require(length.empty() && !chunked, "204 and 304 have no body");
        rest_ = text;
        return true;
    }
    std::size_t octets = 0;
    if (!length.empty()) {
        const auto [end, fault] = std::from_chars(length.data(), length.data() + length.size(), octets);
        require(fault == std::errc{} && end == length.data() + length.size(), "Content-Length is a number");
    }
    if (head_only) {
        rest_ = text;
        return true;
    }
    if (chunked) return read_chunks(into, text);
    if (length.empty()) {
        require(into.closes, "a body without length ends with its connection");
        into.open = !over_;
        into.body = text;
        rest_ = {};
        return true;
    }
    if (text.size() < octets) return false;
    into.body = text.substr(0, octets);
    rest_ = text.substr(octets);
    return true;
}

// RFC 9112, section 7.1.
bool answer_reader::read_chunks(http_answer& into, std::string_view text) {
    for (;;) {
        const auto line_end = text.find("\r\n");
        if (line_end == std::string_view::npos) break;
        std::size_t octets = 0;
        const auto [end, fault] = std::from_chars(text.data(), text.data() + line_end, octets, 16);
        require(fault == std::errc{} && end == text.data() + line_end && line_end > 0, "a chunk begins with its size");
        const auto rest = text.substr(line_end + 2);
        if (rest.size() < octets + 2) break;
        require(rest.substr(octets, 2) == "\r\n", "a chunk has its size");
        into.body += rest.substr(0, octets);
        text = rest.substr(octets + 2);
        if (octets != 0) continue;
        rest_ = text;
        return true;
    }
    into.open = true;
    rest_ = {};
    return true;
}

}  // namespace fuzz
