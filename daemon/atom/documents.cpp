#include "atom/documents.hpp"

#include "atom/names.hpp"
#include "atom/timestamp.hpp"
#include "xml/writer.hpp"

namespace mbusd::atom {
namespace {

using xml::element;

constexpr std::string_view xrd_namespace = "http://docs.oasis-open.org/ns/xri/xrd-1.0";
constexpr std::string_view websocket_relation = "urn:xmpp:alt-connections:websocket";

void add_text(element& to, std::string_view name, std::string_view text) { to.add(atom_namespace, name).add_text(text); }

void add_link(element& to, std::string_view rel, std::string_view href, std::string_view type) {
    if (href.empty()) return;
    auto& link = to.add(atom_namespace, "link").set("rel", rel);
    if (!type.empty()) link.set("type", type);
    link.set("href", href);
}

}  // namespace

element feed_document(const feed_facts& facts) {
    element out{atom_namespace, "feed"};
    add_text(out, "id", facts.id);
    add_text(out, "title", facts.title);
    if (!facts.subtitle.empty()) add_text(out, "subtitle", facts.subtitle);
    add_text(out, "updated", date_text(facts.updated_ms));
    auto& author = out.add(atom_namespace, "author");
    add_text(author, "name", facts.author.name);
    if (!facts.author.uri.empty()) add_text(author, "uri", facts.author.uri);
    add_link(out, "self", facts.self, feed_type);
    add_link(out, "first", facts.first, feed_type);
    add_link(out, "next", facts.next, feed_type);
    add_link(out, "alternate", facts.alternate, {});
    return out;
}

element service_document(std::string_view workspace, const std::vector<collection>& collections) {
    element out{app_namespace, "service"};
    auto& space = out.add(app_namespace, "workspace");
    add_text(space, "title", workspace);
    for (const auto& each : collections) {
        auto& row = space.add(app_namespace, "collection");
        row.set("href", each.href);
        add_text(row, "title", each.title);
        row.add(app_namespace, "accept").add_text(entry_type);
    }
    return out;
}

std::string document_text(const element& root) {
    std::string out = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n";
    xml::append(out, root);
    out += '\n';
    return out;
}

element host_meta(std::string_view websocket_url) {
    element out{xrd_namespace, "XRD"};
    if (!websocket_url.empty()) out.add(xrd_namespace, "Link").set("rel", websocket_relation).set("href", websocket_url);
    return out;
}

std::string host_meta_json(std::string_view websocket_url) {
    std::string out = R"({"links":[)";
    if (!websocket_url.empty()) {
        // A URL that we made ourselves; what JSON would need escaped is escaped in it already.
        out.append(R"({"rel":")").append(websocket_relation).append(R"(","href":")").append(websocket_url).append("\"}");
    }
    return out + "]}\n";
}

std::string uri_encoded(std::string_view text) {
    constexpr std::string_view hex = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
        if (plain) {
            out += c;
            continue;
        }
        out += '%';
        out += hex[static_cast<unsigned char>(c) >> 4];
        out += hex[static_cast<unsigned char>(c) & 0x0F];
    }
    return out;
}

}  // namespace mbusd::atom
