#include "http/exchange.hpp"

#include <algorithm>

#include "http/field_text.hpp"
#include "message/text.hpp"

namespace mbusd {
namespace {

// The media type of errors, beside text/plain.
constexpr std::string_view json_type = "application/json";

// Errors repeat parts of the request, which may be any octets; what is said is UTF-8 (RFC 8259, section 8.1).
std::string readable(std::string_view text) {
    constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const auto length = mbus::text::utf8_sequence(text, at);
        out += length == 0 ? replacement : text.substr(at, length);
        at += std::max<std::size_t>(length, 1);
    }
    return out;
}

std::string json_quoted(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out = "\"";
    for (const char c : text) {
        const auto octet = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            (out += '\\') += c;
        } else if (octet < 0x20) {
            ((out += "\\u00") += digits[octet >> 4]) += digits[octet & 15];
        } else {
            out += c;
        }
    }
    return out + '"';
}

}  // namespace

std::string http_request::header(std::string_view name) const {
    std::string out;
    bool found = false;
    for (const auto& each : headers) {
        if (!http::same_word(each.name, name)) continue;
        if (found) out += ", ";
        out += each.value;
        found = true;
    }
    return out;
}

bool http_request::has_header(std::string_view name) const noexcept {
    return std::ranges::any_of(headers, [&](const auto& each) { return http::same_word(each.name, name); });
}

bool http_request::header_lists(std::string_view name, std::string_view word) const {
    return std::ranges::any_of(headers, [&](const auto& each) {
        return http::same_word(each.name, name) &&
               http::any_item(each.value, [&](std::string_view item) { return http::same_word(item, word); });
    });
}

std::optional<std::string_view> http_request::parameter(std::string_view name) const noexcept {
    const auto found = std::ranges::find_if(query, [&](const auto& each) { return each.first == name; });
    if (found == query.end()) return std::nullopt;
    return std::string_view{found->second};
}

std::optional<std::string_view> http_request::bearer() const noexcept {
    constexpr std::string_view scheme = "Bearer ";
    for (const auto& each : headers) {
        if (!http::same_word(each.name, "Authorization")) continue;
        const std::string_view value = each.value;
        if (value.size() <= scheme.size() || !http::same_word(value.substr(0, scheme.size()), scheme)) return std::nullopt;
        return http::trimmed(value.substr(scheme.size()));
    }
    return std::nullopt;
}

bool http_request::prefers_json() const {
    const auto accepted = header("Accept");
    if (accepted.find(json_type) != std::string::npos) return true;
    return accepted.find("text/") == std::string::npos;
}

http_response http_response::plain(int status, std::string text) {
    return {.status = status, .type = "text/plain; charset=utf-8", .body = std::move(text)};
}

http_response http_response::json(int status, std::string text) {
    return {.status = status, .type = std::string{json_type}, .body = std::move(text)};
}

http_response&& http_response::with(std::string name, std::string value) && {
    headers.push_back({std::move(name), std::move(value)});
    return std::move(*this);
}

void add_page_security(http_response& to, std::string_view content_security_policy) {
    to.headers.push_back({"Content-Security-Policy", std::string{content_security_policy}});
    to.headers.push_back({"X-Content-Type-Options", "nosniff"});
    to.headers.push_back({"Referrer-Policy", "no-referrer"});
    to.headers.push_back({"X-Frame-Options", "DENY"});
}

http_response exchange::problem(int status, std::string_view code, std::string_view text) const {
    return problem_response(request().prefers_json(), status, code, text);
}

http_response problem_response(bool as_json, int status, std::string_view code, std::string_view text) {
    if (!as_json) return http_response::plain(status, readable(text) + '\n');
    return http_response::json(status, "{\"code\":" + json_quoted(code) + ",\"text\":" + json_quoted(readable(text)) + "}\n");
}

void exchange::too_many_failures(std::chrono::seconds wait) {
    const auto seconds = std::to_string(wait.count());
    respond(problem(429, "rate", "too many failed credentials from this address; try again in " + seconds + " s")
                .with("Retry-After", seconds));
}

void exchange::unauthorized(std::string_view text) {
    credential_failed();
    respond(problem(401, "unauthorized", text).with("WWW-Authenticate", "Bearer realm=\"mbusd\""));
}

}  // namespace mbusd
