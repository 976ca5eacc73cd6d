#include "websocket_link.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <fstream>
#include <random>
#include <utility>

namespace mbus::detail {
namespace {

constexpr std::size_t input_octets = std::size_t{64} * 1024;  // of one read
constexpr std::size_t token_octets_max = 4096;
constexpr int http_unauthorized = 401;
constexpr int http_forbidden = 403;
constexpr int http_too_many = 429;

bool is_token(std::string_view text) {
    return !text.empty() && text.size() <= token_octets_max &&
           std::ranges::all_of(text, [](char each) { return each > ' ' && each < '\x7F'; });
}

}  // namespace

websocket::mask_key random_masks::next() {
    if (used_ == octets_.size()) {
        // Without random numbers there is no WebSocket; OpenSSL would not have got this far.
        if (RAND_bytes(reinterpret_cast<unsigned char*>(octets_.data()), static_cast<int>(octets_.size())) != 1) {
            std::terminate();
        }
        used_ = 0;
    }
    websocket::mask_key key;
    std::memcpy(key.data(), octets_.data() + used_, key.size());
    used_ += key.size();
    return key;
}

websocket_link::websocket_link(const connect_options& options)
    : where_(websocket_url::parse(options.socket)),
      window_(options.window.value_or(mbws::window_default_websocket)),
      token_(options.token),
      token_file_(options.token_file),
      ca_file_(options.ca_file) {}

std::uint64_t websocket_link::random() {
    std::random_device source;
    return (std::uint64_t{source()} << 32) | source();
}

// --- opening ----------------------------------------------------------------------------------------

result<std::string> websocket_link::token() const {
    if (token_file_.empty()) {
        if (token_.empty() || is_token(token_)) return token_;
        return error{errc::bad_argument, "connect_options::token has blanks or is no single line"};
    }
    std::ifstream file{token_file_};
    std::string text;
    if (!file || !std::getline(file, text)) {
        return error{errc::bad_argument, "can't read a token from the token_file " + token_file_};
    }
    if (text.ends_with('\r')) text.pop_back();
    if (!is_token(text)) {
        return error{errc::bad_argument, "the token_file " + token_file_ + " must hold the token alone, in one line"};
    }
    return text;
}

result<void> websocket_link::open() {
    close();
    fault_ = {};
    if (!where_) return where_.error();
    if (window_ == 0) {
        return {errc::bad_argument, "over WebSocket a session needs a window; leave connect_options::window out"};
    }
    auto secret = token();
    if (!secret) return std::move(secret.error());
    const auto start = now();
    if (auto begun = way_.open(*where_, ca_file_, start); !begun) return begun;

    websocket::handshake_nonce nonce;
    if (RAND_bytes(nonce.data(), static_cast<int>(nonce.size())) != 1) {
        return {errc::internal, "the system gives no random numbers"};
    }
    websocket::handshake_wish wish{.host = where_->authority(), .target = where_->target, .subprotocol = "mbws",
                                   .extension = "mbws"};
    if (!secret->empty()) wish.headers.emplace_back("Authorization", "Bearer " + *secret);
    handshake_.emplace(std::move(wish), nonce);
    request_ = handshake_->request();
    input_.resize(input_octets);
    opening_ends_ = start + opening_limit;
    phase_ = phase::connecting;
    return {};
}

void websocket_link::close() noexcept {
    if (phase_ == phase::open) {
        try {
            out_->finish(mbws::orderly, {});
            (void)flush();
        } catch (...) {
            // No memory for a courtesy.
        }
    }
    way_.close();
    out_.reset();
    in_.reset();
    handshake_.reset();
    frame_ = {};
    more_input_ = false;
    output_wanted_ = false;
    opening_ends_ = never;
    phase_ = phase::closed;
}

io_outcome websocket_link::broken(error why, bool final) {
    if (phase_ != phase::broken) fault_ = {std::move(why), final};
    phase_ = phase::broken;
    return {0, true};
}

// As far as it goes without waiting.
void websocket_link::advance() {
    const auto at = now();
    if (phase_ == phase::connecting) {
        const auto outcome = way_.advance(at);
        if (outcome == transport::status::failed) {
            (void)broken(way_.failure());
            return;
        }
        if (outcome == transport::status::connected) phase_ = phase::asking;
    }
    if (phase_ == phase::asking) ask();
    if (phase_ != phase::open && phase_ != phase::broken && at >= opening_ends_) {
        (void)broken({errc::timed_out, where_->host_and_port() + " did not answer in time"});
    }
}

void websocket_link::ask() {
    while (!request_.empty()) {
        const auto put = way_.write(request_);
        if (put.broken) break;  // the answer may be there nevertheless
        request_.erase(0, put.octets);
        way_.watch_output(!request_.empty());
        if (put.octets == 0) return;
    }
    while (phase_ == phase::asking) {
        const auto got = way_.read(input_);
        if (got.broken) {
            handshake_->ended();
            refused();
        } else if (got.octets == 0) {
            return;
        } else {
            hear({input_.data(), got.octets});
        }
    }
}

void websocket_link::hear(std::string_view answer) {
    switch (handshake_->receive(answer)) {
    case websocket::client_handshake::status::need_more: return;
    case websocket::client_handshake::status::failed: refused(); return;
    case websocket::client_handshake::status::done: break;
    }
    const bool native = handshake_->extension_accepted();
    out_.emplace(masks_, native ? mbws::binding::native : mbws::binding::binary);
    in_.emplace(mbws::websocket_input::rules{.side = websocket::role::client, .native = native});
    const auto rest = handshake_->leftover();
    std::copy(rest.begin(), rest.end(), input_.begin());  // it came in one read
    in_->feed({input_.data(), rest.size()});
    handshake_.reset();
    opening_ends_ = never;
    phase_ = phase::open;
}

void websocket_link::refused() {
    const int status = handshake_->http_status();
    error why{errc::no_daemon, where_->host_and_port() + " did not open a WebSocket: " + handshake_->failure()};
    if (status == http_unauthorized) why.code = errc::unauthorized;
    if (status == http_forbidden) why.code = errc::forbidden;
    if (status == http_too_many) why.code = errc::rate;
    (void)broken(std::move(why), status == http_unauthorized || status == http_forbidden);
}

// --- frames -----------------------------------------------------------------------------------------

clock::time_point websocket_link::deadline() const {
    if (more_input_) return clock::time_point{};  // long ago
    return std::min(opening_ends_, way_.deadline());
}

// Writes what waits, as far as the system takes it. False when the connection is gone.
bool websocket_link::flush() {
    while (out_->waiting() > 0) {
        const auto put = way_.write(out_->front());
        if (put.broken) return false;
        if (put.octets == 0) break;
        out_->consumed(put.octets);
    }
    way_.watch_output(output_wanted_ || out_->waiting() > 0);
    return true;
}

// More octets for in_, which has used what it had. False when there are none.
bool websocket_link::read_more() {
    const auto got = way_.read(input_);
    if (got.broken) (void)broken(way_.failure());
    if (got.octets == 0) return false;
    in_->feed({input_.data(), got.octets});
    return true;
}

// Brings the next frame into frame_. False when there is none now.
bool websocket_link::next_frame() {
    using status = mbws::websocket_input::status;
    for (;;) {
        switch (in_->next(decoded_)) {
        case status::frame:
            if (in_->last_binding() != mbws::binding::text) {
                frame_ = in_->payload();
            } else {
                recoded_.clear();
                if (!mbws::append_frame(recoded_, decoded_)) continue;  // longer fields than any text frame has
                frame_ = recoded_;
            }
            return true;
        case status::ping: out_->pong(in_->payload()); break;
        case status::pong: break;
        case status::closed: take_close(); return false;
        case status::failed: take_fault(); return false;
        case status::need_more:
            if (!read_more()) return false;
            break;
        }
    }
}

// The reason is "code: text" (docs/mbws.md s6); the frame `error` before it said the same.
void websocket_link::take_close() {
    const auto reason = std::string{in_->payload()};
    out_->answer_close(in_->peer_code());
    (void)flush();
    (void)broken({errc::disconnected, "the daemon closed the connection" + (reason.empty() ? "" : ": " + reason)});
}

void websocket_link::take_fault() {
    auto why = in_->failure();
    out_->close_as(in_->failure_code());
    out_->finish(why.code, why.text);
    (void)flush();
    (void)broken(std::move(why));
}

io_outcome websocket_link::read(std::span<char> into) {
    more_input_ = false;
    if (phase_ == phase::connecting || phase_ == phase::asking) advance();
    if (phase_ == phase::closed) return {};
    std::size_t filled = 0;
    while (phase_ == phase::open && filled < into.size()) {
        if (frame_.empty() && !next_frame()) break;
        const auto part = frame_.substr(0, into.size() - filled);
        std::memcpy(into.data() + filled, part.data(), part.size());
        filled += part.size();
        frame_.remove_prefix(part.size());
    }
    if (phase_ == phase::open) {
        if (!flush()) (void)broken(way_.failure());
        more_input_ = filled == into.size();
    }
    // What came before the end is handed on first.
    if (phase_ == phase::broken) {
        more_input_ = filled > 0;
        return {filled, filled == 0};
    }
    return {filled, false};
}

io_outcome websocket_link::write(std::string_view frames) {
    if (phase_ == phase::broken) return {0, true};
    if (phase_ != phase::open) return {};
    std::size_t taken = 0;
    for (;;) {
        const auto more = out_->take(frames.substr(taken));
        taken += more;
        if (!flush()) return broken(way_.failure());
        if (more == 0 || taken == frames.size()) return {taken, false};
    }
}

void websocket_link::watch_output(bool wanted) {
    output_wanted_ = wanted;
    if (phase_ == phase::open) way_.watch_output(wanted || out_->waiting() > 0);
}

}  // namespace mbus::detail
