#include "gateways/xmpp/stream.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "gateways/xmpp/jid.hpp"
#include "gateways/xmpp/namespaces.hpp"
#include "gateways/xmpp/session.hpp"
#include "xml/writer.hpp"

namespace mbusd::xmpp {
namespace {

using xml::element;

constexpr std::size_t id_octets = 12;

bool is_blank(std::string_view text) noexcept { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

// The raw tag of the older framing, after an XML declaration perhaps.
bool opens_older_stream(std::string_view message) noexcept {
    if (message.starts_with("<?xml")) {
        const auto end = message.find("?>");
        if (end == std::string_view::npos) return false;
        message.remove_prefix(end + 2);
        message.remove_prefix(std::min(message.find_first_not_of(" \t\r\n"), message.size()));
    }
    return message.starts_with("<stream:stream");
}

element in(std::string_view space, std::string_view name) { return element{space, name}; }

}  // namespace

stream::stream(stream_output& output, stream_host& host, stream_options options, time_point now)
    : output_(output), host_(host), options_(options), until_(now + login_patience) {}

stream::~stream() {
    if (session_ != nullptr) session_->detach();
}

// --- messages in ----------------------------------------------------------------------------------

void stream::receive(time_point now, std::string_view message) {
    if (finished_ || is_blank(message)) return;
    if (framing_ == framing::unknown) framing_ = opens_older_stream(message) ? framing::older : framing::standard;
    if (framing_ == framing::older) receive_older(now, message);
    else receive_standard(now, message);
}

void stream::receive_binary(time_point now) {
    if (framing_ == framing::unknown) framing_ = framing::standard;
    fail(now, "unsupported-encoding", "XMPP is sent as text messages (RFC 7395, section 3.2)");
}

void stream::receive_standard(time_point now, std::string_view message) {
    auto& documents = host_.documents(logged_in_);
    auto got = documents.read(message);
    if (!got) return on_fault(now, documents.fault());
    if (got->is(ns::framing, "open")) return on_open(now, *got);
    if (got->is(ns::framing, "close")) return on_close(now);
    if (state_ == state::opening || state_ == state::restarting) {
        const bool foreign = got->name() == "open";
        return fail(now, foreign ? "invalid-namespace" : "not-well-formed",
                    foreign ? "open stands in urn:ietf:params:xml:ns:xmpp-framing" : "a stream begins with <open/>");
    }
    on_element(now, std::move(*got));
}

// A restart needs a fresh parser; what came is handled when this one has returned.
void stream::receive_older(time_point now, std::string_view message) {
    const bool opening = opens_older_stream(message);
    if (opening || !older_) older_ = std::make_unique<xml::stream_reader>(host_.limits(logged_in_));
    std::optional<element> opened;
    std::vector<element> children;
    bool ended = false;
    const bool fine = older_->feed(message, [&](xml::stream_event what, element part) {
        if (what == xml::stream_event::opened) opened = std::move(part);
        else if (what == xml::stream_event::child) children.push_back(std::move(part));
        else ended = true;
    });
    if (opened) on_open(now, *opened);
    for (auto& each : children) {
        if (!finished_ && state_ != state::closing) on_element(now, std::move(each));
    }
    if (!fine) return on_fault(now, older_->fault());
    if (!older_->between_children()) return fail(now, "not-well-formed", "each message holds whole elements");
    if (ended) on_close(now);
}

void stream::on_fault(time_point now, const xml::fault& what) {
    switch (what.kind) {
    case xml::fault_kind::restricted: return fail(now, "restricted-xml", what.text);
    case xml::fault_kind::too_large: return fail(now, "policy-violation", what.text);
    case xml::fault_kind::none:
    case xml::fault_kind::not_well_formed: break;
    }
    fail(now, "not-well-formed", what.text);
}

// --- opening ----------------------------------------------------------------------------------------

void stream::on_open(time_point now, const element& opening) {
    if (state_ == state::closing) return;
    if (state_ != state::opening && state_ != state::restarting) {
        return fail(now, "bad-format", "this stream is open already");
    }
    const bool right = framing_ == framing::standard || opening.space() == ns::streams;
    answered_open_ = false;
    if (!right) return fail(now, "invalid-namespace", "the stream's namespace is http://etherx.jabber.org/streams");
    const auto to = opening.value_of("to");
    if (to.empty()) return fail(now, "improper-addressing", "open names the domain in the attribute to");
    const auto asked = jid::parse(to);
    const auto speaker = jid::parse(opening.value_of("from"));
    said_from_ = speaker ? speaker->full() : std::string{};
    if (!asked || asked->full() != host_.domain()) return fail(now, "host-unknown", "this server has no such domain; set xmpp.domain in mbusd.toml");
    open_answer();
    state_ = state_ == state::opening ? state::login : state::unbound;
    if (state_ == state::login) {
        sasl_ = std::make_unique<sasl_exchange>(host_.accounts(), sasl_policy{options_.plain, options_.anonymous},
                                                [this](std::size_t octets) { return host_.random_text(octets); });
    }
    write_features();
}

void stream::open_answer() { output_.send(open_text()); }

std::string stream::open_text() {
    answered_open_ = true;
    const auto id = host_.random_text(id_octets);
    if (framing_ == framing::standard) {
        auto open = in(ns::framing, "open");
        open.set("from", host_.domain()).set("id", id).set(xml::xml_namespace, "lang", "en").set("version", "1.0");
        if (!said_from_.empty()) open.set("to", said_from_);  // RFC 6120, section 4.7.2
        return xml::to_text(open);
    }
    std::string tag = "<stream:stream xmlns=\"jabber:client\" xmlns:stream=\"http://etherx.jabber.org/streams\" from=\"";
    xml::append_escaped(tag, host_.domain());
    tag += "\" id=\"" + id;
    if (!said_from_.empty()) {
        tag += "\" to=\"";
        xml::append_escaped(tag, said_from_);
    }
    return tag + "\" xml:lang=\"en\" version=\"1.0\">";
}

void stream::write_features() {
    auto features = in(ns::streams, "features");
    if (state_ == state::login) {
        auto& mechanisms = features.add(ns::sasl, "mechanisms");
        for (const auto each : sasl_->mechanisms()) mechanisms.add(ns::sasl, "mechanism").add_text(each);
    } else {
        features.add(ns::bind, "bind");
        features.add(ns::management, "sm");
        // Old clients ask for a session when it is offered, and may leave it out (RFC 3921).
        features.add(ns::session, "session").add(ns::session, "optional");
    }
    output_.send(xml::to_text(features, {.prefix = "stream"}));
}

// --- elements ---------------------------------------------------------------------------------------

void stream::on_element(time_point now, element what) {
    switch (state_) {
    case state::login: return on_login(now, std::move(what));
    case state::unbound: return on_unbound(now, std::move(what));
    case state::bound: return on_bound(now, std::move(what));
    case state::opening:
    case state::restarting: return fail(now, "not-well-formed", "a stream has to be opened first");
    case state::closing: return;
    }
}

void stream::on_bound(time_point now, element what) {
    if (what.space() == ns::management && on_management(now, what)) return;
    const bool stanza = what.name() == "iq" || what.name() == "message" || what.name() == "presence";
    if (!stanza) return fail(now, "unsupported-stanza-type", "only iq, message and presence are understood here");
    // RFC 6120, section 4.9.3.10.
    if (what.space() != ns::client) return fail(now, "invalid-namespace", "stanzas stand in jabber:client");
    auto& from = *session_;
    from.queue.handled_one();
    host_.stanza(now, from, std::move(what));
}

void stream::send(std::string text) {
    if (state_ == state::bound) output_.send(std::move(text));
}

// --- the end ----------------------------------------------------------------------------------------------

std::string stream::close_text() const {
    if (framing_ == framing::older) return "</stream:stream>";
    return xml::to_text(in(ns::framing, "close"), {.blank_before_slash = true});
}

void stream::fail(time_point now, std::string_view condition, std::string_view text, const element& detail) {
    if (finished_ || state_ == state::closing) return;
    host_.stream_failed(condition);
    held_.clear();
    auto error = in(ns::streams, "error");
    error.add(ns::stream_errors, condition);
    if (!text.empty()) error.add(ns::stream_errors, "text").set(xml::xml_namespace, "lang", "en").add_text(text);
    if (!detail.name().empty()) error.add(detail);
    auto said = xml::to_text(error, {.prefix = "stream", .prefix_declared = framing_ == framing::older});
    if (!answered_open_ && framing_ == framing::older) {
        // All in one message, as the draft has it.
        output_.send(open_text() + said + close_text());
        state_ = state::closing;
        until_ = now + close_patience;
        return;
    }
    if (!answered_open_) open_answer();
    output_.send(std::move(said));
    // A fault of the stream ends the session with it (RFC 6120, section 4.9.1.1).
    if (auto* mine = std::exchange(session_, nullptr)) {
        mine->detach();
        host_.closed(now, *mine);
    }
    close(now);
}

void stream::close(time_point now) {
    if (finished_ || state_ == state::closing) return;
    output_.send(close_text());
    state_ = state::closing;
    until_ = now + close_patience;
}

void stream::on_close(time_point now) {
    if (state_ != state::closing) {
        if (auto* mine = std::exchange(session_, nullptr)) {
            mine->detach();
            host_.closed(now, *mine);
        }
        output_.send(close_text());
        state_ = state::closing;
    }
    finished_ = true;
    output_.close();
}

void stream::lost(time_point now) {
    finished_ = true;
    if (auto* mine = std::exchange(session_, nullptr)) {
        mine->detach();
        host_.lost(now, *mine);
    }
}

void stream::advance(time_point now) {
    if (finished_ || deadline() > now) return;
    if (state_ == state::closing) {
        finished_ = true;
        output_.close();
        return;
    }
    if (held_until_ <= now && held_until_ < until_) return look_at_held(now);
    if (framing_ == framing::unknown) framing_ = framing::standard;
    fail(now, "connection-timeout", "log in and bind a resource within a minute");
}

time_point stream::deadline() const noexcept {
    if (finished_ || state_ == state::bound) return never;
    return held_.empty() ? until_ : std::min(until_, held_until_);
}

}  // namespace mbusd::xmpp
