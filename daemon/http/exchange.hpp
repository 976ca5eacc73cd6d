// One HTTP request and its answer, as handlers of paths see them.
//
//     paths.add("/healthz", {.methods = {"GET"}}, [](std::shared_ptr<exchange> call) {
//         call->respond(http_response::plain(200, "ok\n"));
//     });
//
// The listener has already answered what is no handler's business: limits, Host, Origin, OPTIONS,
// CORS, methods, HEAD. A handler answers once, in the call or at any later time; if the client goes
// first, on_closed() is called and the answer comes to nothing. Thread-safety: that of the io_context.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/byte_stream.hpp"

namespace mbusd {

struct header_field {
    std::string name;
    std::string value;
};

struct http_request {
    std::string method;   // "GET"; HEAD reaches handlers as GET
    std::string path;     // decoded, without query and prefix: "/cap/abc"
    std::string encoded_path{};  // the same as it came: "/atom/a%2Fb" is not "/atom/a/b"
    std::vector<std::pair<std::string, std::string>> query;  // decoded, in order
    std::vector<header_field> headers;
    std::string body;
    std::string client;    // address of the client, behind trusted proxies too; "unix" on the Unix socket
    std::string base_url;  // "https://host:8407/prefix" as the client sees it, without a final '/'
    bool secure = false;   // the client speaks TLS, to us or to a trusted proxy

    // The value of a header, whatever its case; several are joined with ", ". Empty: absent.
    [[nodiscard]] std::string header(std::string_view name) const;
    [[nodiscard]] bool has_header(std::string_view name) const noexcept;
    // True when a header is a list that names `word`, whatever the case: Connection, Upgrade.
    [[nodiscard]] bool header_lists(std::string_view name, std::string_view word) const;
    // The first value of a query parameter.
    [[nodiscard]] std::optional<std::string_view> parameter(std::string_view name) const noexcept;
    // The token of "Authorization: Bearer TOKEN".
    [[nodiscard]] std::optional<std::string_view> bearer() const noexcept;
    // The client asks for JSON, or does not ask for text or HTML first: errors are then JSON.
    [[nodiscard]] bool prefers_json() const;
};

struct http_response {
    int status = 200;
    std::string type;                   // Content-Type; empty: none
    std::string body{};
    std::string_view fixed_body{};      // instead of `body`: data that outlives the daemon, not copied
    std::vector<header_field> headers{};

    static http_response plain(int status, std::string text);  // text/plain
    static http_response json(int status, std::string text);   // application/json
    http_response&& with(std::string name, std::string value) &&;
};

// What an error says: as JSON {"code":CODE,"text":TEXT}, or TEXT alone as plain text.
http_response problem_response(bool as_json, int status, std::string_view code, std::string_view text);

// Content-Security-Policy as given, X-Content-Type-Options, Referrer-Policy, X-Frame-Options.
void add_page_security(http_response& to, std::string_view content_security_policy);

// An answer that goes on: server-sent events.
class http_stream {
public:
    virtual ~http_stream() = default;
    // False once the connection has ended, or when the client has fallen too far behind: then it is
    // closed and counted, and exchange::on_closed() is called.
    virtual bool write(std::string_view text) = 0;
    // Octets that the client has not taken yet.
    [[nodiscard]] virtual std::size_t waiting() const noexcept = 0;
    // The orderly end: what waits is written first.
    virtual void close() = 0;
};

// A connection that has left HTTP. `leftover` was read already and comes before what read() gives.
// `stream` is empty when the client had gone.
struct upgraded {
    std::unique_ptr<byte_stream> stream;
    std::string leftover;
};

class exchange {
public:
    virtual ~exchange() = default;

    [[nodiscard]] virtual const http_request& request() const noexcept = 0;
    // Once. Content-Length, Connection, Date and CORS headers are added.
    virtual void respond(http_response answer) = 0;
    // Sends the head of `answer` (its body is not used) and leaves the body to the stream.
    virtual std::shared_ptr<http_stream> start_stream(http_response answer) = 0;
    // Writes "101 Switching Protocols" with `headers`, which name Upgrade; Connection is added.
    virtual upgraded upgrade(const std::vector<header_field>& headers) = 0;
    // Called once if the client goes before the answer is complete, and at the end of a stream; at once
    // if that has happened already.
    virtual void on_closed(std::function<void()> gone) = 0;
    [[nodiscard]] virtual bool answered() const noexcept = 0;

    // Failed credentials per client address. While it holds a value, credentials are not to be looked
    // at: answer with too_many_failures().
    [[nodiscard]] virtual std::optional<std::chrono::seconds> blocked_for() = 0;
    virtual void credential_failed() = 0;  // also after upgrade()
    // How long a password is not to be looked at, also after upgrade(): it grows with every failure.
    [[nodiscard]] virtual std::chrono::milliseconds password_delay() = 0;

    // {"code":CODE,"text":TEXT} as JSON, or TEXT as plain text, by what the client accepts.
    [[nodiscard]] http_response problem(int status, std::string_view code, std::string_view text) const;
    void refuse(int status, std::string_view code, std::string_view text) { respond(problem(status, code, text)); }
    // 429 with Retry-After.
    void too_many_failures(std::chrono::seconds wait);
    // 401 with WWW-Authenticate: Bearer; `text` says how to get a token. Counts as a failed credential.
    void unauthorized(std::string_view text);
};

}  // namespace mbusd
