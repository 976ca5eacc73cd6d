// Requests of the client's session: each is repeated until it was answered; attaches and watches
// again in every new session.
#include <utility>

#include "mbws/client_session.hpp"

namespace mbus::mbws {
namespace {

// A request's texts come from the application. What no field can hold becomes '?', and the broker's
// answer says what is wrong.
constexpr std::size_t request_text_octets_max = 16384;

void append_text(std::string& fields, key which, std::string_view value) {
    if (!value.empty()) append_field(fields, which, make_field_text(value, request_text_octets_max));
}

}  // namespace

std::uint32_t client_session::add_request(verb which, const std::string& fields, std::uint32_t about) {
    const std::uint32_t number = ++last_request_;
    open_request& fresh = requests_[number];
    fresh.verb = which;
    fresh.about = about;
    frame_writer writer{fresh.frame, which};
    writer.set(key::request, std::uint64_t{number}).raw_fields(fields);
    static_cast<void>(writer.finish());  // request_text_octets_max keeps it below H's limit
    if (state_ == state::connecting || state_ == state::connected) write_request(fresh);
    return number;
}

void client_session::write_request(open_request& what) {
    out_.append(what.frame);
    what.sent = true;
    what.answered = false;
}

std::uint32_t client_session::attach(const client_attach& what) {
    std::string fields;
    append_text(fields, key::entity, what.entity);
    if (what.mode != attach_mode::entity) append_field(fields, key::mode, to_string(what.mode));
    if (what.policy != reader_policy::drop_oldest) append_field(fields, key::policy, to_string(what.policy));
    append_text(fields, key::type, what.type);
    append_text(fields, key::command, what.commands);
    append_text(fields, key::queue, what.queue);
    return add_request(verb::attach, fields);
}

std::uint32_t client_session::watch(std::string_view pattern) {
    std::string fields;
    append_text(fields, key::to, pattern);
    return add_request(verb::watch, fields);
}

std::uint32_t client_session::detach(std::uint32_t about) {
    std::string fields;
    append_field(fields, key::about, std::uint64_t{about});
    if (const auto found = requests_.find(about); found != requests_.end()) found->second.cancelled = true;
    return add_request(verb::detach, fields, about);
}

std::uint32_t client_session::grant(const client_grant& what) {
    std::string fields;
    append_text(fields, key::entity, what.entity);
    append_text(fields, key::command, what.commands);
    if (what.expiry != 0) append_field(fields, key::expiry, std::uint64_t{what.expiry});
    if (what.uses != 0) append_field(fields, key::uses, std::uint64_t{what.uses});
    return add_request(verb::grant, fields);
}

std::uint32_t client_session::revoke(std::string_view url) {
    std::string fields;
    append_text(fields, key::url, url);
    return add_request(verb::revoke, fields);
}

// Writes what has to be asked (again) on this connection. In a new session attaches and watches are
// made anew; what undoes something of the old one is done already.
void client_session::send_requests(bool new_session) {
    std::vector<std::uint32_t> done;
    std::vector<std::uint32_t> restarted;
    for (auto it = requests_.begin(); it != requests_.end();) {
        auto& [number, request] = *it;
        const bool undoes = request.verb == verb::detach || request.verb == verb::revoke;
        if (request.sent || (!new_session && request.answered)) {
            ++it;
        } else if (new_session && (undoes || request.cancelled)) {
            if (undoes) done.push_back(number);
            it = requests_.erase(it);
        } else {
            if (request.verb == verb::watch && request.answered) restarted.push_back(number);
            write_request(request);
            ++it;
        }
    }
    for (const std::uint32_t number : restarted) handler_.on_watch_restarted(number);
    for (const std::uint32_t number : done) handler_.on_done(number);
}

// After a resume the broker tells all that is present once more, unasked.
void client_session::restart_watches() {
    std::vector<std::uint32_t> restarted;
    for (const auto& [number, request] : requests_) {
        if (request.verb == verb::watch && request.answered && !request.cancelled)
            restarted.push_back(number);
    }
    for (const std::uint32_t number : restarted) handler_.on_watch_restarted(number);
}

bool client_session::on_ok(const frame_view& frame) {
    const std::uint32_t number = frame.integer32(key::request);
    const auto found = requests_.find(number);
    if (found == requests_.end()) return true;  // undone meanwhile
    found->second.answered = true;
    switch (found->second.verb) {
    case verb::attach: handler_.on_attached(number, frame.text(key::entity)); break;
    case verb::watch: handler_.on_watched(number, frame.integer32(key::matched)); break;
    case verb::grant:
        requests_.erase(found);
        handler_.on_granted(number, frame.text(key::url), frame.integer32(key::expiry),
                            frame.integer32(key::uses));
        break;
    default:
        forget_request(number);
        handler_.on_done(number);
        break;
    }
    return true;
}

// The request, and what it has undone.
void client_session::forget_request(std::uint32_t request) {
    const auto found = requests_.find(request);
    if (found == requests_.end()) return;
    const std::uint32_t about = found->second.about;
    requests_.erase(found);
    if (about != 0) requests_.erase(about);
}

void client_session::on_request_nak(const frame_view& frame) {
    const std::uint32_t number = frame.integer32(key::request);
    const auto found = requests_.find(number);
    if (found == requests_.end()) return;
    const errc code = errc_from_string(frame.text(key::code));
    const bool undoes = found->second.verb == verb::detach || found->second.verb == verb::revoke;
    // Asked twice because the first answer was lost: it is done.
    const bool done_before = undoes && found->second.sent_before && code == errc::not_found;
    forget_request(number);
    if (done_before) {
        handler_.on_done(number);
    } else {
        handler_.on_refused(number, {code, std::string{frame.text(key::text)}});
    }
}

}  // namespace mbus::mbws
