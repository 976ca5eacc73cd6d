#include "http/response_text.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "http/field_text.hpp"

namespace mbusd {
namespace {

void add_field(std::string& to, std::string_view name, std::string_view value) {
    to.append(name).append(": ");
    const auto begin = to.size();
    to.append(value);
    std::replace_if(to.begin() + static_cast<std::ptrdiff_t>(begin), to.end(),
                    [](char c) { return c == '\r' || c == '\n' || c == '\0'; }, ' ');
    to += "\r\n";
}

}  // namespace

std::string_view reason_phrase(int status) noexcept {
    static constexpr std::array<std::pair<int, std::string_view>, 30> known{{
        {200, "OK"}, {201, "Created"}, {202, "Accepted"}, {204, "No Content"}, {301, "Moved Permanently"},
        {302, "Found"}, {303, "See Other"}, {304, "Not Modified"}, {307, "Temporary Redirect"},
        {308, "Permanent Redirect"}, {400, "Bad Request"}, {401, "Unauthorized"}, {403, "Forbidden"},
        {404, "Not Found"}, {405, "Method Not Allowed"}, {406, "Not Acceptable"}, {408, "Request Timeout"},
        {409, "Conflict"}, {412, "Precondition Failed"}, {413, "Content Too Large"}, {415, "Unsupported Media Type"},
        {422, "Unprocessable Content"}, {426, "Upgrade Required"}, {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"}, {500, "Internal Server Error"}, {501, "Not Implemented"},
        {502, "Bad Gateway"}, {503, "Service Unavailable"}, {504, "Gateway Timeout"},
    }};
    const auto found = std::ranges::find(known, status, &std::pair<int, std::string_view>::first);
    if (found != known.end()) return found->second;
    return status == 505 ? "HTTP Version Not Supported" : "Status";
}

std::string response_head(const http_response& answer, const std::vector<header_field>& extra,
                          const response_framing& framing) {
    std::string out = fmt::format("HTTP/1.1 {} {}\r\n", answer.status, reason_phrase(answer.status));
    add_field(out, "Date", http::http_date(framing.date));
    if (!answer.type.empty()) add_field(out, "Content-Type", answer.type);
    // 204 and 304 have no body, and say so by themselves (RFC 9110, section 8.6).
    const bool bodyless = answer.status == 204 || answer.status == 304;
    if (framing.octets && !bodyless) add_field(out, "Content-Length", std::to_string(*framing.octets));
    if (!framing.octets && framing.chunked) add_field(out, "Transfer-Encoding", "chunked");
    for (const auto& each : answer.headers) add_field(out, each.name, each.value);
    for (const auto& each : extra) add_field(out, each.name, each.value);
    add_field(out, "Connection", framing.keep_alive ? "keep-alive" : "close");
    return out += "\r\n";
}

std::string switching_head(const std::vector<header_field>& headers) {
    std::string out = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n";
    for (const auto& each : headers) add_field(out, each.name, each.value);
    return out += "\r\n";
}

void append_chunk(std::string& to, std::string_view text) {
    if (text.empty()) return;  // an empty chunk would be the last
    to += fmt::format("{:x}\r\n", text.size());
    to.append(text).append("\r\n");
}

}  // namespace mbusd
