#include "http/http_connection.hpp"

#include <algorithm>
#include <ctime>
#include <exception>
#include <utility>

#include <boost/asio/post.hpp>

#include "http/http_call.hpp"
#include "http/response_text.hpp"

namespace mbusd {
namespace {

using std::chrono::steady_clock;

// Requests of one client that are answered in one go; then others have their turn.
constexpr int requests_per_turn = 32;
// What is read ahead while requests wait for their turn; more than headers that are not complete yet.
constexpr std::size_t read_ahead_octets = 2 * header_octets_max;

}  // namespace

http_connection::http_connection(http_environment& environment, std::unique_ptr<byte_stream> stream, connection_origin from)
    : environment_(environment), stream_(std::move(stream)), from_(from), id_(environment.next_id++) {}

http_connection::~http_connection() { close(); }

void http_connection::start() {
    set_deadline(header_patience);
    wait_readable();
}

void http_connection::set_deadline(std::chrono::seconds from_now) {
    environment_.deadlines->set(id_, steady_clock::now() + from_now);
}

void http_connection::late() {
    const auto keep_alive = shared_from_this();
    switch (phase_) {
    case phase::head:
    case phase::body:
        ++environment_.counters.timeouts;
        reject({408, "the request did not come in time"});
        return;
    case phase::answering:
    case phase::streaming:
        ++environment_.counters.timeouts;
        close();
        return;
    default:
        close();
    }
}

void http_connection::wind_up() {
    const auto keep_alive = shared_from_this();
    close_after_ = true;
    if (phase_ == phase::streaming) {
        stream_close();
    } else if (phase_ != phase::answering && phase_ != phase::body) {
        close();
    }
}

// Out of the listener's books; the stream may have gone elsewhere.
void http_connection::leave() {
    phase_ = phase::closed;
    environment_.deadlines->drop(id_);
    input_ = {};
    output_ = {};
    fixed_ = {};
    output_at_ = input_at_ = 0;
    reader_ = {};
    admission_.reset();
    environment_.ended(id_);
}

void http_connection::close() {
    if (phase_ == phase::closed) return;
    const auto call = std::exchange(call_, {}).lock();
    stream_.reset();
    leave();
    if (call) call->over(false);
}

// --- reading ------------------------------------------------------------------------------------

void http_connection::wait_readable() {
    const bool full = phase_ < phase::streaming && phase_ != phase::body && input_.size() - input_at_ >= read_ahead_octets;
    if (phase_ == phase::closed || input_over_ || full || std::exchange(waiting_readable_, true)) return;
    stream_->wait_readable([held = weak_from_this()] {
        const auto self = held.lock();
        if (!self) return;
        self->waiting_readable_ = false;
        if (self->phase_ != phase::closed) self->readable();
    });
}

void http_connection::readable() {
    const auto buffer = environment_.read_buffer;
    const auto got = stream_->read(buffer);
    if (got.what == io_state::ended) {
        input_ended();
        return;
    }
    if (got.what == io_state::failed) {
        input_failed();
        return;
    }
    if (got.what == io_state::done && phase_ != phase::lingering && phase_ != phase::streaming) {
        input_.append(buffer.data(), got.octets);
        take_requests();
    }
    wait_readable();
}

void http_connection::input_failed() {
    if (fresh_ && stream_->encrypted()) {
        ++environment_.counters.tls_failures;
        if (environment_.log.enabled(level::debug)) {
            environment_.log.debug("a TLS client was lost", {{"client", from_.address ? from_.address->text() : "unix"},
                                                             {"reason", stream_->failure()}});
        }
    }
    close();
}

// Who has sent all still wants the answers; who listens to a stream has gone.
void http_connection::input_ended() {
    input_over_ = true;
    if (phase_ == phase::answering) return;
    close();
}

void http_connection::release_input() {
    if (input_at_ == input_.size()) {
        input_ = {};
    } else {
        input_.erase(0, input_at_);
    }
    input_at_ = 0;
}

void http_connection::take_requests() {
    if (std::exchange(taking_, true)) return;
    int taken = 0;
    while (phase_ == phase::idle || phase_ == phase::head || phase_ == phase::body) {
        if (taken == requests_per_turn) {
            boost::asio::post(environment_.context, [held = weak_from_this()] {
                const auto self = held.lock();
                if (!self) return;
                self->take_requests();
                self->wait_readable();
            });
            break;
        }
        std::size_t used = 0;
        const auto step = reader_.feed(std::string_view{input_}.substr(input_at_), used);
        input_at_ += used;
        if (step == request_reader::step::head) {
            head_complete();
        } else if (step == request_reader::step::done) {
            ++taken;
            request_complete();
        } else if (step == request_reader::step::failed) {
            reject(reader_.failure());
        } else {
            if (input_over_) {
                close();
            } else if (phase_ == phase::body) {
                const auto allowed = body_patience + std::chrono::seconds{reader_.body_octets() / body_rate};
                environment_.deadlines->set(id_, since_ + allowed);
            } else if (phase_ == phase::idle && reader_.busy()) {
                phase_ = phase::head;
                set_deadline(header_patience);
            }
            break;
        }
    }
    taking_ = false;
    if (phase_ != phase::closed) release_input();
}

std::size_t http_connection::body_octets_max(const path_table::endpoint& at) const noexcept {
    return std::min(at.rules.body_octets_max, environment_.limits.body_octets);
}

void http_connection::head_complete() {
    ++environment_.counters.requests;
    fresh_ = false;
    admission_ = std::make_unique<admission>(admit(environment_.paths, environment_.site, from_, reader_.take_head()));
    auto& in = *admission_;
    close_after_ = close_after_ || !in.keep_alive;
    if (in.refused) {
        ++environment_.counters.forbidden;
        environment_.log.limited(level::notice, "http-forbidden", "a request was refused",
                                 {{"client", in.request.client}, {"reason", in.answer.body}});
    }
    if (in.endpoint != nullptr) {
        const auto most = body_octets_max(*in.endpoint);
        if (!reader_.accept_body(most)) {
            ++environment_.counters.malformed;
            in.endpoint = nullptr;
            in.answer = problem_response(in.request.prefers_json(), 413, "too-large",
                                         "the body may have at most " + std::to_string(most) + " octets here");
        }
    }
    if (in.endpoint == nullptr) {
        const auto refusal = std::move(admission_);
        close_after_ = close_after_ || refusal->has_body;  // which nobody reads
        reader_ = {};
        respond(std::move(refusal->answer), refusal->extra, refusal->head_only);
        return;
    }
    phase_ = phase::body;
    since_ = steady_clock::now();
    if (in.has_body && in.expects_continue && input_at_ == input_.size()) {
        output_ += continue_head;
        flush();
    }
}

void http_connection::request_complete() {
    auto in = std::move(admission_);
    in->request.body = reader_.take_body();
    chunked_ = in->version == 11;
    phase_ = phase::answering;
    environment_.deadlines->drop(id_);
    const auto call = std::make_shared<http_call>(environment_, shared_from_this(), *in);
    call_ = call;
    try {
        in->endpoint->handle(call);
    } catch (const std::exception& fault) {
        environment_.log.limited(level::error, "http-handler", "an HTTP request could not be handled",
                                 {{"path", in->endpoint->path}, {"error", fault.what()}});
        if (!call->answered()) call->refuse(500, "internal", "the daemon could not handle this request");
    }
}

void http_connection::reject(request_reader::fault why) {
    ++environment_.counters.malformed;
    const bool as_json = !admission_ || admission_->request.prefers_json();
    const auto extra = admission_ ? std::move(admission_->extra) : std::vector<header_field>{};
    const bool head_only = admission_ && admission_->head_only;
    auto text = std::move(why.text);
    if (why.status == 413) {
        const auto most = admission_ ? body_octets_max(*admission_->endpoint) : 0;
        text = "the body may have at most " + std::to_string(most) + " octets here";
    }
    admission_.reset();
    reader_ = {};
    close_after_ = true;
    const bool large = why.status == 413 || why.status == 431;
    respond(problem_response(as_json, why.status, large ? "too-large" : "bad-frame", text), extra, head_only);
}

// --- writing ------------------------------------------------------------------------------------

void http_connection::respond(http_response answer, const std::vector<header_field>& extra, bool head_only) {
    if (phase_ == phase::closed) return;
    const auto keep_alive = shared_from_this();
    const std::string_view body = answer.fixed_body.empty() ? std::string_view{answer.body} : answer.fixed_body;
    output_ += response_head(answer, extra, {.octets = body.size(), .keep_alive = !close_after_, .date = std::time(nullptr)});
    if (!head_only && answer.status != 204 && answer.status != 304) {
        if (answer.fixed_body.empty()) {
            output_ += answer.body;
        } else {
            fixed_ = answer.fixed_body;
        }
    }
    phase_ = phase::answering;
    complete_ = true;
    flush();
}

void http_connection::start_stream(const http_response& answer, bool head_only) {
    if (phase_ != phase::answering || complete_) return;
    const auto keep_alive = shared_from_this();
    close_after_ = close_after_ || !chunked_;  // HTTP/1.0: the end of the connection ends the body
    output_ += response_head(answer, {}, {.octets = std::nullopt, .chunked = chunked_, .keep_alive = !close_after_,
                                          .date = std::time(nullptr)});
    if (head_only) {
        complete_ = true;
    } else {
        phase_ = phase::streaming;
        if (input_over_) {
            close();
            return;
        }
    }
    flush_soon();
}

bool http_connection::stream_write(std::string_view text) {
    if (phase_ != phase::streaming || complete_) return false;
    if (waiting() > 0 && waiting() + text.size() > environment_.limits.output_octets) {
        ++environment_.counters.slow_readers;
        environment_.log.limited(level::notice, "http-slow", "a client that reads too slowly was closed",
                                 {{"client", from_.address ? from_.address->text() : "unix"},
                                  {"waiting", std::to_string(waiting())}, {"setting", "gateway.output_octets"}});
        const auto keep_alive = shared_from_this();
        close();
        return false;
    }
    if (chunked_) {
        append_chunk(output_, text);
    } else {
        output_ += text;
    }
    flush_soon();
    return true;
}

void http_connection::stream_close() {
    if (phase_ != phase::streaming || std::exchange(complete_, true)) return;
    if (chunked_) output_ += last_chunk;
    flush_soon();
}

upgraded http_connection::upgrade(const std::vector<header_field>& headers) {
    if (phase_ != phase::answering || complete_) return {};
    const auto keep_alive = shared_from_this();
    const auto head = switching_head(headers);
    for (std::size_t at = 0; at < head.size();) {
        const octet_view rest{head.data() + at, head.size() - at};
        const auto put = stream_->write({&rest, 1});
        if (put.what != io_state::done) {
            // Gone, or one that asks for more while it has not read what it asked for before.
            close();
            return {};
        }
        at += put.octets;
    }
    upgraded out{std::move(stream_), input_.substr(input_at_)};
    call_.reset();
    leave();
    return out;
}

// Once per turn, however much is written in it.
void http_connection::flush_soon() {
    if (std::exchange(flush_posted_, true)) return;
    boost::asio::post(environment_.context, [held = weak_from_this()] {
        const auto self = held.lock();
        if (!self) return;
        self->flush_posted_ = false;
        self->flush();
    });
}

void http_connection::flush() {
    if (phase_ == phase::closed || waiting_writable_) return;
    while (waiting() > 0) {
        const octet_view pieces[] = {{output_.data() + output_at_, output_.size() - output_at_}, {fixed_.data(), fixed_.size()}};
        const bool first_done = pieces[0].size == 0;
        const auto put = stream_->write(std::span{pieces}.subspan(first_done ? 1 : 0, first_done || fixed_.empty() ? 1 : 2));
        if (put.what == io_state::done) {
            const auto of_output = std::min(put.octets, pieces[0].size);
            output_at_ += of_output;
            fixed_.remove_prefix(put.octets - of_output);
            continue;
        }
        if (put.what != io_state::again) {
            close();
            return;
        }
        if (phase_ == phase::answering || phase_ == phase::streaming) set_deadline(write_patience);
        waiting_writable_ = true;
        stream_->wait_writable([held = weak_from_this()] {
            const auto self = held.lock();
            if (!self) return;
            self->waiting_writable_ = false;
            self->flush();
        });
        if (output_at_ > output_.size() / 2) {
            output_.erase(0, output_at_);
            output_at_ = 0;
        }
        return;
    }
    written();
}

void http_connection::written() {
    output_ = {};
    output_at_ = 0;
    fixed_ = {};
    if (std::exchange(complete_, false)) {
        answered();
    } else if (phase_ == phase::streaming) {
        environment_.deadlines->drop(id_);
    }
}

void http_connection::answered() {
    const auto call = std::exchange(call_, {}).lock();
    if (close_after_) {
        linger_on();
    } else {
        phase_ = phase::idle;
        set_deadline(environment_.limits.idle);
    }
    if (call) call->over(true);
    if (phase_ != phase::idle || taking_) return;
    take_requests();
    if (phase_ != phase::closed) wait_readable();
}

void http_connection::linger_on() {
    if (input_over_) {
        close();
        return;
    }
    phase_ = phase::lingering;
    input_ = {};
    input_at_ = 0;
    stream_->finish_output();
    set_deadline(linger);
    wait_readable();
}

}  // namespace mbusd
