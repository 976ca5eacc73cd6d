#include "http/http_call.hpp"

#include <algorithm>
#include <utility>

namespace mbusd {

http_call::http_call(http_environment& environment, std::shared_ptr<http_connection> connection, admission& in)
    : environment_(environment),
      connection_(std::move(connection)),
      request_(std::move(in.request)),
      client_(in.client),
      extra_(std::move(in.extra)),
      head_only_(in.head_only) {}

http_call::~http_call() {
    const auto connection = std::exchange(connection_, nullptr);
    if (!connection) return;
    if (streaming_) {
        connection->stream_close();
    } else if (!answered_) {
        connection->respond(problem(500, "internal", "the daemon gave no answer"), extra_, head_only_);
    }
}

void http_call::over(bool completed) {
    connection_.reset();
    auto gone = std::exchange(gone_, nullptr);
    lost_ = !completed || streaming_;
    if (lost_ && gone) gone();
}

void http_call::on_closed(std::function<void()> gone) {
    if (lost_) {
        gone();
    } else if (connection_) {
        gone_ = std::move(gone);
    }
}

void http_call::respond(http_response answer) {
    if (std::exchange(answered_, true)) return;
    if (const auto connection = connection_) connection->respond(std::move(answer), extra_, head_only_);
}

std::shared_ptr<http_stream> http_call::start_stream(http_response answer) {
    if (!std::exchange(answered_, true)) {
        streaming_ = true;
        answer.headers.insert(answer.headers.end(), extra_.begin(), extra_.end());
        if (const auto connection = connection_) connection->start_stream(answer, head_only_);
    }
    return shared_from_this();
}

upgraded http_call::upgrade(const std::vector<header_field>& headers) {
    if (std::exchange(answered_, true)) return {};
    const auto connection = std::exchange(connection_, nullptr);
    gone_ = nullptr;
    return connection ? connection->upgrade(headers) : upgraded{};
}

std::optional<std::chrono::seconds> http_call::blocked_for() {
    if (!connection_ || !client_) return std::nullopt;
    return environment_.guesses.blocked_for(std::chrono::steady_clock::now(), *client_);
}

// Also after upgrade(): a credential may come in what follows.
void http_call::credential_failed() {
    ++environment_.counters.credential_failures;
    if (client_) environment_.guesses.failed(std::chrono::steady_clock::now(), *client_);
}

std::chrono::milliseconds http_call::password_delay() {
    if (!client_) return std::chrono::milliseconds{0};
    const auto now = std::chrono::steady_clock::now();
    const auto& guesses = environment_.guesses;
    return std::max<std::chrono::milliseconds>(guesses.password_delay(now, *client_), guesses.blocked_for(now, *client_).value_or(std::chrono::seconds{0}));
}

bool http_call::write(std::string_view text) {
    const auto connection = connection_;
    return connection && connection->stream_write(text);
}

std::size_t http_call::waiting() const noexcept { return connection_ ? connection_->waiting() : 0; }

void http_call::close() {
    if (const auto connection = connection_) connection->stream_close();
}

}  // namespace mbusd
