// What all connections of one listener share.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>

#include <boost/asio/io_context.hpp>

#include "http/credential_limiter.hpp"
#include "http/deadline_queue.hpp"
#include "http/path_table.hpp"
#include "http/site_rules.hpp"
#include "runtime/log.hpp"

namespace mbusd {

// One read takes at most this.
inline constexpr std::size_t http_read_octets = 64 * 1024;
// From the first octet of a request, or from the connection on, to the end of its headers: also for
// who sends one octet a second.
inline constexpr std::chrono::seconds header_patience{10};
// A body may take this, and a second more for each body_rate octets that have come.
inline constexpr std::chrono::seconds body_patience{10};
inline constexpr std::size_t body_rate = 1024;
// For a client that takes nothing of an answer.
inline constexpr std::chrono::seconds write_patience{30};
// After the last answer what still comes is thrown away, so that the client can read the answer
// before it hears of the end (RFC 9112, section 9.6).
inline constexpr std::chrono::seconds linger{2};

// As configured; may change at a reload.
struct http_limits {
    std::size_t connections = 16384;
    std::size_t connections_per_address = 1024;
    std::size_t body_octets = 1024 * 1024;    // of a request, whatever its path takes
    std::size_t output_octets = 1024 * 1024;  // that may wait for the reader of a stream
    std::chrono::seconds idle{75};            // between two requests
};

struct http_counters {
    std::uint64_t accepted = 0;
    std::uint64_t refused_connections = 0;  // by gateway.connections and .connections_per_address
    std::uint64_t requests = 0;
    std::uint64_t malformed = 0;            // 400, 413, 431, 501, 505
    std::uint64_t forbidden = 0;            // Host or Origin
    std::uint64_t timeouts = 0;             // headers, bodies or answers that took too long
    std::uint64_t slow_readers = 0;         // streams closed because their reader fell behind
    std::uint64_t tls_failures = 0;
    std::uint64_t credential_failures = 0;
};

// Counts connections, in total and per address, as long as they live: also when they have left HTTP.
class connection_census {
public:
    enum class verdict { welcome, too_many, too_many_of_address };

    [[nodiscard]] verdict judge(const http_limits& limits, const std::optional<client_address>& from, bool trusted) const;
    // Keep the result as long as the connection.
    [[nodiscard]] std::shared_ptr<const void> count(const std::optional<client_address>& from);
    [[nodiscard]] std::size_t total() const noexcept { return book_->total; }

private:
    struct book {
        std::size_t total = 0;
        std::map<client_address, std::size_t> by_address;
    };
    struct place;
    std::shared_ptr<book> book_ = std::make_shared<book>();
};

struct http_environment {
    boost::asio::io_context& context;
    const path_table& paths;
    logger& log;
    std::span<char> read_buffer;  // shared: used within one call only
    http_limits limits;
    site_rules site;
    http_counters counters{};
    credential_limiter guesses{};
    connection_census census{};
    std::unique_ptr<deadline_queue> deadlines{};
    std::function<void(std::uint64_t id)> ended{};  // the connection may be destroyed, later
    std::uint64_t next_id = 1;
};

}  // namespace mbusd
