#include "feeds/feed_home.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "atom/entry_rules.hpp"
#include "atom/names.hpp"
#include "feeds/feed_address.hpp"
#include "store/feed_rows.hpp"
#include "xml/reader.hpp"
#include "xml/writer.hpp"

namespace mbusd {
namespace {

// Types of nodes whose payloads are Atom entries: Atom itself, XEP-0277 and XEP-0472.
constexpr auto atom_types = std::to_array<std::string_view>(
    {atom::atom_namespace, "urn:xmpp:microblog:0", "urn:xmpp:pubsub-social-feed:1", "urn:xmpp:pubsub-social-feed:gallery:1"});

std::optional<pubsub::fault> payload_fault(const pubsub::node_config& of, const xml::element& payload) {
    if (!feed_home::is_feed(of) || payload.space() != atom::atom_namespace) return std::nullopt;
    auto wrong = atom::entry_fault(payload);
    if (!wrong) return std::nullopt;
    return pubsub::fault{"modify", "bad-request", "invalid-payload", "no valid Atom entry: " + *wrong, {}};
}

// Lines NAME=VALUE; '%' and line ends in values are written as %25 and %0A.
std::string lines_of(const pubsub::node_config& config) {
    std::string out;
    for (const auto& field : pubsub::config_fields()) {
        out.append(field.name).push_back('=');
        for (const char c : field.value(config)) {
            if (c == '%' || c == '\n' || c == '\r') out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
            else out += c;
        }
        out += '\n';
    }
    return out;
}

std::string unescaped(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto code = text.substr(i, 3);
        const char meant = code == "%25" ? '%' : code == "%0A" ? '\n' : code == "%0D" ? '\r' : '\0';
        out += meant != '\0' ? meant : text[i];
        if (meant != '\0') i += 2;
    }
    return out;
}

// Only what is not usual.
std::string lines_of(const pubsub::subscription_options& options) {
    std::string out;
    for (const auto& field : pubsub::option_fields()) {
        if (options.*field.member != pubsub::subscription_options{}.*field.member) out.append(field.name).append(options.*field.member ? "=1\n" : "=0\n");
    }
    return out;
}

// Field by field: what this version does not know is left at its default.
template <class Settings>
Settings settings_of(std::string_view lines) {
    Settings out;
    while (!lines.empty()) {
        const auto end = std::min(lines.find('\n'), lines.size());
        const auto line = lines.substr(0, end);
        lines.remove_prefix(std::min(end + 1, lines.size()));
        const auto equals = line.find('=');
        if (equals == std::string_view::npos) continue;
        static_cast<void>(out.apply({{std::string{line.substr(0, equals)}, {unescaped(line.substr(equals + 1))}}}));
    }
    return out;
}

pubsub::node_config config_of(std::string_view lines) { return settings_of<pubsub::node_config>(lines); }
pubsub::subscription_options options_of(std::string_view lines) { return settings_of<pubsub::subscription_options>(lines); }

}  // namespace

pubsub::service_limits feed_limits(const settings& values) {
    const auto& from = values.pubsub;
    pubsub::service_limits out;
    out.nodes = from.nodes;
    out.nodes_of_one = from.nodes_per_account;
    out.subscriptions_of_one = from.subscriptions_per_account;
    out.subscriptions_of_node = from.subscriptions_per_node;
    out.payload_octets = from.payload_octets;
    out.octets = from.octets;
    return out;
}

feed_home::feed_home(feed_options options, store& kept, turn_queue& turns, after_function after, clock_function wall_ms, logger& log)
    : options_(std::move(options)),
      kept_(kept),
      turns_(turns),
      after_(std::move(after)),
      wall_ms_(std::move(wall_ms)),
      log_(log),
      nodes_(*this, *this, wall_ms_, options_.limits),
      changes_([this](transaction changes, journal::written_function done) {
          kept_.submit(std::move(changes), [done = std::move(done), alive = std::weak_ptr{alive_}](const mbus::result<void>& written) {
              if (!alive.expired()) done(written);
          });
      }, [this] { turns_.add(*this); }) {
    nodes_.use_payload_rule(payload_fault);
}

feed_home::~feed_home() = default;

// --- the store --------------------------------------------------------------------------------------

mbus::result<void> feed_home::load() {
    if (!kept_.keeps()) return {};
    loading_ = true;
    auto read = load_feed_nodes(kept_, [this](stored_feed_node&& one) {
        const auto config = config_of(one.config);
        nodes_.restore_node(one.node, config, one.created_ms, one.creator);
        facts_[std::move(one.node)] = {config, std::move(one.creator)};
    });
    if (read) read = load_items();
    if (read) {
        read = load_feed_subscriptions(kept_, [this](stored_feed_person&& one) {
            const auto state = pubsub::subscription_state_from(one.what);
            if (state) nodes_.restore_subscription({std::move(one.node), std::move(one.jid), *state, options_of(one.options)});
        });
    }
    if (read) {
        read = load_feed_affiliations(kept_, [this](stored_feed_person&& one) {
            const auto what = pubsub::affiliation_from(one.what);
            if (what) nodes_.restore_affiliation({std::move(one.node), std::move(one.jid), *what});
        });
    }
    loading_ = false;
    return read;
}

mbus::result<void> feed_home::load_items() {
    // It was within limits when it was taken, and they may have become smaller since.
    xml::document_reader reader{{.octets = SIZE_MAX}};
    return load_feed_items(kept_, [&](stored_feed_item&& one) {
        auto payload = reader.read(one.payload);
        if (!payload) {
            log_.error("an item of a feed could not be read", {{"node", one.node}, {"item", one.id}, {"reason", reader.fault().text}});
            return;
        }
        nodes_.restore_item(one.node, {.id = std::move(one.id),
                                       .payload = std::make_shared<const xml::element>(std::move(*payload)),
                                       .publisher = std::move(one.publisher),
                                       .order = one.position,
                                       .edited_ms = one.edited_ms,
                                       .octets = one.payload.size()});
    });
}

template <class Put>
void feed_home::write(Put&& put) {
    if (loading_ || !kept_.keeps()) return;
    changes_.step();
    put(changes_.now());
}

void feed_home::when_stored(std::function<void()> then) {
    if (!kept_.keeps() || changes_.idle()) {
        if (then) then();
        return;
    }
    ++waiting_;
    ++counters_.stored_later;
    changes_.after([this, done = std::move(then)] {
        --waiting_;
        if (done) done();
    });
}

void feed_home::finish() { changes_.finish(); }

void feed_home::end_of_turn() {
    changes_.flush();
    retry_later();
}

// The disk may be full; what could not be written is tried again.
void feed_home::retry_later() {
    if (retrying_ || changes_.idle()) return;
    retrying_ = true;
    after_(retry_interval, [this, alive = std::weak_ptr{alive_}] {
        if (alive.expired()) return;
        retrying_ = false;
        changes_.advance(changes_.next_deadline());
        retry_later();
    });
}

void feed_home::put_node(std::string_view node, const pubsub::node_config& config, std::uint64_t created_ms, std::string_view creator) {
    facts_[std::string{node}] = {config, std::string{creator}};
    write([&](transaction& to) { put_feed_node(to, {std::string{node}, lines_of(config), created_ms, std::string{creator}}); });
}

void feed_home::drop_node(std::string_view node) {
    if (const auto found = facts_.find(node); found != facts_.end()) facts_.erase(found);
    write([&](transaction& to) { drop_feed_node(to, node); });
}

void feed_home::put_item(std::string_view node, const pubsub::item& what) {
    write([&](transaction& to) {
        put_feed_item(to, {std::string{node}, what.id, xml::to_text(*what.payload), what.publisher, what.order, what.edited_ms});
    });
}

void feed_home::drop_item(std::string_view node, std::string_view id) {
    write([&](transaction& to) { drop_feed_item(to, node, id); });
}

void feed_home::drop_items(std::string_view node) {
    write([&](transaction& to) { drop_feed_items(to, node); });
}

void feed_home::put_subscription(const pubsub::subscription& what) {
    write([&](transaction& to) {
        if (what.state == pubsub::subscription_state::none) drop_feed_subscription(to, what.node, what.jid);
        else put_feed_subscription(to, {what.node, what.jid, std::string{to_string(what.state)}, lines_of(what.options)});
    });
}

void feed_home::put_affiliation(const pubsub::affiliated& what) {
    write([&](transaction& to) {
        if (what.what == pubsub::affiliation::none) drop_feed_affiliation(to, what.node, what.jid);
        else put_feed_affiliation(to, {what.node, what.jid, std::string{to_string(what.what)}, {}});
    });
}

// --- events -------------------------------------------------------------------------------------------

void feed_home::notify(std::string_view jid, const pubsub::event& what) {
    ++counters_.notifications;
    for (auto* each : listeners_) each->notify(jid, what);
}

void feed_home::changed(const pubsub::event& what) {
    using kind = pubsub::event::kind;
    switch (what.what) {
    case kind::published: ++(what.fresh ? counters_.published : counters_.updated); break;
    case kind::retracted: ++counters_.retracted; break;
    case kind::purged: ++counters_.purged; break;
    case kind::deleted: ++counters_.removed; break;
    case kind::configured: ++counters_.configured; break;
    case kind::subscribed: break;
    }
    for (auto* each : listeners_) each->changed(what);
}

void feed_home::approval_wanted(const std::vector<std::string>& owners, const pubsub::subscription& what) {
    for (auto* each : listeners_) each->approval_wanted(owners, what);
}

// --- who is who ------------------------------------------------------------------------------------------

pubsub::requester feed_home::account_of(const user_identity& user) const {
    return {account_named(user.client.empty() ? user.name : user.client)};
}

std::string feed_home::account_named(std::string_view name) const { return jid_local_part(name) + '@' + options_.domain; }

bool feed_home::is_feed(const pubsub::node_config& node) noexcept {
    return std::ranges::find(atom_types, node.type) != atom_types.end();
}

const feed_home::node_facts* feed_home::facts_of(std::string_view node) const noexcept {
    const auto found = facts_.find(node);
    return found == facts_.end() ? nullptr : &found->second;
}

}  // namespace mbusd
