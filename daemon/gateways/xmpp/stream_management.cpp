// Stream management: acknowledgements and resumption (XEP-0198).
#include <charconv>
#include <optional>

#include "gateways/xmpp/namespaces.hpp"
#include "gateways/xmpp/session.hpp"
#include "gateways/xmpp/stream.hpp"
#include "xml/writer.hpp"

namespace mbusd::xmpp {
namespace {

using xml::element;

// All of `text`; nothing when it is no number of 32 bits.
std::optional<std::uint32_t> number_of(std::string_view text) noexcept {
    std::uint32_t out = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), out);
    return fault == std::errc{} && end == text.data() + text.size() ? std::optional{out} : std::nullopt;
}

}  // namespace

void stream::on_resume(time_point now, const element& what) {
    const auto handled = number_of(what.value_of("h"));
    if (!handled) return refuse_management("bad-request");
    auto* found = guest_ ? nullptr : host_.resume(now, *this, user_, what.value_of("previd"));
    if (found == nullptr) return refuse_management("item-not-found");
    if (!found->queue.acknowledge(*handled)) {
        // Nobody can say any more what this client has; its session ends.
        const auto sent = found->queue.sent_count();
        host_.closed(now, *found);
        return fail_handled_too_high(now, *handled, sent);
    }
    session_ = found;
    session_->attach(*this);
    session_->expires = never;
    state_ = state::bound;
    element resumed{ns::management, "resumed"};
    resumed.set("previd", what.value_of("previd")).set("h", std::to_string(session_->queue.handled()));
    output_.send(xml::to_text(resumed));
    session_->send_again();
}

bool stream::on_management(time_point now, const element& what) {
    auto& queue = session_->queue;
    if (what.name() == "r") {
        element answer{ns::management, "a"};
        answer.set("h", std::to_string(queue.handled()));
        output_.send(xml::to_text(answer));
        return true;
    }
    if (what.name() == "a") on_acknowledgement(now, what);
    else if (what.name() == "enable") on_enable(what);
    else if (what.name() == "resume") refuse_management("unexpected-request");
    else return false;
    return true;
}

void stream::on_acknowledgement(time_point now, const element& what) {
    auto& queue = session_->queue;
    const auto handled = number_of(what.value_of("h"));
    if (!handled) return fail(now, "bad-format", "h is a number");
    if (!queue.acknowledge(*handled)) fail_handled_too_high(now, *handled, queue.sent_count());
}

// XEP-0198, section 4: the other side counts what was never sent.
void stream::fail_handled_too_high(time_point now, std::uint32_t handled, std::uint32_t sent) {
    element detail{ns::management, "handled-count-too-high"};
    detail.set("h", std::to_string(handled)).set("send-count", std::to_string(sent));
    fail(now, "undefined-condition", "more was acknowledged than was sent", detail);
}

void stream::refuse_management(std::string_view condition) {
    element failed{ns::management, "failed"};
    failed.add(ns::stanza_errors, condition);
    output_.send(xml::to_text(failed));
}

void stream::on_enable(const element& what) {
    auto& queue = session_->queue;
    if (queue.enabled()) return refuse_management("unexpected-request");
    queue.enable();
    element enabled{ns::management, "enabled"};
    const auto resume = what.value_of("resume");
    if ((resume == "true" || resume == "1") && !session_->guest() && host_.resumption().count() != 0) {
        session_->management_id = host_.random_text(24);
        enabled.set("id", session_->management_id).set("resume", "true").set("max", std::to_string(host_.resumption().count()));
    }
    output_.send(xml::to_text(enabled));
}

}  // namespace mbusd::xmpp
