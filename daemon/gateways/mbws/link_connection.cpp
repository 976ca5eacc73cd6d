#include "gateways/mbws/link_connection.hpp"

#include <array>
#include <utility>

#include "router/session_table.hpp"

namespace mbusd {
namespace {

using mbus::mbws::binding;
using mbus::mbws::frame_view;
using mbus::mbws::verdict;
using mbus::mbws::websocket_input;
using mbus::websocket::client_handshake;

constexpr std::size_t read_octets = 64 * 1024;
constexpr std::size_t pieces_max = 64;  // of one write

mbus::websocket::handshake_nonce random_nonce() {
    mbus::websocket::handshake_nonce out{};
    for (std::size_t i = 0; i < out.size(); i += 4) {
        const auto four = random_number();
        for (std::size_t k = 0; k < 4; ++k) out[i + k] = static_cast<std::uint8_t>(four >> (8 * k));
    }
    return out;
}

}  // namespace

link_connection::link_connection(const environment& around, std::unique_ptr<byte_stream> stream,
                                 mbus::mbws::link_session& session, mbus::websocket::handshake_wish wish,
                                 over_handler over)
    : websocket_port(&around.masks),
      environment_(around),
      stream_(std::move(stream)),
      session_(session),
      opening_(std::move(wish), random_nonce()),
      over_(std::move(over)),
      buffer_(read_octets),
      timer_(around.context) {}

link_connection::~link_connection() { close(); }

void link_connection::start() {
    set_timer(link_handshake_patience);
    wait_readable();
    write_request();
}

void link_connection::close() {
    if (stage_ == stage::over) return;
    stage_ = stage::over;
    timer_.cancel();
    write_last_words();
    stream_->close();
    if (std::exchange(carries_, false)) session_.lost(environment_.now());
}

// `close` and the like, as far as the socket takes them without waiting.
void link_connection::write_last_words() {
    std::array<mbus::mbws::octet_span, pieces_max> pieces;
    std::array<octet_view, pieces_max> views;
    while (waiting() > 0) {
        const auto count = gather(pieces);
        for (std::size_t i = 0; i < count; ++i) views[i] = {pieces[i].data, pieces[i].size};
        const auto put = stream_->write({views.data(), count});
        if (put.what != io_state::done) return;
        consumed(put.octets);
    }
}

void link_connection::end(std::string reason, int http_status) {
    if (stage_ == stage::over) return;
    const auto over = std::exchange(over_, nullptr);
    close();
    if (over) over(std::move(reason), http_status);
}

void link_connection::set_timer(std::chrono::milliseconds patience) {
    timer_.expires_after(patience);
    timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& gone) {
        const auto self = weak.lock();
        if (gone || !self || self->stage_ == stage::over || self->stage_ == stage::link) return;
        self->end(self->stage_ == stage::handshake ? "no answer to the WebSocket handshake within 10 seconds" : "");
    });
}

// --- reading ------------------------------------------------------------------------------------

void link_connection::wait_readable() {
    if (stage_ == stage::over || std::exchange(waiting_to_read_, true)) return;
    stream_->wait_readable([weak = weak_from_this()] {
        const auto self = weak.lock();
        if (!self) return;
        self->waiting_to_read_ = false;
        self->readable();
    });
}

void link_connection::readable() {
    if (stage_ == stage::link && carries_ && !session_.wants_input()) {
        paused_ = true;  // read_again() goes on
        return;
    }
    const auto got = stream_->read(buffer_);
    if (got.what == io_state::ended || got.what == io_state::failed) {
        if (stage_ == stage::handshake && got.what == io_state::ended) opening_.ended();
        auto reason = stream_->failure();
        if (reason.empty()) reason = stage_ == stage::handshake ? opening_.failure() : "the connection ended";
        end(std::move(reason), opening_.http_status());
        return;
    }
    if (got.what == io_state::done) {
        const auto octets = std::span{buffer_}.first(got.octets);
        if (stage_ == stage::handshake) {
            receive_answer({octets.data(), octets.size()});
        } else if (stage_ == stage::link) {
            take_frames(octets);
        }
    } else if (stage_ == stage::handshake && request_at_ < opening_.request().size()) {
        write_request();  // TLS may have had to read first
    }
    if (!paused_) wait_readable();
}

void link_connection::receive_answer(std::string_view octets) {
    switch (opening_.receive(octets)) {
    case client_handshake::status::need_more: return;
    case client_handshake::status::failed: end(opening_.failure(), opening_.http_status()); return;
    case client_handshake::status::done: break;
    }
    stage_ = stage::link;
    timer_.cancel();
    set_binding(opening_.extension_accepted() ? binding::native : binding::binary);
    input_.emplace(websocket_input::rules{.side = mbus::websocket::role::client,
                                          .native = opening_.extension_accepted(),
                                          .frame_octets_max = environment_.frame_octets_max});
    carries_ = true;
    session_.call(environment_.now(), *this, *this);
    std::string rest{opening_.leftover()};
    if (!rest.empty()) take_frames(rest);
    wake();
}

void link_connection::take_frames(std::span<char> octets) {
    input_->feed(octets);
    while (take_one()) {}
    wake();
}

// False: stop for now.
bool link_connection::take_one() {
    if (stage_ != stage::link) return false;
    if (carries_ && !session_.wants_input()) {
        input_->keep();
        paused_ = true;
        return false;
    }
    frame_view frame;
    switch (input_->next(frame)) {
    case websocket_input::status::need_more: return false;
    case websocket_input::status::ping: pong(input_->payload()); return true;
    case websocket_input::status::pong: return true;
    case websocket_input::status::frame:
        return carries_ && session_.handle(environment_.now(), frame) == verdict::go_on;
    case websocket_input::status::closed:
        if (std::exchange(carries_, false)) session_.lost(environment_.now());
        if (!finished()) answer_close(input_->peer_code());
        stage_ = stage::closing;
        set_timer(link_linger_patience);
        return false;
    case websocket_input::status::failed:
        close_as(input_->failure_code());
        if (carries_) {
            const auto failure = input_->failure();
            session_.fault(environment_.now(), failure.code, failure.text);
        }
        return false;
    }
    return false;
}

// Must not call the session, so the rest waits for the end of the turn.
void link_connection::read_again() {
    resume_ = true;
    wake();
}

// --- writing ------------------------------------------------------------------------------------

void link_connection::write_request() {
    const auto& request = opening_.request();
    while (request_at_ < request.size()) {
        const octet_view rest{request.data() + request_at_, request.size() - request_at_};
        const auto put = stream_->write({&rest, 1});
        if (put.what == io_state::failed || put.what == io_state::ended) {
            end(stream_->failure());
            return;
        }
        if (put.what == io_state::again) {
            wait_writable();
            return;
        }
        request_at_ += put.octets;
    }
}

void link_connection::finish(mbus::errc reason, std::string_view text) {
    if (finished() || stage_ == stage::over) return;
    websocket_port::finish(reason, text);
    stage_ = stage::closing;
    set_timer(link_linger_patience);
    if (std::exchange(paused_, false)) resume_ = true;
}

void link_connection::end_of_turn() {
    if (stage_ == stage::over || stage_ == stage::handshake) return;
    const auto keep_alive = shared_from_this();
    if (std::exchange(resume_, false)) {
        paused_ = false;
        while (take_one()) {}
        if (!paused_) wait_readable();
    }
    if (stage_ == stage::over) return;
    if (carries_) session_.fill(environment_.now());
    if (!waiting_to_write_) write();
}

void link_connection::write() {
    std::array<mbus::mbws::octet_span, pieces_max> pieces;
    std::array<octet_view, pieces_max> views;
    while (waiting() > 0) {
        const auto count = gather(pieces);
        for (std::size_t i = 0; i < count; ++i) views[i] = {pieces[i].data, pieces[i].size};
        const auto put = stream_->write({views.data(), count});
        if (put.what == io_state::failed || put.what == io_state::ended) {
            end(stream_->failure());
            return;
        }
        if (put.what == io_state::again) {
            hold_order();  // TLS wants the same octets again
            wait_writable();
            return;
        }
        consumed(put.octets);
        if (carries_) session_.fill(environment_.now());
    }
    if (finished() && !std::exchange(output_ended_, true)) {
        stream_->finish_output();
        wait_readable();
    }
}

void link_connection::wait_writable() {
    if (stage_ == stage::over || std::exchange(waiting_to_write_, true)) return;
    stream_->wait_writable([weak = weak_from_this()] {
        const auto self = weak.lock();
        if (!self) return;
        self->waiting_to_write_ = false;
        if (self->stage_ == stage::handshake) {
            self->write_request();
        } else {
            self->wake();
        }
    });
}

}  // namespace mbusd
