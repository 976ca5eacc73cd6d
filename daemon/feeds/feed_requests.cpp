#include "feeds/feed_requests.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "atom/entry.hpp"
#include "router/administration.hpp"
#include "xml/reader.hpp"
#include "xml/writer.hpp"

namespace mbusd {
namespace {

using mbus::errc;
using mbus::value;

// A page of 200 of them stays below what every client takes (docs/mbws.md, field `size`).
constexpr std::size_t title_octets_max = 200;

value pair(std::string_view key, value what) { return value::list{value{key}, std::move(what)}; }

value number(std::uint64_t what) { return value{static_cast<std::int64_t>(what)}; }

std::string_view text_at(const value::list& arguments, std::size_t index) {
    if (index >= arguments.size()) return {};
    const auto* text = arguments[index].get_if<std::string>();
    return text == nullptr ? std::string_view{} : std::string_view{*text};
}

// XML as data or as a string.
std::string_view octets_at(const value::list& arguments, std::size_t index) {
    if (index >= arguments.size()) return {};
    if (const auto* octets = arguments[index].get_if<mbus::data>()) return octets->view();
    return text_at(arguments, index);
}

request_result failed(const pubsub::fault& why) {
    const auto& condition = why.condition;
    const auto code = condition == "item-not-found" ? errc::not_found
                      : condition == "conflict"     ? errc::conflict
                      : condition == "resource-constraint" ? errc::limit
                      : why.type == "modify"        ? errc::bad_argument
                                                    : errc::forbidden;
    return request_result::failed(code, why.text);
}

class request {
public:
    request(feed_home& feeds, const feed_caller& caller, const value::list& arguments)
        : feeds_(feeds), caller_(caller), arguments_(arguments), node_(text_at(arguments, 0)) {}

    request_result list() const {
        value::list rows;
        for (const auto& each : feeds_.nodes().nodes(caller_.who)) {
            const auto* facts = feeds_.facts_of(each.id);
            if (facts == nullptr) continue;
            rows.push_back(value::list{pair("node", each.id), pair("title", each.title.substr(0, title_octets_max)),
                                       pair("creator", facts->creator), pair("type", facts->config.type.substr(0, title_octets_max))});
        }
        return {.results = answer_page(std::move(rows), answer_offset(arguments_, 0), "nodes")};
    }

    // Newest first.
    request_result items() const {
        auto found = feeds_.nodes().items(acting(), node_, 0, {});
        if (!found) return failed(found.error());
        value::list rows;
        for (auto at = found->rbegin(); at != found->rend(); ++at) {
            const auto& each = **at;
            rows.push_back(value::list{pair("item", each.id), pair("title", atom::title_of(*each.payload, title_octets_max)),
                                       pair("publisher", each.publisher), pair("edited-ms", number(each.edited_ms)),
                                       pair("octets", number(each.octets))});
        }
        return {.results = answer_page(std::move(rows), answer_offset(arguments_, 1), "items")};
    }

    request_result item() const {
        const std::string id{text_at(arguments_, 1)};
        auto found = feeds_.nodes().items(acting(), node_, 0, {id});
        if (!found) return failed(found.error());
        if (found->empty()) return request_result::failed(errc::not_found, fmt::format("the node {} has no item {}", node_, id));
        const auto& it = *found->front();
        return {.results = {pair("item", it.id), pair("publisher", it.publisher), pair("edited-ms", number(it.edited_ms)),
                            pair("payload", mbus::data{xml::to_text(*it.payload)})}};
    }

    request_result create() const {
        if (auto no = refuses_stranger("make nodes")) return std::move(*no);
        pubsub::form_fields config;
        if (const auto title = text_at(arguments_, 1); !title.empty()) config.push_back({"pubsub#title", {std::string{title}}});
        std::vector<pubsub::affiliated> publishers;
        if (const auto* names = arguments_.size() > 2 ? arguments_[2].get_if<value::list>() : nullptr) {
            for (const auto& each : *names) {
                const auto* name = each.get_if<std::string>();
                if (name == nullptr || name->empty()) {
                    return request_result::failed(errc::bad_argument, "the publishers are a list of names of users or clients, as strings");
                }
                const auto account = feeds_.account_named(*name);
                if (account != caller_.who.jid) publishers.push_back({.node = {}, .jid = account, .what = pubsub::affiliation::publisher});
            }
        }
        auto made = feeds_.nodes().create(caller_.who, node_, config);
        if (!made) return failed(made.error());
        if (auto set = feeds_.nodes().set_affiliations(caller_.who, *made, publishers); !set) return failed(set.error());
        return {.results = {pair("node", *made)}};
    }

    request_result remove() const {
        auto gone = feeds_.nodes().remove(acting(), node_);
        if (!gone) return failed(gone.error());
        return {};
    }

    // NODE ITEM-ID ENTRY
    request_result publish() const {
        xml::document_reader reader;
        auto payload = reader.read(octets_at(arguments_, 2));
        if (!payload) {
            return request_result::failed(errc::bad_argument, "the entry is one XML element, as data or string: " + reader.fault().text);
        }
        if (feeds_.facts_of(node_) == nullptr && caller_.known && !node_.empty()) {
            // The first to publish makes the node and owns it.
            if (auto made = feeds_.nodes().create(caller_.who, node_, {}); !made) return failed(made.error());
        }
        auto done = feeds_.nodes().publish(acting(), node_, text_at(arguments_, 1), std::move(*payload), {});
        if (!done) return failed(done.error());
        return {.results = {pair("item", done->id), pair("new", done->fresh)}};
    }

    request_result retract() const {
        auto gone = feeds_.nodes().retract(acting(), node_, text_at(arguments_, 1), true);
        if (!gone) return failed(gone.error());
        return {};
    }

private:
    // Whoever may administer the daemon does it in the name of who made the node.
    pubsub::requester acting() const {
        const auto* facts = caller_.administers ? feeds_.facts_of(node_) : nullptr;
        return facts == nullptr ? caller_.who : pubsub::requester{facts->creator};
    }

    std::optional<request_result> refuses_stranger(std::string_view what) const {
        if (caller_.known) return std::nullopt;
        return request_result::failed(errc::forbidden, fmt::format("only programs of this host may {}; connect to its daemon", what));
    }

    feed_home& feeds_;
    const feed_caller& caller_;
    const value::list& arguments_;
    std::string node_;
};

struct verb {
    std::string_view name;
    request_result (request::*perform)() const;
    bool changes;
};

constexpr std::array<verb, 7> verbs{{{"feed.list", &request::list, false},
                                     {"feed.items", &request::items, false},
                                     {"feed.item", &request::item, false},
                                     {"feed.create", &request::create, true},
                                     {"feed.remove", &request::remove, true},
                                     {"atom.publish", &request::publish, true},
                                     {"atom.retract", &request::retract, true}}};

const verb* find_verb(std::string_view name) noexcept {
    const auto found = std::ranges::find(verbs, name, &verb::name);
    return found == verbs.end() ? nullptr : &*found;
}

}  // namespace

bool changes_feeds(std::string_view name) noexcept {
    const auto* found = find_verb(name);
    return found != nullptr && found->changes;
}

request_result perform_feed_request(feed_home& feeds, const feed_caller& caller, std::string_view name, const value::list& arguments) {
    const auto* found = find_verb(name);
    if (found == nullptr) {
        request_result out = request_result::failed(errc::not_found, fmt::format("there is no command '{}' here; see docs/feeds.md", name));
        out.known = false;
        return out;
    }
    if (found->changes && !feeds.problem().empty()) return request_result::failed(errc::internal, std::string{feeds.problem()});
    return (request{feeds, caller, arguments}.*found->perform)();
}

}  // namespace mbusd
