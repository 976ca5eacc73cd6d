// Reads one HTTP/1.1 request after the other from octets that it is given. The one place that knows
// Beast's parser.
//
//     request_reader reader{};
//     auto step = reader.feed(octets, used);       // `used`: what it took of them
//     if (step == request_reader::step::head) { check(reader.head()); reader.accept_body(limit); }
//     if (step == request_reader::step::done) handle(reader.take_body());
//
// What feed() did not take comes again with the octets that follow. Holds no memory between requests. Thread-safety: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/exchange.hpp"

namespace mbusd {

// Request line and headers together; more is answered with 431.
inline constexpr std::size_t header_octets_max = 16 * 1024;

class request_reader {
public:
    enum class step {
        more,   // needs further octets
        head,   // the headers are complete: accept_body() or give up
        done,   // the request is complete
        failed  // failure() says why; the connection is of no use any more
    };

    struct head_view {
        std::string method;
        std::string target;
        unsigned version = 11;   // 10 or 11
        bool keep_alive = true;
        bool has_body = false;
        std::optional<std::uint64_t> body_octets;  // Content-Length; absent when chunked
        bool expects_continue = false;
        std::vector<header_field> headers;
    };

    struct fault {
        int status = 400;
        std::string text;
    };

    request_reader();
    ~request_reader();
    request_reader(request_reader&&) noexcept;
    request_reader& operator=(request_reader&&) noexcept;

    [[nodiscard]] step feed(std::string_view octets, std::size_t& used);
    // After step::head.
    [[nodiscard]] head_view take_head();
    // From here on feed() reads the body, at most so many octets; a chunked one fails when it exceeds
    // them. False, and nothing is read, when Content-Length says already that it does.
    [[nodiscard]] bool accept_body(std::size_t octets_max);
    [[nodiscard]] std::string take_body();
    [[nodiscard]] const fault& failure() const noexcept { return fault_; }
    // Octets of the body so far.
    [[nodiscard]] std::size_t body_octets() const noexcept;
    // A request has begun and is not complete.
    [[nodiscard]] bool busy() const noexcept { return parser_ != nullptr; }

private:
    struct parser;
    step fail(int status, std::string text);
    step read_head(std::string_view octets, std::size_t& used);
    bool ends_before_version(std::string_view octets) noexcept;
    step read_body(std::string_view octets, std::size_t& used);

    std::unique_ptr<parser> parser_;
    fault fault_;
    std::size_t header_octets_ = 0;  // taken of this request's headers
    std::size_t searched_ = 0;       // octets of a request line in which the headers do not end
    std::size_t empty_lines_ = 0;    // before the request to come
};

}  // namespace mbusd
