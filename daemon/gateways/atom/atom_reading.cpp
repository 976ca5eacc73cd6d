// GET: the service document, feeds page by page, entries.
#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "atom/documents.hpp"
#include "atom/entry_rules.hpp"
#include "atom/names.hpp"
#include "gateways/atom/atom_gateway.hpp"
#include "gateways/atom/entity_tag.hpp"

namespace mbusd {
namespace {

// What somebody may read, another one may not.
http_response document(int status, std::string_view type, std::string body) {
    http_response out{.status = status, .type = std::string{type}};
    out.body = std::move(body);
    out.headers.push_back({"Cache-Control", "no-cache"});
    out.headers.push_back({"Vary", "Authorization"});
    return out;
}

atom::person person_of(std::string_view jid) {
    const auto bare = pubsub::bare_jid(jid);
    return {std::string{bare.substr(0, bare.find('@'))}, "xmpp:" + std::string{bare}};
}

std::optional<std::uint64_t> number_of(std::string_view text) noexcept {
    std::uint64_t out = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), out);
    return fault == std::errc{} && end == text.data() + text.size() ? std::optional{out} : std::nullopt;
}

}  // namespace

void atom_gateway::service(const job& of) {
    std::vector<atom::collection> rows;
    for (const auto& each : feeds_.nodes().nodes(of.from.who)) {
        const auto* facts = feeds_.facts_of(each.id);
        if (facts == nullptr || !feed_home::is_feed(facts->config)) continue;
        rows.push_back({of.call->request().base_url + feed_path{each.id}.text(), each.title.empty() ? each.id : each.title});
    }
    auto text = atom::document_text(atom::service_document("Feeds of " + feeds_.domain(), rows));
    const auto tag = entity_tag(text);
    if (answer_if_unchanged(of, tag)) return;
    ++counters_.read;
    of.call->respond(document(200, atom::service_type, std::move(text)).with("ETag", tag));
}

// The next part begins below the last entry of this one: changes meanwhile neither repeat an entry nor
// leave one out.
void atom_gateway::feed(const job& of) {
    const auto& request = of.call->request();
    const auto before = request.parameter("before");
    const auto from = before ? number_of(*before) : std::optional<std::uint64_t>{UINT64_MAX};
    if (!from) return refuse(of, 400, "bad-argument", "before is a number, as the link next has it");
    const auto found = feeds_.nodes().items(of.from.who, of.where.node, 0, {});
    if (!found) return refuse(of, found.error());
    const auto about = feeds_.nodes().look_at(of.from.who, of.where.node);
    if (!about) return refuse(of, about.error());

    const auto entries_max = configuration_().atom.page_entries;
    std::vector<const pubsub::item*> page;
    bool more = false;
    for (auto at = found->rbegin(); at != found->rend() && !more; ++at) {
        if ((*at)->order >= *from || !atom::is_entry(*(*at)->payload)) continue;
        if (page.size() == entries_max) more = true;
        else page.push_back(at->get());
    }
    const auto base = request.base_url + of.where.text();
    atom::feed_facts facts{.id = of.where.xmpp_uri(feeds_.domain()),
                           .title = about->config->title.empty() ? of.where.node : about->config->title,
                           .subtitle = about->config->description,
                           .updated_ms = found->empty() ? about->created_ms : found->back()->edited_ms,
                           .author = person_of(about->creator),
                           .self = before ? fmt::format("{}?before={}", base, *from) : base,
                           .first = before ? base : std::string{}};
    if (more) facts.next = fmt::format("{}?before={}", base, page.back()->order);
    if (configuration_().xmpp.enabled) facts.alternate = of.where.xmpp_uri(feeds_.domain());
    auto root = atom::feed_document(facts);
    for (const auto* each : page) {
        const feed_path where{of.where.node, each->id};
        root.add(atom::as_shown(*each->payload, showing_of(request, where, *each)));
    }
    auto text = atom::document_text(root);
    const auto tag = entity_tag(text);
    if (answer_if_unchanged(of, tag)) return;
    ++counters_.read;
    of.call->respond(document(200, atom::feed_type, std::move(text)).with("ETag", tag));
}

void atom_gateway::member(const job& of) {
    const auto found = find_entry(of);
    if (found == nullptr || answer_if_unchanged(of, entity_tag(*found))) return;
    ++counters_.read;
    of.call->respond(entry_answer(of, of.where, *found, 200));
}

bool atom_gateway::answer_if_unchanged(const job& of, const std::string& tag) {
    if (!of.call->request().has_header("If-None-Match")) return false;
    if (!lists_tag(of.call->request().header("If-None-Match"), tag, true)) return false;
    ++counters_.unchanged;
    of.call->respond(document(304, {}, {}).with("ETag", tag));
    return true;
}

atom::showing atom_gateway::showing_of(const http_request& request, const feed_path& where, const pubsub::item& what) const {
    atom::showing out{.edit = request.base_url + where.text(), .edited_ms = what.edited_ms, .author = person_of(what.publisher)};
    if (configuration_().xmpp.enabled) out.alternate = where.xmpp_uri(feeds_.domain());
    return out;
}

http_response atom_gateway::entry_answer(const job& of, const feed_path& where, const pubsub::item& what, int status) {
    const auto shown = atom::as_shown(*what.payload, showing_of(of.call->request(), where, what));
    return document(status, atom::entry_type, atom::document_text(shown)).with("ETag", entity_tag(what));
}

// Null: answered with the reason.
atom_gateway::item_pointer atom_gateway::find_entry(const job& of) {
    const auto found = feeds_.nodes().items(of.from.who, of.where.node, 0, {of.where.item});
    if (!found) {
        refuse(of, found.error());
        return nullptr;
    }
    if (found->empty() || !atom::is_entry(*found->front()->payload)) {
        refuse(of, 404, "not-found", fmt::format("the feed {} has no entry {}", of.where.node, of.where.item));
        return nullptr;
    }
    return found->front();
}

}  // namespace mbusd
