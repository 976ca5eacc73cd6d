// A stream on its way to a session: SASL (RFC 6120, section 6) and binding (section 7).
#include <utility>

#include "gateways/xmpp/jid.hpp"
#include "gateways/xmpp/namespaces.hpp"
#include "gateways/xmpp/session.hpp"
#include "gateways/xmpp/stanza.hpp"
#include "gateways/xmpp/stream.hpp"
#include "xml/writer.hpp"

namespace mbusd::xmpp {
namespace {

using xml::element;

element sasl_element(std::string_view name, std::string_view data) {
    element out{ns::sasl, name};
    out.add_text(data);
    return out;
}

}  // namespace

// After wrong passwords from its address the next one waits; what the client sends meanwhile follows it.
void stream::on_login(time_point now, element what) {
    if (what.space() != ns::sasl) return fail(now, "not-authorized", "log in first");
    if (held_.empty()) {
        const auto wait = output_.login_wait();
        if (wait.count() == 0) return look_at_login(now, what);
        held_until_ = now + wait;
    }
    if (held_.size() == held_max) return fail(now, "policy-violation", "wait for the answer to the last password");
    held_.push_back(std::move(what));
}

void stream::look_at_held(time_point now) {
    held_until_ = never;
    for (auto& each : std::exchange(held_, {})) {
        if (finished_ || state_ == state::closing) return;
        on_element(now, std::move(each));
    }
}

void stream::look_at_login(time_point now, const element& what) {
    if (what.name() == "auth") return answer_login(now, sasl_->begin(what.value_of("mechanism"), what.text()));
    if (what.name() == "response") return answer_login(now, sasl_->go_on(what.text()));
    if (what.name() == "abort") return answer_login(now, sasl_->abort());
    fail(now, "not-authorized", "log in first");
}

void stream::answer_login(time_point now, const sasl_answer& answer) {
    switch (answer.what) {
    case sasl_answer::kind::challenge: output_.send(xml::to_text(sasl_element("challenge", answer.data))); return;
    case sasl_answer::kind::success:
        output_.send(xml::to_text(sasl_element("success", answer.data)));
        user_ = sasl_->user();
        guest_ = sasl_->guest();
        sasl_.reset();
        state_ = state::restarting;
        answered_open_ = false;
        logged_in_ = true;
        host_.login_granted(guest_);
        return;
    case sasl_answer::kind::failure: break;
    }
    element failure{ns::sasl, "failure"};
    failure.add(ns::sasl, answer.condition);
    failure.add(ns::sasl, "text").set(xml::xml_namespace, "lang", "en").add_text(answer.text);
    output_.send(xml::to_text(failure));
    host_.login_refused(answer.condition);
    if (answer.condition == "not-authorized" || answer.condition == "invalid-authzid") output_.login_failed();
    if (sasl_->failures() >= login_failures_max) fail(now, "policy-violation", "too many wrong passwords");
}

// --- binding --------------------------------------------------------------------------------------------

void stream::on_unbound(time_point now, element what) {
    if (what.is(ns::management, "resume")) return on_resume(now, what);
    if (what.is(ns::management, "enable")) return refuse_management("unexpected-request");
    const auto* request = what.child(ns::bind, "bind");
    if (what.is(ns::client, "iq") && what.value_of("type") == "set" && request != nullptr) return on_bind(now, what, *request);
    fail(now, "not-authorized", "bind a resource first");
}

void stream::on_bind(time_point now, const element& iq, const element& request) {
    const auto* given = request.child(ns::bind, "resource");
    const auto resource = given == nullptr ? std::string{} : given->text();
    element answer{ns::client, "iq"};
    if (const auto id = iq.get("id")) answer.set("id", *id);
    const auto refuse = [&](const stanza_fault& why) {
        auto refused = error_of(answer, why);
        output_.send(xml::to_text(refused));
    };
    if (iq.value_of("id").empty()) return refuse({"modify", "bad-request", "an iq has an id"});
    if (!resource.empty() && !jid::parse(user_ + '@' + std::string{host_.domain()} + '/' + resource)) {
        return refuse({"modify", "bad-request", "a resource has at most 1023 octets and no control characters"});
    }
    auto* bound = host_.bind(now, *this, user_, guest_, resource);
    if (bound == nullptr) return refuse({"wait", "resource-constraint", "there are as many sessions as are allowed"});
    session_ = bound;
    session_->attach(*this);
    state_ = state::bound;
    answer.set("type", "result").add(ns::bind, "bind").add(ns::bind, "jid").add_text(session_->jid());
    output_.send(xml::to_text(answer));
}

}  // namespace mbusd::xmpp
