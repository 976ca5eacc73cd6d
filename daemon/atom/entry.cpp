#include "atom/entry.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <system_error>
#include <vector>

#include "atom/names.hpp"
#include "atom/timestamp.hpp"
#include "message/text.hpp"

namespace mbusd::atom {
namespace {

using xml::element;

// What a URL shows without breaking its line.
constexpr std::size_t slug_octets_max = 64;
constexpr std::string_view digits = "0123456789abcdef";

element text_element(std::string_view name, std::string_view text) {
    element out{atom_namespace, name};
    out.add_text(text);
    return out;
}

element person_element(const person& who) {
    element out{atom_namespace, "author"};
    out.add(text_element("name", who.name));
    if (!who.uri.empty()) out.add(text_element("uri", who.uri));
    return out;
}

bool has_author(const element& entry) {
    if (entry.child(atom_namespace, "author") != nullptr) return true;
    const auto* source = entry.child(atom_namespace, "source");
    return source != nullptr && source->child(atom_namespace, "author") != nullptr;
}

bool is_link(const element& what, std::string_view rel) {
    return what.is(atom_namespace, "link") && what.get("rel").value_or("alternate") == rel;
}

// What as_shown() has added, or what claims its place.
bool is_shown_only(const element& what, const showing& how) {
    if (is_link(what, "edit") || what.is(app_namespace, "edited")) return true;
    if (!is_link(what, "alternate")) return false;
    const auto href = what.value_of("href");
    return href == how.alternate || href == how.edit;
}

int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::string percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool pair = text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0;
        out += pair ? static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2])) : text[i];
        if (pair) i += 2;
    }
    return out;
}

// All text below, tags left out.
void collect_text(const element& from, std::string& out) {
    for (const auto& each : from.children()) {
        if (const auto* text = each.as_text()) out += *text;
        else collect_text(*each.as_element(), out);
    }
}

bool letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Empty for what is no character of XML.
std::string utf8_of(std::uint32_t code) {
    if (code == 0 || (code >= 0xD800 && code <= 0xDFFF) || code == 0xFFFE || code == 0xFFFF || code > 0x10FFFF) return {};
    const auto tail = [code](unsigned shift) { return static_cast<char>(0x80U | ((code >> shift) & 0x3FU)); };
    if (code < 0x80) return {static_cast<char>(code)};
    if (code < 0x800) return {static_cast<char>(0xC0U | (code >> 6U)), tail(0)};
    if (code < 0x10000) return {static_cast<char>(0xE0U | (code >> 12U)), tail(6), tail(0)};
    return {static_cast<char>(0xF0U | (code >> 18U)), tail(12), tail(6), tail(0)};
}

// The character of a reference such as "amp" or "#233", in UTF-8; empty for those that are not known here.
std::string referred(std::string_view name) {
    struct known {
        std::string_view name;
        std::string_view text;
    };
    static constexpr std::array<known, 6> all{{{"lt", "<"}, {"gt", ">"}, {"amp", "&"}, {"quot", "\""}, {"apos", "'"}, {"nbsp", " "}}};
    const auto found = std::ranges::find(all, name, &known::name);
    if (found != all.end()) return std::string{found->text};
    if (!name.starts_with('#')) return {};
    const bool hex = name.starts_with("#x") || name.starts_with("#X");
    const auto number = name.substr(hex ? 2 : 1);
    std::uint32_t code = 0;
    const auto read = std::from_chars(number.data(), number.data() + number.size(), code, hex ? 16 : 10);
    if (read.ec != std::errc{} || read.ptr != number.data() + number.size()) return {};
    return utf8_of(code);
}

// The text of escaped HTML (RFC 4287, section 3.1.1.2): tags left out, references as characters. A "<" that opens no tag stays.
std::string text_of_html(std::string_view html) {
    constexpr std::size_t reference_octets_max = 10;
    std::string out;
    for (std::size_t i = 0; i < html.size(); ++i) {
        const auto rest = html.substr(i + 1);
        if (html[i] == '<' && !rest.empty() && (letter(rest.front()) || rest.front() == '/' || rest.front() == '!')) {
            const auto end = rest.find('>');
            if (end == std::string_view::npos) return out;
            i += end + 1;
        } else if (html[i] == '&') {
            const auto end = rest.substr(0, reference_octets_max).find(';');
            const auto text = end == std::string_view::npos ? std::string{} : referred(rest.substr(0, end));
            out += text.empty() ? "&" : text;
            if (!text.empty()) i += end + 1;
        } else {
            out += html[i];
        }
    }
    return out;
}

// Runs of blanks and control characters become one blank.
std::string one_line(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool blank = static_cast<unsigned char>(c) <= 0x20 || c == 0x7F;
        if (!blank) out += c;
        else if (!out.empty() && out.back() != ' ') out += ' ';
    }
    while (out.ends_with(' ')) out.pop_back();
    return out;
}

void cut(std::string& text, std::size_t octets_max) {
    if (text.size() <= octets_max) return;
    auto end = octets_max;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    text.resize(end);
}

}  // namespace

void complete(element& entry, const additions& with) {
    if (entry.child(atom_namespace, "id") == nullptr) entry.add(text_element("id", with.id));
    if (entry.child(atom_namespace, "updated") == nullptr) entry.add(text_element("updated", date_text(with.updated_ms)));
    if (!has_author(entry) && !with.author.name.empty()) entry.add(person_element(with.author));
}

element as_shown(const element& entry, const showing& how) {
    element out = entry;
    without_showing(out, how);
    if (!has_author(out) && !how.author.name.empty()) out.add(person_element(how.author));
    const bool lacks = out.child(atom_namespace, "content") == nullptr &&
                       std::ranges::none_of(out.elements(), [](const auto* each) { return is_link(*each, "alternate"); });
    if (!how.alternate.empty()) {
        out.add(atom_namespace, "link").set("rel", "alternate").set("href", how.alternate);
    } else if (lacks) {
        // RFC 4287, section 4.1.2: without content there is an alternate.
        out.add(atom_namespace, "link").set("rel", "alternate").set("type", entry_type).set("href", how.edit);
    }
    out.add(atom_namespace, "link").set("rel", "edit").set("type", entry_type).set("href", how.edit);
    out.add(app_namespace, "edited").add_text(date_text(how.edited_ms));
    return out;
}

void without_showing(element& entry, const showing& how) {
    std::erase_if(entry.children(), [&](const xml::node& each) {
        const auto* what = each.as_element();
        return what != nullptr && is_shown_only(*what, how);
    });
}

void keep_id(element& entry, const element& before) {
    const auto* old = before.child(atom_namespace, "id");
    if (old == nullptr) return;
    auto* now = entry.child(atom_namespace, "id");
    if (now == nullptr) {
        entry.add(*old);
    } else {
        *now = *old;
    }
}

std::string title_of(const element& entry, std::size_t octets_max) {
    const auto* title = entry.child(atom_namespace, "title");
    if (title == nullptr) return {};
    std::string text;
    collect_text(*title, text);
    if (title->value_of("type") == "html") text = text_of_html(text);
    text = one_line(text);
    cut(text, octets_max);
    return text;
}

std::string announcement_of(const element& entry, std::size_t octets_max) {
    auto out = title_of(entry, octets_max);
    for (const auto* link : entry.elements(atom_namespace, "link")) {
        // Without rel it is "alternate" (RFC 4287, section 4.2.7.2).
        const auto href = link->value_of("href");
        if (link->get("rel").value_or("alternate") != "alternate" || href.empty() || out.size() + 1 + href.size() > octets_max) continue;
        if (!out.empty()) out += '\n';
        out += href;
        break;
    }
    return out;
}

std::string uuid_urn(std::string_view random_octets) {
    std::array<unsigned char, 16> octets{};
    for (std::size_t i = 0; i < octets.size() && i < random_octets.size(); ++i) octets.at(i) = static_cast<unsigned char>(random_octets[i]);
    octets[6] = static_cast<unsigned char>((octets[6] & 0x0F) | 0x40);
    octets[8] = static_cast<unsigned char>((octets[8] & 0x3F) | 0x80);
    std::string out = "urn:uuid:";
    for (std::size_t i = 0; i < octets.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
        out += digits[octets.at(i) >> 4];
        out += digits[octets.at(i) & 0x0F];
    }
    return out;
}

std::string id_from_slug(std::string_view slug) {
    std::string out;
    const auto words = percent_decoded(slug);
    const bool readable = mbus::text::is_utf8(words);
    for (const char c : words) {
        const char low = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        const bool plain = (low >= 'a' && low <= 'z') || (low >= '0' && low <= '9') || (readable && static_cast<unsigned char>(c) >= 0x80);
        if (plain) out += low;
        else if (!out.empty() && out.back() != '-') out += '-';
    }
    cut(out, slug_octets_max);
    while (out.ends_with('-')) out.pop_back();
    return out;
}

}  // namespace mbusd::atom
