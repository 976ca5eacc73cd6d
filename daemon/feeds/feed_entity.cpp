#include "feeds/feed_entity.hpp"

#include <utility>

#include "atom/entry.hpp"
#include "feeds/feed_address.hpp"
#include "xml/writer.hpp"

namespace mbusd {
namespace {

using mbus::value;
using mbus::mbws::route_report;

// What may wait in one turn: more than any burst of one turn makes.
constexpr std::size_t waiting_max = 65536;
constexpr std::size_t title_octets_max = 500;

std::string_view command_of(const pubsub::event& what) noexcept {
    switch (what.what) {
    case pubsub::event::kind::published: return what.fresh ? "atom.published" : "atom.updated";
    case pubsub::event::kind::retracted: return "atom.deleted";
    case pubsub::event::kind::purged: return "atom.purged";
    case pubsub::event::kind::deleted: return "atom.removed";
    case pubsub::event::kind::configured:
    case pubsub::event::kind::subscribed: break;
    }
    return {};
}

// A title may hold what a string of Mbus can't: DEL and NUL become '?'.
std::string printable(std::string text) {
    for (auto& c : text) {
        if (c == '\x7F' || c == '\0') c = '?';
    }
    return text;
}

std::string text_of(const mbus::command& what) {
    auto body = mbus::format_commands(std::span{&what, 1});
    return body ? std::move(*body) : std::string{};
}

}  // namespace

feed_entity::feed_entity(feed_home& feeds, router& hub, turn_queue& turns) : feeds_(feeds), hub_(hub), turns_(turns) { feeds_.add(*this); }

feed_entity::~feed_entity() {
    feeds_.forget(*this);
    if (handle_) hub_.leave(*handle_);
}

mbus::result<void> feed_entity::join() {
    const auto address = mbus::address::parse("(app:mbusd module:pubsub service:pubsub)").value();
    auto joined = hub_.join(*this, address, {});
    if (!joined) return std::move(joined).error();
    handle_ = *joined;
    return {};
}

// --- changes out ----------------------------------------------------------------------------------------

void feed_entity::changed(const pubsub::event& what) {
    const auto name = command_of(what);
    const auto* facts = feeds_.facts_of(what.node);
    if (name.empty() || facts == nullptr || facts->config.access != pubsub::access_model::open || !facts->config.deliver_notifications) return;
    mbus::command event{std::string{name}, {printable(what.node)}};
    std::string smaller;
    if (what.what == pubsub::event::kind::published || what.what == pubsub::event::kind::retracted) {
        event.arguments.emplace_back(printable(what.item_id));
        event.arguments.emplace_back(what.entry ? printable(atom::title_of(*what.entry->payload, title_octets_max)) : std::string{});
        event.arguments.emplace_back(mbus::data{});
        smaller = text_of(event);
        if (what.entry && what.payload) event.arguments.back() = mbus::data{xml::to_text(*what.entry->payload)};
    }
    queue({std::string{feed_address(what.node).text()}, text_of(event), std::move(smaller)});
}

void feed_entity::queue(outgoing what) {
    if (!handle_ || what.body.empty() || waiting_.size() >= waiting_max) {
        ++counters_.lost;
        return;
    }
    waiting_.push_back(std::move(what));
    turns_.add(*this);
}

void feed_entity::end_of_turn() {
    while (!waiting_.empty()) {
        const auto next = std::move(waiting_.front());
        waiting_.pop_front();
        send(next);
    }
}

void feed_entity::send(const outgoing& what) {
    const auto put = [&](std::string_view body) {
        route_report report;
        const auto status = hub_.send(hub_.now(), {.from = *handle_, .to = what.to, .body = body}, nullptr, report, {});
        const bool failed = status == mbus::mbws::route_status::refused || report.failed;
        return failed ? std::optional{report.code} : std::nullopt;
    };
    ++counters_.events;
    auto code = put(what.body);
    if (code == mbus::errc::too_large && !what.smaller.empty()) {
        ++counters_.without_entry;
        code = put(what.smaller);
    }
    if (code) ++counters_.lost;
}

// --- requests in --------------------------------------------------------------------------------------------

acceptance feed_entity::offer(mbus::mbws::time_point, local_entity&, message_forms& forms, const mbus::mbws::delivery&, delivery_ticket) {
    const auto body = forms.commands();
    const auto commands = body ? mbus::parse_commands(*body) : mbus::result<std::vector<mbus::command>>{std::vector<mbus::command>{}};
    if (!commands) return acceptance::taken;  // nothing that is meant for us
    const auto caller = caller_of(forms.source());
    for (const auto& each : *commands) {
        if (each.name.starts_with("atom.") || each.name.starts_with("feed.")) take(each, forms.source(), caller);
    }
    return acceptance::taken;
}

// As a request, or plainly, and then nobody waits for an answer.
void feed_entity::take(const mbus::command& what, const message_source& source, const feed_caller& caller) {
    if (what.name.ends_with(".return")) return;
    ++counters_.requests;
    const auto form = request_of(what);
    auto result = perform_feed_request(feeds_, caller, what.name, form ? form->arguments : what.arguments);
    if (!result.ok) ++counters_.refused;
    if (!form) return;
    const bool wait = result.ok && changes_feeds(what.name);
    outgoing answer{std::string{source.from}, text_of(answer_to(what.name, form->id, std::move(result))), {}};
    auto too_large = request_result::failed(mbus::errc::too_large, "the answer is larger than you take; read it over HTTP");
    answer.smaller = text_of(answer_to(what.name, form->id, std::move(too_large)));
    // Later answers to the same program wait behind that of a change.
    if (!wait && !waiting_for_.contains(answer.to)) {
        queue(std::move(answer));
        return;
    }
    ++waiting_for_[answer.to];
    feeds_.when_stored([this, answer = std::move(answer), alive = std::weak_ptr{alive_}] {
        if (alive.expired()) return;
        const auto found = waiting_for_.find(answer.to);
        if (found != waiting_for_.end() && --found->second == 0) waiting_for_.erase(found);
        queue(answer);
    });
}

// Whoever came over the bus or a link says who it is, and nobody has checked it.
feed_caller feed_entity::caller_of(const message_source& source) const {
    const bool local = !source.sequence && source.via.empty();
    const auto from = mbus::address::parse(source.from);
    const auto who = local && from ? hub_.speaker_of(*from) : nullptr;
    if (who == nullptr) return {{"bus." + feeds_.domain() + '/' + std::string{source.from}}};
    const bool administers = who->rights != nullptr && !who->rights->refuses_administer();
    return {feeds_.account_of(who->user), true, administers};
}

}  // namespace mbusd
