#include "daemon_lab.hpp"

#include <algorithm>
#include <utility>

namespace fuzz {
namespace {

using mbus::mbws::key;
using mbus::mbws::verb;

constexpr std::string_view password = "secret";
constexpr std::string_view salt = "0123456789abcdef";
// One, not thousands: what SCRAM costs is not what is looked for.
constexpr std::uint32_t iterations = 1;

std::shared_ptr<const mbusd::peer_identity> identity_of(const std::string& name, const mbusd::rights_rule* rule) {
    auto out = std::make_shared<mbusd::peer_identity>();
    out->user.client = out->user.name = name;
    out->rights = std::make_shared<const mbusd::granted_rights>(
        rule == nullptr ? mbusd::granted_rights::all(name) : mbusd::rights_table{}.granted_to(out->user, *rule));
    return out;
}

mbusd::scram_keys keys(mbusd::scram_hash hash, std::string_view of) { return mbusd::make_scram_keys(hash, of, salt, iterations); }

}  // namespace

people::people() : ann_(identity_of("ann", nullptr)) {
    mbusd::rights_rule rule;
    rule.attach.push_back(*mbus::address::parse("(app:xmpp)"));
    rule.attach.push_back(*mbus::address::parse("(app:ui)"));
    rule.send.push_back(*mbus::address::parse("(app:player)"));
    bob_ = identity_of("bob", &rule);
}

std::shared_ptr<const mbusd::peer_identity> people::find_client(std::string_view token) {
    return token == "ann" ? ann_ : token == "bob" ? bob_ : nullptr;
}

std::shared_ptr<const mbusd::peer_identity> people::check(std::string_view name, std::string_view given) {
    return given == password ? find_client(name) : nullptr;
}

mbusd::scram_keys people::keys_of(std::string_view user, mbusd::scram_hash hash) {
    static const auto sha1 = keys(mbusd::scram_hash::sha1, password);
    static const auto sha256 = keys(mbusd::scram_hash::sha256, password);
    auto out = hash == mbusd::scram_hash::sha1 ? sha1 : sha256;
    if (find_client(user) == nullptr) std::ranges::fill(out.stored_key, '\0');
    return out;
}

bool people::is_own_name(std::string_view authzid, std::string_view user) const {
    return authzid == user || authzid == std::string{user} + '@' + domain;
}

// --- the daemon -------------------------------------------------------------------------------------------

daemon_lab::daemon_lab(std::string_view toml)
    : bus(toml),
      kept({}, [this](std::function<void()> run) { bus.posted.push_back(std::move(run)); }, bus.log),
      feeds({.domain = domain}, kept, bus.turns,
            [this](std::chrono::milliseconds wait, std::function<void()> what) { later(wait, std::move(what)); },
            [this] { return bus.network.at.wall_ms; }, bus.log),
      feeds_on_the_bus(feeds, bus.hub, bus.turns),
      player(&bus.client()) {
    feeds.add(feeds_on_the_bus);
    require(feeds_on_the_bus.join().has_value(), "publish-subscribe joins the bus");
    bus.hub.use_clients(clients);
    player->attach("(app:player media:audio)", 1, [](mbus::mbws::frame_writer& out) { out.set(key::type, "*/*"); });
    const mbusd::pubsub::requester ann{std::string{"ann@"} + domain};
    const mbusd::pubsub::requester bob{std::string{"bob@"} + domain};
    require(static_cast<bool>(feeds.nodes().create(ann, "news", {{"pubsub#title", {"News"}}})), "a node can be made");
    require(static_cast<bool>(feeds.nodes().create(bob, "private", {{"pubsub#access_model", {"whitelist"}}})), "a node can be made");
    turn();
}

daemon_lab::~daemon_lab() {
    feeds.forget(feeds_on_the_bus);
    bus.clients.clear();
    turn();
}

void daemon_lab::pass(std::chrono::milliseconds time) {
    later.pass(time);
    bus.pass(time);
}

// A request is name((("ID" "7") ...) (...)); its reply name.return, to whom the message came from.
void daemon_lab::play() {
    while (!player->nothing()) {
        const auto got = player->take();
        if (got.view.verb != verb::message) continue;
        const std::string body{got.view.body};
        constexpr std::string_view begin = "(((\"ID\" \"";
        const auto at = body.find(begin);
        if (at == std::string::npos) continue;
        const auto id_at = at + begin.size();
        const auto id = body.substr(id_at, body.find('"', id_at) - id_at);
        play(got.view.text(key::from), body.substr(0, at) + ".return(((\"ID\" \"" + id +
                                           "\") (\"RPC-STATUS\" \"OK\")) ((OK OK \"fine\") (\"open\" 3 2.5 (x))))");
    }
}

void daemon_lab::play(std::string_view to, std::string_view commands) {
    player->message(to, commands);
    turn();
}

std::string daemon_lab::random_text(std::size_t octets) {
    auto out = "r" + std::to_string(++drawn_);
    out.resize(std::max(out.size(), octets), 'x');
    return out;
}

// --- XMPP -------------------------------------------------------------------------------------------------

domain_services::domain_services(daemon_lab& lab, mbusd::xmpp::server& at)
    : lab_(lab),
      bus({.host = std::string{"bus."} + domain,
           .rights = [&lab](const mbusd::xmpp::session& whose) -> std::shared_ptr<const mbusd::granted_rights> {
               const auto who = whose.guest() ? nullptr : lab.clients.find_named(whose.bare().substr(0, whose.bare().find('@')));
               return who ? who->rights : nullptr;
           },
           .after = [&lab](std::chrono::milliseconds wait, std::function<void()> what) { lab.later(wait, std::move(what)); }},
          lab.bus.hub, lab.bus.turns, at),
      pubsub({.host = std::string{"pubsub."} + domain}, lab.feeds.nodes(), at) {
    at.add(bus);
    at.add(pubsub);
    lab.feeds.add(pubsub);
}

}  // namespace fuzz
