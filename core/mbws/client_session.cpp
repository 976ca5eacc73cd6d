// The client's session: connections, messages that go out, deadlines. Input is in client_input.cpp,
// requests in client_requests.cpp.
#include "mbws/client_session.hpp"

#include <algorithm>
#include <utility>

namespace mbus::mbws {
namespace {

// Octets in the output at which messages stay in their queue: what is sent but not acknowledged has
// to be kept anyway, so a second copy of all of it would be waste.
constexpr std::size_t output_octets_high = 256 * 1024;
constexpr std::size_t compact_octets = 64 * 1024;
// An empty output larger than this is freed once it was filled to less than a quarter so many times in a row: where the daemon
// falls behind now and then, it will be needed again.
constexpr std::size_t small_outputs_max = 1024;
constexpr std::size_t idle_output_octets = 1024 * 1024;
constexpr std::size_t number_offset = 8;                 // of the number in a frame
constexpr std::size_t flags_offset = 1;
// Of a message: all of its header but addresses and type, with some room.
constexpr std::size_t header_octets_fixed = 64;

void write_number(std::string& frame, std::uint64_t number) noexcept {
    for (std::size_t i = 8; i-- > 0; number >>= 8)
        frame[number_offset + i] = static_cast<char>(number & 0xFF);
}

}  // namespace

client_session::client_session(client_options options, client_handler& handler)
    : options_(std::move(options)), handler_(handler), reader_(options_.size) {
    options_.window = std::min(options_.window, window_max);
}

client_session::~client_session() = default;

void client_session::reset_reader() {
    reader_ = frame_reader{options_.size};
    reader_.remember(addresses_of_broker);
    told_ = {};
}

void client_session::connect(time_point now) {
    if (state_ != state::idle) lost(now);
    out_.clear();
    out_at_ = 0;
    reset_reader();
    heard_ = now;
    resuming_ = !token_.empty();
    closed_ = close_written_ = false;
    frame_writer connect{out_, verb::connect};
    connect.set(key::version, std::uint64_t{protocol_version});
    connect.set_if(key::name, make_field_text(options_.name, 256));
    connect.set_if(key::auth, options_.auth);
    if (resuming_) connect.set(key::session, token_).set(key::received, taken_);
    connect.set(key::window, std::uint64_t{options_.window});
    if (options_.expiry) connect.set(key::expiry, std::uint64_t{*options_.expiry});
    connect.set(key::size, std::uint64_t{options_.size});
    connect.set(key::addresses, std::uint64_t{addresses_of_broker});
    if (options_.durable) connect.set(key::durable, std::uint64_t{1});
    state_ = state::connecting;
    if (!connect.finish()) {
        fail(errc::bad_argument, "the credential is longer than a frame's header can hold");
        return;
    }
    for (auto& [number, request] : requests_) {
        request.sent_before = request.sent_before || request.sent;
        request.sent = false;
    }
    send_requests(!resuming_);
}

void client_session::lost(time_point /*now*/) {
    if (state_ == state::idle) return;
    state_ = state::idle;
    out_.clear();
    out_at_ = 0;
    reset_reader();
    ack_due_ = never;
    sent_ = 0;
    if (options_.window == 0) {
        std::vector<message_token> tokens;
        for (const auto& [number, token] : open_) tokens.push_back(token);
        open_.clear();
        give_up(std::move(tokens));
    }
    if (close_written_ && !closed_) on_close();
}

// Their outcome will never be known.
void client_session::give_up(std::vector<message_token> tokens) {
    std::sort(tokens.begin(), tokens.end());
    tokens.erase(std::unique(tokens.begin(), tokens.end()), tokens.end());
    message_result how;
    how.code = errc::disconnected;
    how.text =
        "the connection to the daemon broke before the outcome was known; the message may have been delivered";
    for (const message_token token : tokens) handler_.on_result(token, how);
}

void client_session::give_up_all() {
    std::vector<message_token> tokens;
    for (const auto& [number, token] : open_) tokens.push_back(token);
    for (std::size_t i = 0; i < kept_.size(); ++i) tokens.push_back(kept_[i].token);
    open_.clear();
    kept_.clear();
    kept_octets_ = transmitted_ = sent_ = 0;
    give_up(std::move(tokens));
}

// --- output -----------------------------------------------------------------------------------

std::string_view client_session::output() const noexcept { return std::string_view{out_}.substr(out_at_); }

void client_session::written(std::size_t octets) {
    out_at_ += std::min(octets, out_.size() - out_at_);
    if (out_at_ == out_.size()) {
        out_at_ = 0;
        small_outputs_ = out_.capacity() > idle_output_octets && out_.size() < out_.capacity() / 4 ? small_outputs_ + 1 : 0;
        out_.clear();
        if (small_outputs_ > small_outputs_max) std::string{}.swap(out_);
    } else if (out_at_ >= compact_octets && out_at_ >= out_.size() / 3 * 2) {
        out_.erase(0, out_at_);
        out_at_ = 0;
    }
    pump();
}

void client_session::write(verb which, std::uint64_t number, std::string_view body) {
    static_cast<void>(frame_writer{out_, which, 0, number}.finish(body));
}

bool client_session::send_again(std::string_view to, std::string_view body) {
    if (plain_to_.empty() || to != plain_to_ || state_ != state::connected || close_wanted_ || !kept_.empty()) return false;
    const std::size_t octets = plain_header_.size() + to.size() + header_octets_fixed + body.size();
    if (octets > std::min<std::size_t>(peer_size_, frame_octets_limit) || waiting_octets() + octets > options_.queue_octets_max)
        return false;
    const std::size_t at = out_.size();
    out_.append(plain_header_).append(body);
    write_big_endian(out_.data() + at + 4, static_cast<std::uint32_t>(body.size()));
    ++last_token_;
    return true;
}

result<message_token> client_session::send(const client_message& what) {
    if (close_wanted_) return error{errc::disconnected, "the connection is being closed; open another"};
    // What went out on this connection before was checked then.
    const bool directly = options_.window == 0 && state_ == state::connected && kept_.empty();
    const bool by_number = directly && told_.used() && what.to.size() <= numbered_address_max;
    const std::uint64_t to_id = by_number ? names_.id_of(what.to) : 0;
    const bool checked = told_.knows(to_id);
    if ((!checked && !is_field_text(what.to)) || !is_field_text(what.from) || !is_field_text(what.type)) {
        return error{errc::bad_argument, "an address or media type has a control character or is not UTF-8"};
    }
    const std::size_t octets = what.to.size() + what.from.size() + what.type.size() + what.body.size() + header_octets_fixed;
    if (what.to.size() + what.from.size() + what.type.size() + header_octets_fixed > header_octets_max) {
        return error{errc::bad_argument, "addresses and type are longer than a frame's header can hold"};
    }
    if (octets > std::min<std::size_t>(peer_size_, frame_octets_limit)) {
        return error{errc::too_large, "a frame of " + std::to_string(octets) +
                                          " octets is more than the daemon takes, " +
                                          std::to_string(peer_size_)};
    }
    if (waiting_octets() + octets > options_.queue_octets_max ||
        kept_.size() >= options_.queue_messages_max) {
        return error{
            errc::overflow,
            "the daemon does not take messages as fast as they are sent; wait until the output has drained"};
    }
    const bool wants_result = what.reliable || what.receipt_wanted;
    const message_token token = last_token_ + 1;
    std::uint8_t flags = 0;
    if (what.reliable) flags |= flag::reliable;
    if (what.receipt_wanted) flags |= flag::receipt;
    if (directly) {
        write_message(flags, wants_result ? token : 0, to_id, what);
        last_token_ = token;
        if (wants_result) open_.emplace(token, token);
        return token;
    }
    kept_message& kept = kept_.push_back();
    kept.frame.clear();
    frame_writer writer{kept.frame, verb::message, flags};
    writer.set(key::to, what.to).set_if(key::from, what.from).set_if(key::type, what.type);
    writer.set_if(key::time, what.time).set_if(key::ttl, std::uint64_t{what.ttl});
    static_cast<void>(writer.finish(what.body));  // the lengths were checked
    last_token_ = token;
    kept.refuses = 0;
    kept.token = token;
    kept.wants_result = wants_result;
    kept_octets_ += kept.frame.size();
    pump();
    return token;
}

// Straight into the output. An address that the broker knows goes as its number; what is kept for another
// connection can't have that, for numbers end with the connection.
void client_session::write_message(std::uint8_t flags, std::uint64_t number, std::uint64_t to_id, const client_message& what) {
    const std::size_t start = out_.size();
    told_addresses::place place;
    frame_writer writer{out_, verb::message, flags, number};
    if (to_id != 0) {
        place = told_.put(to_id);
        if (place.number == plain_number_) plain_to_.clear();
        if (!place.known) writer.set(key::to, what.to);
        writer.set(key::to_number, std::uint64_t{place.number});
    } else {
        writer.set(key::to, what.to);
    }
    writer.set_if(key::from, what.from).set_if(key::type, what.type);
    writer.set_if(key::time, what.time).set_if(key::ttl, std::uint64_t{what.ttl});
    static_cast<void>(writer.finish(what.body));  // the lengths were checked
    const bool plain = options_.window == 0 && (flags | number | what.time | what.ttl) == 0 && what.from.empty() && what.type.empty();
    if (!plain || !place.known) return;
    plain_to_ = what.to;
    plain_number_ = place.number;
    plain_header_.assign(out_, start, out_.size() - start - what.body.size());
}

void client_session::refuse(std::uint64_t number) {
    if (options_.window == 0 || close_wanted_) return;
    kept_message& kept = kept_.push_back();
    kept.frame.clear();
    kept.token = 0;
    kept.wants_result = false;
    kept.refuses = number;
    frame_writer writer{kept.frame, verb::nak};
    writer.set(key::about, number);
    static_cast<void>(writer.finish());
    kept_octets_ += kept.frame.size();
    pump();
}

// Sends what waits, as far as the window and the output reach.
void client_session::pump() {
    if (state_ != state::connected) return;
    while (sent_ < kept_.size() && out_.size() - out_at_ < output_octets_high) {
        if (options_.window != 0 && sent_ >= window_) break;
        kept_message& next = kept_[sent_];
        const bool again = sent_ < transmitted_;
        const std::uint64_t number = options_.window != 0 ? acknowledged_in_ + 1 + sent_
                                     : next.wants_result  ? next.token
                                                          : 0;
        write_number(next.frame, number);
        if (again) next.frame[flags_offset] = static_cast<char>(next.frame[flags_offset] | flag::redelivered);
        out_.append(next.frame);
        if (next.wants_result && !again) open_.emplace(number, next.token);
        if (options_.window == 0) {
            kept_octets_ -= next.frame.size();
            kept_.pop_front();
            continue;
        }
        ++sent_;
        transmitted_ = std::max(transmitted_, sent_);
    }
    maybe_close();
}

void client_session::ping(std::string_view body) {
    if (state_ == state::connected) write(verb::ping, 0, body.substr(0, ping_octets_max));
}

void client_session::close(time_point /*now*/) {
    close_wanted_ = true;
    if (state_ == state::idle && !closed_) {
        on_close();
    } else {
        maybe_close();
    }
}

void client_session::maybe_close() {
    if (!close_wanted_ || close_written_ || state_ != state::connected || !kept_.empty()) return;
    if (options_.window != 0 && taken_ > acknowledged_out_) write_ack();
    write(verb::close);
    close_written_ = true;
}

// --- time -------------------------------------------------------------------------------------

void client_session::advance(time_point now) {
    if (state_ == state::connected && ack_due_ <= now) write_ack();
    const bool alive = state_ == state::connecting || state_ == state::connected;
    if (alive && options_.silence_max.count() != 0 && heard_ + options_.silence_max <= now) {
        fail(errc::timed_out, "nothing was heard from the daemon for too long");
    }
}

time_point client_session::next_deadline() const noexcept {
    const bool alive = state_ == state::connecting || state_ == state::connected;
    if (!alive) return never;
    return options_.silence_max.count() != 0 ? std::min(ack_due_, heard_ + options_.silence_max) : ack_due_;
}

}  // namespace mbus::mbws
