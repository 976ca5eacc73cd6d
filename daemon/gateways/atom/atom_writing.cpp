// POST, PUT, DELETE. The answer waits until the change is on the disk.
#include <utility>

#include <fmt/format.h>

#include "atom/entry_rules.hpp"
#include "atom/names.hpp"
#include "gateways/atom/atom_gateway.hpp"
#include "gateways/atom/entity_tag.hpp"
#include "http/field_text.hpp"
#include "xml/reader.hpp"

namespace mbusd {
namespace {

constexpr std::size_t uuid_octets = 16;
// So many entries may begin with the same Slug; then the id is made up.
constexpr int same_slug_max = 100;

std::string_view essence_of(std::string_view type) noexcept { return http::trimmed(type.substr(0, type.find(';'))); }

bool says_feed(std::string_view type) {
    const auto parameter = http::lowered(type);
    return parameter.find("type=feed") != std::string::npos || parameter.find("type=\"feed\"") != std::string::npos;
}

}  // namespace

void atom_gateway::create(const job& of) {
    auto entry = read_entry(of);
    if (!entry) return;
    const bool missing = feeds_.facts_of(of.where.node) == nullptr;
    if (missing && configuration_().atom.auto_create) {
        if (auto made = feeds_.nodes().create(of.from.who, of.where.node, {}); !made) return refuse(of, made.error());
    } else if (missing) {
        return refuse(of, 404, "not-found",
                      fmt::format("there is no feed {0}; make it with 'mbus feed create --publisher NAME {0}' or over XMPP, or set atom.auto_create", of.where.node));
    }
    atom::without_showing(*entry, {});
    atom::complete(*entry, additions_for(of));
    auto done = feeds_.nodes().publish(of.from.who, of.where.node, item_id_for(of), std::move(*entry), {});
    if (!done) return refuse(of, done.error());
    const feed_path where{of.where.node, done->id};
    const auto uri = of.call->request().base_url + where.text();
    answer_stored(of, entry_answer(of, where, *done->entry, 201).with("Location", uri).with("Content-Location", uri));
}

void atom_gateway::replace(const job& of) {
    auto entry = read_entry(of);
    if (!entry) return;
    const auto current = find_entry(of);
    if (current == nullptr || !precondition_holds(of, current.get())) return;
    atom::without_showing(*entry, showing_of(of.call->request(), of.where, *current));
    atom::keep_id(*entry, *current->payload);
    atom::complete(*entry, additions_for(of));
    auto done = feeds_.nodes().publish(of.from.who, of.where.node, of.where.item, std::move(*entry), {});
    if (!done) return refuse(of, done.error());
    answer_stored(of, entry_answer(of, of.where, *done->entry, 200).with("Content-Location", of.call->request().base_url + of.where.text()));
}

void atom_gateway::remove(const job& of) {
    const auto current = find_entry(of);
    if (current == nullptr || !precondition_holds(of, current.get())) return;
    auto gone = feeds_.nodes().retract(of.from.who, of.where.node, of.where.item, true);
    if (!gone) return refuse(of, gone.error());
    answer_stored(of, {.status = 204, .type = {}});
}

// Nothing: answered with the reason.
std::optional<xml::element> atom_gateway::read_entry(const job& of) {
    const auto& request = of.call->request();
    const auto type = request.header("Content-Type");
    if (!http::same_word(essence_of(type), "application/atom+xml")) {
        refuse(of, 415, "bad-argument", fmt::format("Content-Type must be {}", atom::entry_type));
        return std::nullopt;
    }
    if (!feeds_.problem().empty()) {
        refuse(of, 503, "internal", feeds_.problem());
        return std::nullopt;
    }
    // Comments and processing instructions are left out; what they say is nobody's business.
    xml::document_reader reader{{.octets = configuration_().pubsub.payload_octets, .comments = true}};
    auto entry = reader.read(request.body);
    if (!entry) {
        refuse(of, 400, "bad-argument", "the body is no XML that is taken here: " + reader.fault().text);
        return std::nullopt;
    }
    if (says_feed(type) || entry->is(atom::atom_namespace, "feed")) {
        refuse(of, 400, "bad-argument", "a feed can't be posted; post its entries, one by one");
        return std::nullopt;
    }
    if (!atom::is_entry(*entry)) {
        refuse(of, 422, "bad-argument", atom::entry_fault(*entry).value_or("this is no entry"));
        return std::nullopt;
    }
    return entry;
}

// If-Match and If-None-Match (RFC 9110, section 13.2.2): false: answered with 412.
bool atom_gateway::precondition_holds(const job& of, const pubsub::item* current) {
    const auto& request = of.call->request();
    const auto tag = entity_tag(*current);
    const bool stale = request.has_header("If-Match") && !lists_tag(request.header("If-Match"), tag, false);
    const bool same = request.has_header("If-None-Match") && lists_tag(request.header("If-None-Match"), tag, true);
    if (!stale && !same) return true;
    ++counters_.refused;
    of.call->respond(of.call->problem(412, "conflict", "the entry has changed since; read it again, and send your change with its new ETag")
                         .with("ETag", tag));
    return false;
}

// What a Slug asks for, or nothing: then publish-subscribe makes one up.
std::string atom_gateway::item_id_for(const job& of) {
    const auto asked = atom::id_from_slug(of.call->request().header("Slug"));
    if (asked.empty()) return {};
    for (int number = 1; number <= same_slug_max; ++number) {
        auto id = number == 1 ? asked : fmt::format("{}-{}", asked, number);
        const auto taken = feeds_.nodes().items(of.from.who, of.where.node, 0, {id});
        if (!taken || taken->empty()) return id;
    }
    return {};
}

atom::additions atom_gateway::additions_for(const job& of) const {
    const std::string jid{pubsub::bare_jid(of.from.who.jid)};
    return {.id = atom::uuid_urn(random_(uuid_octets)), .updated_ms = feeds_.wall_ms(), .author = {jid.substr(0, jid.find('@')), "xmpp:" + jid}};
}

void atom_gateway::answer_stored(const job& of, http_response answer) {
    ++counters_.written;
    feeds_.when_stored([call = of.call, kept = std::make_shared<http_response>(std::move(answer))] { call->respond(std::move(*kept)); });
}

}  // namespace mbusd
