// What a link receives.
#include <algorithm>

#include "mbws/link_session.hpp"

namespace mbus::mbws {

verdict link_session::handle(time_point now, const frame_view& frame) {
    if (port_ == nullptr) return verdict::closing;
    heard_ = now;
    const verdict what_next = dispatch(now, frame);
    host_.link_touched(*this);
    return what_next;
}

verdict link_session::dispatch(time_point now, const frame_view& frame) {
    switch (frame.verb) {
    case verb::connected: return on_connected(now, frame);
    case verb::error: return on_error(now, frame);
    case verb::close: return on_close(now);
    case verb::ping:
        if (frame.body.size() > ping_octets_max) {
            return fail(now, errc::bad_frame, "the body of a ping has at most 64 octets");
        }
        write(verb::pong, {}, frame.number, frame.body);
        return verdict::go_on;
    case verb::pong: return verdict::go_on;
    default: break;
    }
    if (state_ == link_state::opening) {
        return fail(now, errc::bad_frame, "the first frame after connect is connected or error");
    }
    // What was under way when this side closed or the link stood by has no effect any more.
    if (state_ != link_state::active) return verdict::go_on;
    switch (frame.verb) {
    case verb::message:
    case verb::receipt: return on_numbered(now, frame);
    case verb::nak:
        if (frame.has(key::about)) return on_numbered(now, frame);
        on_answer(now, frame);
        return verdict::go_on;
    case verb::ok: on_answer(now, frame); return verdict::go_on;
    case verb::ack: return on_ack(now, frame.number);
    case verb::attach:
    case verb::detach:
    case verb::watch:
    case verb::grant:
    case verb::revoke: return on_request(now, frame);
    case verb::entity: return verdict::go_on;  // the answer to a watch, which this side never asks for
    case verb::connect: return fail(now, errc::bad_frame, "a connection has one connect");
    default: break;
    }
    return fail(now, errc::bad_frame, "unknown verb; this broker speaks version 1 (docs/mbws.md, section 2.3)");
}

// --- messages and outcomes ----------------------------------------------------------------------

verdict link_session::on_numbered(time_point now, const frame_view& frame) {
    switch (intake_.take(now, frame.number, options_.window)) {
    case number_intake::outcome::skipped:
        return fail(now, errc::bad_frame, "a number was skipped; after a resume send again from received + 1");
    case number_intake::outcome::beyond_window:
        return fail(now, errc::window,
                    "more frames in flight than the window in connect or connected allows; wait for ack");
    case number_intake::outcome::duplicate: ++counters_.duplicates; return verdict::go_on;
    case number_intake::outcome::fresh: break;
    }
    bool done = true;
    if (frame.verb != verb::message) {
        on_outcome(now, frame);
    } else if (!frame.has(key::code)) {  // with a code: what it was has expired over there
        done = on_message(now, frame);
    }
    if (port_ == nullptr) return verdict::closing;  // a call of the host ended it
    intake_.mark(frame.number, done);
    note_taken(now);
    return verdict::go_on;
}

// True when the message is taken over already.
bool link_session::on_message(time_point now, const frame_view& frame) {
    ++counters_.received;
    const bool wanted = frame.receipt_wanted() || frame.reliable();
    if (wanted) ++receipts_waiting_;
    const route_status status = route(now, frame);
    if (wanted && status != route_status::receipt_later && status != route_status::take_over_later) {
        --receipts_waiting_;
        if (status == route_status::routed) settle(now, frame.number, report_, false);
    }
    if (status == route_status::refused) {
        ++counters_.refused;
        settle(now, frame.number, report_, true);
    }
    return status != route_status::take_over_later;
}

// Checks the message and hands it to the host; the report of a refusal is in report_.
route_status link_session::route(time_point now, const frame_view& frame) {
    report_ = {};
    const auto refuse = [this](errc code, std::string text) {
        report_.code = code;
        report_.text = std::move(text);
        return route_status::refused;
    };
    if (!frame.has(key::to)) return refuse(errc::bad_address, "a message needs the field to");
    const std::string_view from = frame.text(key::from);
    if (from_text_.empty() || from != from_text_) {
        auto found = import_of_.find(std::string{from});
        if (found == import_of_.end()) {
            // Perhaps the same address in another form.
            const auto parsed = mbus::address::parse(from);
            if (parsed) found = import_of_.find(std::string{parsed->text()});
        }
        if (found == import_of_.end()) {
            return refuse(errc::forbidden, "from is not an entity that was attached on this link");
        }
        from_text_ = from;
        from_handle_ = imports_.at(found->second).handle;
    }
    link_message what;
    what.number = frame.number;
    what.reliable = frame.reliable();
    what.receipt_wanted = frame.receipt_wanted();
    what.to = frame.text(key::to);
    what.from = from;
    what.from_handle = from_handle_;
    what.body = frame.body;
    what.time = frame.integer(key::time);
    what.ttl = frame.integer32(key::ttl);
    what.via = frame.text(key::via);
    what.origin = frame.text(key::origin);
    const std::string_view type = frame.text(key::type);
    if (is_command_type(type)) {
        auto found = check_commands(frame.body);
        if (!found) return refuse(errc::bad_command, found.error().text);
        if (found->has_ping) return refuse(errc::bad_command, "mbus.ping does not cross a link");
        what.commands = *found;
    } else {
        if (!is_media_type(type)) return refuse(errc::bad_command, "type must be a media type such as image/png");
        what.type = type;
    }
    return host_.link_route(now, *this, what, report_);
}

void link_session::on_outcome(time_point now, const frame_view& frame) {
    const bool refused = frame.verb == verb::nak;
    if (refused) ++counters_.naks;
    const auto found = numbered_.find(frame.integer(key::about));
    if (found == numbered_.end()) {
        if (!refused) ++counters_.late;
        return;
    }
    route_report report;
    report.failed = refused || frame.has(key::code);
    if (report.failed) {
        report.code = errc_from_string(frame.text(key::code));
        report.text = frame.text(key::text);
    }
    report.matched = frame.integer32(key::matched);
    report.entity = frame.text(key::entity);
    report.tried = static_cast<std::uint8_t>(frame.integer(key::tried));
    report.took = frame.integer32(key::took);
    tell_outcome(now, found->second, report);
}

verdict link_session::on_ack(time_point now, std::uint64_t number) {
    if (number > last_number_) return fail(now, errc::bad_frame, "an ack for a number that was never sent");
    while (outbox_.head() != outbox::none) {
        const outbox_entry& first = outbox_.at(outbox_.head());
        if (first.number == 0 || first.number > number) break;
        remove_entry(outbox_.head());
    }
    if (outbox_.unsent() != outbox::none || !withdrawals_due_.empty()) port_->wake();
    if (input_stopped_ && wants_input()) port_->read_again();
    return verdict::go_on;
}

void link_session::take_over(time_point now, std::uint64_t number) {
    intake_.take_over(number);
    note_taken(now);
    host_.link_touched(*this);
}

// --- requests -----------------------------------------------------------------------------------

verdict link_session::on_request(time_point now, const frame_view& frame) {
    const std::uint32_t request = frame.integer32(key::request);
    if (request == 0) {
        return fail(now, errc::bad_frame, std::string{to_string(frame.verb)} + " needs the field request, not 0");
    }
    result<void> done{errc::forbidden,
                      "a link carries entities and messages; open a session for watches and capability URLs"};
    if (frame.verb == verb::attach) done = on_attach(now, request, frame);
    if (frame.verb == verb::detach) done = on_detach(now, frame);
    if (port_ == nullptr) return verdict::closing;
    scratch_.clear();
    append_field(scratch_, key::request, std::uint64_t{request});
    if (done) {
        if (const auto found = imports_.find(request); frame.verb == verb::attach && found != imports_.end()) {
            append_field(scratch_, key::entity, found->second.entity);
        }
        write(verb::ok, scratch_);
    } else {
        append_field(scratch_, key::code, to_string(std::min(done.error().code, errc::internal)));
        append_field(scratch_, key::text, make_field_text(done.error().text, 1024));
        write(verb::nak, scratch_);
    }
    return port_ == nullptr ? verdict::closing : verdict::go_on;
}

result<void> link_session::on_attach(time_point now, std::uint32_t request, const frame_view& frame) {
    const auto entity = mbus::address::parse(frame.text(key::entity));
    if (!entity || !entity->find("id")) {
        return error{errc::bad_address, "attach on a link names an entity with its full address, id included"};
    }
    if (frame.has(key::mode) && frame.text(key::mode) != "entity") {
        return error{errc::forbidden, "a link carries entities; queues and monitors need a session"};
    }
    std::string text{entity->text()};
    if (const auto known = imports_.find(request); known != imports_.end()) {
        if (known->second.entity == text) return {};  // repeated: the answer was lost
        return error{errc::conflict, "this request number belongs to another attach"};
    }
    if (import_of_.contains(text)) return error{errc::conflict, "the entity is attached on this link already"};
    if (imports_.size() >= link_attaches_max) return error{errc::limit, "a link carries 65536 entities at most"};
    auto handle = host_.link_attach(now, *this, *entity);
    if (!handle) return std::move(handle).error();
    if (port_ == nullptr) {
        host_.link_detach(now, *this, *handle);
        return error{errc::no_session, "the link was closed meanwhile"};
    }
    import_of_.emplace(text, request);
    imports_.emplace(request, hosted{std::move(text), *handle});
    return {};
}

result<void> link_session::on_detach(time_point now, const frame_view& frame) {
    const auto found = imports_.find(frame.integer32(key::about));
    if (found == imports_.end()) return error{errc::not_found, "about names no attach that is active"};
    const hosted gone = std::move(found->second);
    imports_.erase(found);
    import_of_.erase(gone.entity);
    from_text_.clear();
    host_.link_detach(now, *this, gone.handle);
    return {};
}

void link_session::on_answer(time_point now, const frame_view& frame) {
    const std::uint32_t request = frame.integer32(key::request);
    if (const auto gone = withdrawals_.find(request); gone != withdrawals_.end()) {
        // Also a nak: it was done before the connection broke.
        const withdrawal done = std::move(gone->second);
        withdrawals_.erase(gone);
        withdrawing_.erase(done.entity);
        if (done.attach_again) show(done.entity);
        return;
    }
    const auto named = by_request_.find(request);
    if (named == by_request_.end()) return;
    const std::string entity = named->second;
    if (frame.verb == verb::ok) {
        exports_.at(entity).answered = true;
        return;
    }
    by_request_.erase(named);
    exports_.erase(entity);
    const auto parsed = mbus::address::parse(entity);
    if (!parsed) return;
    host_.link_refused(now, *this, *parsed,
                       {errc_from_string(frame.text(key::code)), std::string{frame.text(key::text)}});
}

}  // namespace mbus::mbws
