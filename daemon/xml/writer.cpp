#include "xml/writer.hpp"

#include <vector>

namespace mbusd::xml {
namespace {

// Blanks in an attribute would be read as one kind of blank, and CR anywhere as LF.
void escape(std::string& out, std::string_view text, bool in_attribute) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        switch (c) {
        case '<': out += "&lt;"; break;
        case '>': out += "&gt;"; break;
        case '&': out += "&amp;"; break;
        case '"': out += "&quot;"; break;
        case '\'': out += "&apos;"; break;
        case '\r': out += "&#13;"; break;
        case '\t': out += in_attribute ? "&#9;" : "\t"; break;
        case '\n': out += in_attribute ? "&#10;" : "\n"; break;
        default:
            if (static_cast<unsigned char>(c) < 0x20) {
                out += "\xEF\xBF\xBD";
            } else if (c == '\xEF' && i + 2 < text.size() && text[i + 1] == '\xBF' &&
                       (text[i + 2] == '\xBE' || text[i + 2] == '\xBF')) {
                out += "\xEF\xBF\xBD";  // U+FFFE and U+FFFF
                i += 2;
            } else {
                out += c;
            }
        }
    }
}

void append_value(std::string& out, std::string_view text) { escape(out, text, true); }

// Attributes in a namespace need a prefix; xml: needs no declaration.
void append_attribute(std::string& out, const attribute& what, std::vector<std::string_view>& declared) {
    out += ' ';
    if (what.space == xml_namespace) {
        out += "xml:";
    } else if (!what.space.empty()) {
        std::size_t index = 0;
        while (index < declared.size() && declared[index] != what.space) ++index;
        const auto prefix = "a" + std::to_string(index);
        if (index == declared.size()) {
            declared.push_back(what.space);
            out += "xmlns:" + prefix + "=\"";
            append_value(out, what.space);
            out += "\" ";
        }
        out += prefix + ':';
    }
    out += what.name;
    out += "=\"";
    append_value(out, what.value);
    out += '"';
}

void append_element(std::string& out, const element& what, std::string_view inherited, const writing& how, bool outermost) {
    const bool prefixed = outermost && !how.prefix.empty();
    std::string tag;
    if (prefixed) tag.append(how.prefix).append(":");
    tag += what.name();
    out += '<';
    out += tag;
    if (prefixed && !how.prefix_declared) {
        out.append(" xmlns:").append(how.prefix).append("=\"");
        append_value(out, what.space());
        out += '"';
    } else if (!prefixed && what.space() != inherited) {
        out += " xmlns=\"";
        append_value(out, what.space());
        out += '"';
    }
    std::vector<std::string_view> declared;
    for (const auto& each : what.attributes()) append_attribute(out, each, declared);
    if (what.children().empty()) {
        out += outermost && how.blank_before_slash ? " />" : "/>";
        return;
    }
    out += '>';
    const std::string_view inside = prefixed ? inherited : std::string_view{what.space()};
    for (const auto& each : what.children()) {
        if (const auto* text = each.as_text()) append_escaped(out, *text);
        else append_element(out, *each.as_element(), inside, how, false);
    }
    out.append("</").append(tag).append(">");
}

}  // namespace

void append(std::string& out, const element& what, const writing& how) {
    append_element(out, what, how.inherited, how, true);
}

std::string to_text(const element& what, const writing& how) {
    std::string out;
    append(out, what, how);
    return out;
}

void append_escaped(std::string& out, std::string_view text) { escape(out, text, false); }

}  // namespace mbusd::xml
