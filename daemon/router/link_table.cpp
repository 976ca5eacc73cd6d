// The life of links: made, called, resumed, ended. Entities are in link_entities.cpp, double ways in
// link_paths.cpp, messages in link_messages.cpp.
#include "router/link_table.hpp"

#include <algorithm>
#include <utility>

namespace mbusd {
namespace {

using mbus::errc;
using mbus::mbws::link_role;
using mbus::mbws::link_session;
using mbus::mbws::link_state;
using mbus::mbws::time_point;

// Origins of this daemon go on above those before a restart, as long as it sends fewer than so many
// messages in a millisecond.
constexpr std::uint64_t origins_per_millisecond = 65536;

// In a time that does not depend on where they differ.
bool same_secret(std::string_view left, std::string_view right) noexcept {
    if (left.size() != right.size()) return false;
    unsigned difference = 0;
    for (std::size_t i = 0; i < left.size(); ++i) {
        difference |= static_cast<unsigned>(static_cast<unsigned char>(left[i]) ^ static_cast<unsigned char>(right[i]));
    }
    return difference == 0;
}

mbus::value pair(std::string_view key, mbus::value what) {
    return mbus::value::list{mbus::value{key}, std::move(what)};
}
mbus::value number(std::uint64_t what) { return mbus::value{static_cast<std::int64_t>(what)}; }

}  // namespace

hosted_link::hosted_link(link_table& table, std::uint64_t id, link_role role, mbus::mbws::link_options options)
    : table_(table), id_(id), session_(role, std::move(options), table) {}

link_table::link_table(router& hub, turn_queue& turns, logger& log) : hub_(hub), turns_(turns), log_(log) {
    hub_.observe(*this);
    hub_.use_links(*this);
    hub_.requests().add_part("links", [this](const mbus::value::list& arguments, const granted_rights& rights) {
        return list(arguments, rights);
    });
}

link_table::~link_table() { hub_.forget(*this); }

void link_table::start() {
    last_number_ = hub_.wall_ms() * origins_per_millisecond;
    hub_.for_each_known(*this);
}

void link_table::shut_down() {
    stopping_ = true;
    for (auto& [id, link] : links_) {
        link->session_.end(now(), {errc::shutting_down, "mbusd is stopping; connect again when it is back"});
    }
}

void link_table::end_links_of(std::string_view identity) {
    for (auto& [id, link] : links_) {
        if (!link->who_ || link->who_->user.identity() != identity) continue;
        link->session_.end(now(), {errc::unauthorized, "this token was withdrawn; 'mbus client add NAME --link' makes a new one"});
    }
}

mbus::mbws::link_options link_table::options() const {
    const auto& limits = hub_.configuration().limits;
    mbus::mbws::link_options out;
    out.broker = hub_.broker();
    out.size = static_cast<std::uint32_t>(limits.frame_octets);
    out.queue_octets_max = limits.queue_octets;
    out.queue_messages_max = limits.queue_messages;
    return out;
}

hosted_link& link_table::make(link_role role) {
    const auto id = ++last_id_;
    auto made = std::make_unique<hosted_link>(*this, id, role, options());
    auto& out = *made;
    by_session_[&out.session_] = &out;
    links_.emplace(id, std::move(made));
    return out;
}

hosted_link& link_table::owner_of(const link_session& session) { return *by_session_.at(&session); }

void link_table::for_each(const std::function<void(const hosted_link&)>& visit) const {
    for (const auto& [id, link] : links_) {
        if (!link->over_) visit(*link);
    }
}

// --- what holds for a link ----------------------------------------------------------------------

link_policy link_table::policy_of(const link_rule& rule) const { return {rule.send, rule.receive, rule.transit}; }

// Of a daemon that calls: the [[link]] entry without url that has the name of its token.
link_policy link_table::policy_of(const peer_identity& who) const {
    for (const auto& rule : hub_.configuration().links) {
        if (!rule.calls() && rule.name == who.user.client) return policy_of(rule);
    }
    return policy_of(link_rule{});
}

void link_table::apply() {
    for (auto& [id, link] : links_) {
        auto policy = link->policy_;
        if (link->who_) {
            policy = policy_of(*link->who_);
        } else {
            for (const auto& rule : hub_.configuration().links) {
                if (rule.name == link->name_) policy = policy_of(rule);
            }
        }
        const bool receives_other = policy.receive != link->policy_.receive;
        link->policy_ = std::move(policy);
        if (!receives_other) {
            show_all(*link);
        } else if (!link->session_.token().empty()) {
            // What it takes is decided when the other side attaches, so that side has to attach again.
            link->session_.end(now(), {errc::no_session, "'receive' of this link was changed; it begins anew"});
        }
    }
}

// --- links that this daemon calls ---------------------------------------------------------------

hosted_link& link_table::add_caller(const link_rule& rule, link_caller& caller) {
    auto& link = make(link_role::calling);
    link.name_ = rule.name;
    link.title_ = "link " + rule.name;
    link.url_ = rule.url;
    link.policy_ = policy_of(rule);
    link.caller_ = &caller;
    return link;
}

void link_table::remove_caller(std::string_view name) {
    for (auto& [id, link] : links_) {
        if (link->session_.role() != link_role::calling || link->over_ || link->name_ != name) continue;
        link->caller_ = nullptr;
        link->over_ = true;
        link->session_.close(now(), {errc::cancelled, "the link was taken out of the configuration"});
        turns_.add(*this);
    }
}

// --- links that other daemons call --------------------------------------------------------------

mbus::result<link_session*> link_table::accept(time_point now, const mbus::mbws::connect_request& request,
                                               std::shared_ptr<const peer_identity> who,
                                               mbus::mbws::link_carrier& carrier, mbus::mbws::connection_port& port) {
    if (stopping_) return {errc::shutting_down, "mbusd is stopping; try again in some seconds"};
    if (auto no = who->rights->refuses_link()) return {errc::forbidden, std::move(*no)};
    if (request.broker == hub_.broker()) {
        return {errc::conflict, "the link leads back to the daemon that calls; change its url"};
    }
    if (auto* old = resumable(request, *who)) {
        old->session_.answer(now, carrier, port, request, {}, {.resumed = true});
        return &old->session_;
    }
    bool standby = false;
    for (auto& [id, other] : links_) {
        if (other->over_ || other->session_.peer_broker() != request.broker) continue;
        const auto state = other->session_.state();
        if (other->session_.role() == link_role::called && state == link_state::lost) {
            // It has forgotten that session, else it would have resumed it.
            other->session_.end(now, {errc::no_session, "the other daemon opened a new session"});
        } else if (other->session_.role() == link_role::calling && state != link_state::idle && request.broker < hub_.broker()) {
            // Two daemons that call each other keep the link called by the lower id.
            close_joined(now, *other, "the other daemon, whose id is lower, calls this one");
        } else if (state == link_state::active || state == link_state::lost) {
            standby = true;
        }
    }
    standby = standby || joined_already(request.broker, nullptr);
    auto& link = make(link_role::called);
    link.name_ = who->user.client.empty() ? who->user.name : who->user.client;
    link.title_ = "link " + link.name_;
    link.policy_ = policy_of(*who);
    link.who_ = std::move(who);
    auto& session = link.session_;
    session.answer(now, carrier, port, request, random_token(32), {.resumed = false, .standby = standby});
    return &session;
}

hosted_link* link_table::resumable(const mbus::mbws::connect_request& request, const peer_identity& who) {
    if (request.session.empty()) return nullptr;
    for (auto& [id, link] : links_) {
        auto& session = link->session_;
        if (link->over_ || !link->who_ || !same_secret(session.token(), request.session)) continue;
        if (session.state() != link_state::active && session.state() != link_state::lost) return nullptr;
        if (link->who_->user.identity() != who.user.identity() || session.peer_broker() != request.broker) return nullptr;
        if (session.can_resume(request.received)) return link.get();
        session.end(now(), {errc::no_session, "the session can't be continued from there"});
        return nullptr;
    }
    return nullptr;
}

void link_table::link_ended(time_point, link_session& session, const mbus::error& why) {
    auto& link = owner_of(session);
    link.brokers_.clear();
    link.refused_.clear();
    link.refused_again_ = mbus::mbws::never;
    link.guests_.clear();
    link.guests_until_ = mbus::mbws::never;
    link.reason_ = why.text;
    if (!stopping_) {
        log_.limited(level::notice, "link/" + link.name_, "link down",
                     {{"link", link.name_}, {"broker", session.peer_broker()}, {"reason", why.text}});
    }
    if (session.role() == link_role::called) link.over_ = true;
    turns_.add(*this);
    if (link.caller_ != nullptr) link.caller_->link_over(why);
}

// --- time ---------------------------------------------------------------------------------------

void link_table::link_touched(link_session&) { turns_.add(*this); }

void link_table::advance(time_point now) {
    std::vector<std::uint64_t> ids;
    for (const auto& [id, link] : links_) ids.push_back(id);
    for (const auto id : ids) {
        const auto found = links_.find(id);
        if (found == links_.end()) continue;
        auto& link = *found->second;
        if (link.refused_again_ <= now) show_again(now, link);
        if (link.guests_until_ <= now) settle_guests(now, link);
        if (link.session_.next_deadline() <= now) link.session_.advance(now);
    }
    turns_.add(*this);
}

time_point link_table::next_deadline() const noexcept {
    auto next = mbus::mbws::never;
    for (const auto& [id, link] : links_) {
        next = std::min({next, link->refused_again_, link->guests_until_, link->session_.next_deadline()});
    }
    return next;
}

void link_table::end_of_turn() {
    settle_suspects();
    std::erase_if(links_, [this](const auto& each) {
        auto& link = *each.second;
        if (!link.over_ || link.session_.state() != link_state::idle) return false;
        by_session_.erase(&link.session_);
        return true;
    });
    if (deadline_hook_) deadline_hook_();
}

// --- what is seen -------------------------------------------------------------------------------

administration_outcome link_table::list(const mbus::value::list& arguments, const granted_rights& rights) const {
    if (auto no = rights.refuses_administer()) return {.ok = false, .text = std::move(*no)};
    mbus::value::list rows;
    for (const auto& [id, link] : links_) {
        if (link->over_) continue;
        const auto& session = link->session_;
        const auto& counts = session.counters();
        const bool up = session.state() == link_state::active;
        rows.push_back(mbus::value::list{
            pair("name", link->name_), pair("url", link->url_),
            pair("role", session.role() == link_role::calling ? "calling" : "called"),
            pair("state", std::string{to_string(session.state())}), pair("broker", session.peer_broker()),
            pair("shown", number(session.entities_shown())), pair("hosted", number(session.entities_hosted())),
            pair("queued", number(session.queued_messages())), pair("sent", number(counts.sent)),
            pair("received", number(counts.received)), pair("refused", number(counts.refused + counts.naks)),
            pair("dropped", number(counts.dropped() + counts.overflowed)),
            pair("unseen", number(link->unseen_)), pair("resumes", number(counts.resumes)),
            pair("reason", up ? std::string{} : link->reason_.empty() ? session.last_fault().text : link->reason_)});
    }
    return {.ok = true, .results = answer_page(std::move(rows), answer_offset(arguments, 0), "links")};
}

}  // namespace mbusd
