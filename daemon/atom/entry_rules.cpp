#include "atom/entry_rules.hpp"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "atom/names.hpp"
#include "atom/timestamp.hpp"

namespace mbusd::atom {
namespace {

using fault = std::optional<std::string>;
using xml::element;

constexpr std::string_view blanks = " \t\r\n";

std::string_view trimmed(std::string_view text) noexcept {
    const auto first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string lowered(std::string_view text) {
    std::string out{text};
    std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return out;
}

bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// "scheme:rest" without blanks (RFC 3987, as far as a reader cares).
bool is_absolute_iri(std::string_view text) noexcept {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size() || !is_letter(text.front())) return false;
    const auto fits = [](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.'; };
    return std::ranges::all_of(text.substr(0, colon), fits) && text.find_first_of(" \t\r\n<>\"") == std::string_view::npos;
}

bool is_media_type(std::string_view text) noexcept {
    const auto slash = text.find('/');
    return slash != std::string_view::npos && slash > 0 && slash + 1 < text.size() &&
           text.substr(0, text.find(';')).find_first_of(blanks) == std::string_view::npos;
}

// Characters of Base64 and blanks, in whole groups of four.
bool is_base64(std::string_view text) noexcept {
    std::size_t count = 0;
    bool padded = false;
    for (const char c : text) {
        if (blanks.find(c) != std::string_view::npos) continue;
        ++count;
        if (c == '=') {
            padded = true;
            continue;
        }
        if (padded || !(is_letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '/')) return false;
    }
    return count % 4 == 0;
}

bool only_blank_text(const element& what) { return trimmed(what.text()).empty(); }

std::string named(std::string_view name) { return "the " + std::string{name}; }

// Exactly one, or at most one, child of that name.
fault counted(const element& in, std::string_view holder, std::string_view name, bool needed) {
    const auto found = in.elements(atom_namespace, name).size();
    if (found == 1 || (found == 0 && !needed)) return std::nullopt;
    const std::string count = needed ? "exactly" : "at most";
    return std::string{holder} + " has " + count + " one " + std::string{name} + "; this one has " +
           (found == 0 ? "none" : std::to_string(found));
}

// Section 3.1.1, for text constructs and for content of these types.
fault text_fault(const element& what, std::string_view type) {
    const auto inside = what.elements();
    if (type == "text" || type == "html") {
        if (inside.empty()) return std::nullopt;
        return named(what.name()) + " is of type " + std::string{type} + ", so it holds text only, no element " + inside.front()->name() +
               (type == "html" ? "; escape the markup, or use type xhtml" : "");
    }
    if (inside.size() == 1 && inside.front()->is(xhtml_namespace, "div") && only_blank_text(what)) return std::nullopt;
    return named(what.name()) + " is of type xhtml, so it holds exactly one div of the XHTML namespace";
}

fault text_construct_fault(const element& what) {
    const auto type = what.get("type").value_or("text");
    if (type != "text" && type != "html" && type != "xhtml") {
        return named(what.name()) + " has the type " + std::string{type} + "; it may be text, html or xhtml";
    }
    return text_fault(what, type);
}

fault date_fault(const element& what) {
    if (is_date(trimmed(what.text())) && what.elements().empty()) return std::nullopt;
    return named(what.name()) + " is a date such as 2026-11-21T10:15:30Z (RFC 3339), not '" + what.text().substr(0, 64) + "'";
}

fault person_fault(const element& who) {
    if (auto no = counted(who, named(who.name()), "name", true)) return no;
    for (const std::string_view part : {"uri", "email"}) {
        if (auto no = counted(who, named(who.name()), part, false)) return no;
    }
    const auto* email = who.child(atom_namespace, "email");
    if (email != nullptr && trimmed(email->text()).find('@') == std::string_view::npos) {
        return "the email of " + named(who.name()) + " has no '@'";
    }
    return std::nullopt;
}

fault link_fault(const element& link) {
    if (trimmed(link.value_of("href")).empty()) return "a link has an attribute href that is not empty";
    if (link.get("rel") && link.value_of("rel").empty()) return "the attribute rel of a link can't be empty; leave it out for alternate";
    if (const auto type = link.get("type"); type && !is_media_type(*type)) {
        return "the type of a link is a media type such as text/html, not '" + std::string{type->substr(0, 64)} + "'";
    }
    return std::nullopt;
}

// Section 4.1.2: alternates of one type and language would be the same one twice.
fault links_fault(const element& entry) {
    std::vector<std::pair<std::string, std::string>> seen;
    for (const auto* link : entry.elements(atom_namespace, "link")) {
        if (auto no = link_fault(*link)) return no;
        if (link->get("rel").value_or("alternate") != "alternate") continue;
        const std::pair<std::string, std::string> kind{lowered(link->value_of("type")), lowered(link->value_of("hreflang"))};
        // Links without type may lead anywhere; servers of XMPP add one beside the author's.
        if (kind.first.empty()) continue;
        if (std::ranges::find(seen, kind) != seen.end()) return "two links rel=\"alternate\" have the same type and hreflang";
        seen.push_back(kind);
    }
    return std::nullopt;
}

// Section 4.1.3.3.
fault content_fault(const element& content, bool has_summary) {
    const std::string type = lowered(content.get("type").value_or(content.get("src") ? "" : "text"));
    if (content.get("src")) {
        if (!content.elements().empty() || !only_blank_text(content)) return "content with the attribute src is empty";
        if (!type.empty() && !is_media_type(type)) return "content with the attribute src has a media type such as image/png";
        if (!has_summary) return "an entry whose content has the attribute src has a summary";
        return std::nullopt;
    }
    if (type == "text" || type == "html" || type == "xhtml") return text_fault(content, type);
    const auto essence = std::string{trimmed(std::string_view{type}.substr(0, type.find(';')))};
    if (!is_media_type(essence) || essence.starts_with("multipart/") || essence.starts_with("message/")) {
        return "the type of content is text, html, xhtml or a media type such as image/png, not '" + type.substr(0, 64) + "'";
    }
    if (essence.ends_with("+xml") || essence.ends_with("/xml")) {
        if (content.elements().size() <= 1 && only_blank_text(content)) return std::nullopt;
        return "content of type " + essence + " holds one element";
    }
    if (!content.elements().empty()) return "content of type " + essence + " holds no elements";
    if (essence.starts_with("text/")) return std::nullopt;
    if (!is_base64(content.text())) return "content of type " + essence + " is written in Base64";
    if (!has_summary) return "an entry whose content is in Base64 has a summary";
    return std::nullopt;
}

fault id_fault(const element& id) {
    if (is_absolute_iri(trimmed(id.text())) && id.elements().empty()) return std::nullopt;
    return "the id of an entry is an IRI such as urn:uuid:1225c695-cfb8-4ebb-aaaa-80da344efa6a or tag:example.org,2026:1, not '" +
           id.text().substr(0, 64) + "'";
}

fault children_fault(const element& entry) {
    for (const auto* each : entry.elements()) {
        if (each->space() != atom_namespace) continue;
        const auto& name = each->name();
        fault wrong;
        if (name == "id") wrong = id_fault(*each);
        else if (name == "title" || name == "summary" || name == "rights") wrong = text_construct_fault(*each);
        else if (name == "updated" || name == "published") wrong = date_fault(*each);
        else if (name == "author" || name == "contributor") wrong = person_fault(*each);
        else if (name == "category" && each->value_of("term").empty()) wrong = "a category has an attribute term";
        else if (name == "entry" || name == "feed") wrong = "an entry can't hold another " + name;
        if (wrong) return wrong;
    }
    return std::nullopt;
}

}  // namespace

bool is_entry(const xml::element& what) noexcept { return what.is(atom_namespace, "entry"); }

std::optional<std::string> entry_fault(const xml::element& entry) {
    if (!is_entry(entry)) {
        return "expected one element entry of the namespace " + std::string{atom_namespace} + ", not " + entry.name() +
               (entry.space().empty() ? " without a namespace" : " of " + entry.space().substr(0, 128));
    }
    for (const std::string_view name : {"id", "title", "updated"}) {
        if (auto no = counted(entry, "an entry", name, true)) return no;
    }
    for (const std::string_view name : {"content", "published", "rights", "source", "summary"}) {
        if (auto no = counted(entry, "an entry", name, false)) return no;
    }
    if (!only_blank_text(entry)) return "an entry holds elements only; there is text between them";
    if (auto no = children_fault(entry)) return no;
    if (auto no = links_fault(entry)) return no;
    const auto* content = entry.child(atom_namespace, "content");
    return content == nullptr ? std::nullopt : content_fault(*content, entry.child(atom_namespace, "summary") != nullptr);
}

}  // namespace mbusd::atom
