// Requests of a client: attach, detach, watch, grant, revoke (docs/mbws.md, section 3).
#include <algorithm>
#include <utility>

#include "mbws/broker_session.hpp"

namespace mbus::mbws {
namespace {

constexpr std::size_t globs_octets_max = 1024;
constexpr std::size_t queue_name_octets_max = 64;
constexpr std::string_view dead_queue = ".dead";  // of a queue with the longest name, too

bool is_queue_name(std::string_view name) noexcept {
    const std::size_t longest = queue_name_octets_max + (name.ends_with(dead_queue) ? dead_queue.size() : 0);
    return !name.empty() && name.size() <= longest && std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
               c == '_' || c == '.';
    });
}

bool same(const attach_request& left, const attach_request& right) {
    return left.mode == right.mode && left.entity == right.entity && left.has_entity == right.has_entity &&
           left.policy == right.policy && left.type == right.type && left.commands == right.commands &&
           left.queue == right.queue;
}

error unknown_word(std::string_view what) { return {errc::bad_frame, std::string{what}}; }

// The fields of an attach, checked one by one.
result<attach_request> read_attach(const frame_view& frame, std::uint32_t window) {
    attach_request asked;
    asked.request = frame.integer32(key::request);
    if (frame.has(key::mode)) {
        const auto mode = attach_mode_from_string(frame.text(key::mode));
        if (!mode) return unknown_word("mode is one of entity, queue, monitor");
        asked.mode = *mode;
    }
    if (frame.has(key::policy)) {
        const auto policy = reader_policy_from_string(frame.text(key::policy));
        if (!policy)
            return unknown_word("policy is one of drop-oldest, drop-newest, latest, block, disconnect");
        asked.policy = *policy;
    }
    asked.has_entity = frame.has(key::entity);
    if (asked.has_entity) {
        auto entity = mbus::address::parse(frame.text(key::entity));
        if (!entity) return error{errc::bad_address, "entity: " + entity.error().text};
        asked.entity = std::move(*entity);
    } else if (asked.mode != attach_mode::queue) {
        return error{errc::bad_address, "attach needs the field entity"};
    }
    asked.type = frame.text(key::type);
    if (!asked.type.empty() && asked.type != "*/*" && !is_media_type(asked.type)) {
        return unknown_word("type is a media type such as image/png, or */*");
    }
    asked.commands = frame.text(key::command);
    if (asked.commands.size() > globs_octets_max) {
        return error{errc::too_large, "command holds at most 1024 octets of globs"};
    }
    asked.queue = frame.text(key::queue);
    if (asked.mode == attach_mode::queue) {
        if (!is_queue_name(asked.queue)) {
            return unknown_word("queue is a name of 1 to 64 letters, digits, '-', '_' and '.'");
        }
        if (window == 0)
            return error{errc::window, "a queue needs acknowledgements; connect with a window above 0"};
    }
    return asked;
}

}  // namespace

verdict broker_session::on_request(time_point now, const frame_view& frame) {
    const std::uint32_t request = frame.integer32(key::request);
    if (request == 0) {
        return fail(now, errc::bad_frame,
                    std::string{to_string(frame.verb)} + " needs the field request, not 0");
    }
    const bool attaches = frame.verb == verb::attach;
    const bool watches = frame.verb == verb::watch;
    result<void> done;
    if ((!attaches && attach_by_request(request) != nullptr) ||
        (!watches && watch_by_request(request) != nullptr)) {
        done = error{errc::conflict, "this request number belongs to an active attach or watch; use another"};
    } else if (attaches) {
        done = on_attach(now, request, frame);
    } else if (watches) {
        done = on_watch(now, request, frame);
    } else if (frame.verb == verb::detach) {
        done = on_detach(now, request, frame);
    } else if (frame.verb == verb::grant) {
        done = on_grant(now, request, frame);
    } else {
        done = on_revoke(now, request, frame);
    }
    if (!done) write_nak(request, done.error());
    return verdict::go_on;
}

attachment* broker_session::attach_by_request(std::uint32_t request) noexcept {
    for (const auto& each : attachments_) {
        if (each->active && each->asked.request == request) return each.get();
    }
    return nullptr;
}

broker_session::watching* broker_session::watch_by_request(std::uint32_t request) noexcept {
    for (const auto& each : watches_) {
        if (each->active && each->asked.request == request) return each.get();
    }
    return nullptr;
}

// A slot is free when its attach has gone and nothing waits for it any more.
std::uint32_t broker_session::free_slot() {
    for (std::size_t slot = 0; slot < attachments_.size(); ++slot) {
        if (!attachments_[slot]->active && attachments_[slot]->queued == 0)
            return static_cast<std::uint32_t>(slot);
    }
    attachments_.push_back(std::make_unique<attachment>());
    return static_cast<std::uint32_t>(attachments_.size() - 1);
}

result<void> broker_session::on_attach(time_point now, std::uint32_t request, const frame_view& frame) {
    auto asked = read_attach(frame, window_);
    if (!asked) return asked.error();
    if (const attachment* active = attach_by_request(request)) {
        if (!same(active->asked, *asked)) {
            return error{errc::conflict, "this request number attached something else; use another"};
        }
        scratch_.clear();
        append_field(scratch_, key::entity, active->entity.text());
        write_ok(request);
        return {};
    }
    if (attached_ >= settings_.attaches_max) {
        return error{errc::limit, "this session has " + std::to_string(attached_) +
                                      " attaches, as many as are allowed; detach one"};
    }
    asked->slot = free_slot();
    attachment& fresh = *attachments_[asked->slot];
    fresh.asked = std::move(*asked);
    auto answer = host_.attach(now, *this, fresh.asked);
    if (!answer) return answer.error();
    fresh.entity = std::move(answer->entity);
    fresh.handle = answer->handle;
    fresh.entity_field.clear();
    append_field(fresh.entity_field, key::entity, fresh.entity.text());
    fresh.active = true;
    ++attached_;
    if (fresh.asked.mode == attach_mode::entity) senders_.push_back(fresh.asked.slot);
    if (journal_ != nullptr) {
        journal_->attached(*this, fresh);
        hold_answers();
    }
    scratch_.clear();
    append_field(scratch_, key::entity, fresh.entity.text());
    write_ok(request);
    return {};
}

result<void> broker_session::on_detach(time_point now, std::uint32_t request, const frame_view& frame) {
    const std::uint64_t about = frame.integer(key::about);
    const std::uint32_t wanted = about <= 0xFFFFFFFF ? static_cast<std::uint32_t>(about) : 0;
    attachment* const attach = wanted == 0 ? nullptr : attach_by_request(wanted);
    watching* const watch = wanted == 0 ? nullptr : watch_by_request(wanted);
    if (attach != nullptr) {
        attach->active = false;  // what waits for it is still delivered
        --attached_;
        std::erase(senders_, attach->asked.slot);
        from_text_.clear();
        if (journal_ != nullptr) journal_->detached(*this, *attach);
        host_.detach(now, *this, *attach);
    } else if (watch != nullptr) {
        watch->active = false;
        --watching_;
        watch->ok_owed = false;
        watch->pending.clear();
        watch->order.clear();
        if (journal_ != nullptr) journal_->unwatched(*this, watch->asked);
        host_.unwatch(*this, watch->asked);
    } else {
        return error{errc::not_found, "about names no active attach or watch of this session"};
    }
    if (journal_ != nullptr) hold_answers();
    scratch_.clear();
    write_ok(request);
    return {};
}

result<void> broker_session::on_watch(time_point now, std::uint32_t request, const frame_view& frame) {
    if (!frame.has(key::to))
        return error{errc::bad_address, "watch needs the field to, a pattern; () is everyone"};
    auto pattern = mbus::address::parse(frame.text(key::to));
    if (!pattern) return error{errc::bad_address, "to: " + pattern.error().text};
    if (watching* active = watch_by_request(request)) {
        if (active->asked.pattern != *pattern) {
            return error{errc::conflict, "this request number watches something else; use another"};
        }
        active->asked.again = true;
        start_watch(now, *active);
        return {};
    }
    if (watching_ >= settings_.watches_max) {
        return error{errc::limit, "this session has " + std::to_string(watching_) +
                                      " watches, as many as are allowed; detach one"};
    }
    auto place = std::ranges::find_if(watches_, [](const auto& each) { return !each->active; });
    if (place == watches_.end()) place = watches_.insert(place, std::make_unique<watching>());
    watching& fresh = **place;
    fresh.asked = {static_cast<std::uint32_t>(place - watches_.begin()), request, std::move(*pattern), false};
    fresh.active = true;
    ++watching_;
    start_watch(now, fresh);
    return {};
}

// One `entity` frame per match, then `ok`; or `nak`, which ends the watch.
void broker_session::start_watch(time_point now, watching& what) {
    what.pending.clear();
    what.order.clear();
    what.ok_owed = false;
    const auto matched = host_.watch(now, *this, what.asked);
    if (!matched) {
        what.active = false;
        --watching_;
        what.pending.clear();
        what.order.clear();
        if (journal_ != nullptr) journal_->unwatched(*this, what.asked);
        write_nak(what.asked.request, matched.error());
        return;
    }
    what.matched = *matched;
    what.ok_owed = true;
    if (journal_ != nullptr && !what.asked.again) {
        journal_->watched(*this, what.asked);
        hold_answers();
    }
    fill_watches();
    if (what.ok_owed && port_ != nullptr) port_->wake();
}

result<void> broker_session::on_grant(time_point now, std::uint32_t request, const frame_view& frame) {
    const auto owner = sender_of(frame.text(key::entity));
    if (!owner) return owner.error();
    if (frame.text(key::command).size() > globs_octets_max) {
        return error{errc::too_large, "command holds at most 1024 octets of globs"};
    }
    const grant_request asked{request, *owner, frame.text(key::command), frame.integer32(key::expiry),
                              frame.integer32(key::uses)};
    const auto made = host_.grant(now, *this, asked);
    if (!made) return made.error();
    if (journal_ != nullptr) hold_answers();
    scratch_.clear();
    append_field(scratch_, key::url, made->url);
    if (made->expiry != 0) append_field(scratch_, key::expiry, std::uint64_t{made->expiry});
    if (made->uses != 0) append_field(scratch_, key::uses, std::uint64_t{made->uses});
    write_ok(request);
    return {};
}

result<void> broker_session::on_revoke(time_point now, std::uint32_t request, const frame_view& frame) {
    if (!frame.has(key::url)) return error{errc::bad_frame, "revoke needs the field url"};
    if (auto done = host_.revoke(now, *this, frame.text(key::url)); !done) return done;
    if (journal_ != nullptr) hold_answers();
    scratch_.clear();
    write_ok(request);
    return {};
}

}  // namespace mbus::mbws
