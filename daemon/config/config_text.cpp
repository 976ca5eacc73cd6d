#include "config/config_text.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "config/key_table.hpp"

namespace mbusd {
namespace {

std::string_view section_of(const key_info& key) { return key.name.substr(0, key.name.find('.')); }
std::string_view leaf_of(const key_info& key) { return key.name.substr(key.name.find('.') + 1); }

// Calls `row` with every key, and before the first one of a section `heading` with its name.
template <class Heading, class Row>
void each_key(Heading heading, Row row) {
    std::string_view section;
    for (const auto& key : key_table()) {
        if (section != section_of(key)) {
            section = section_of(key);
            heading(section);
        }
        row(key);
    }
}

std::string_view origin_of(const config_reading& reading, std::string_view key) {
    const auto found = reading.origins.find(key);
    return found == reading.origins.end() ? std::string_view{"default"} : std::string_view{found->second};
}

template <class Items, class Text>
std::string list_text(const Items& items, Text text) {
    std::string out = "[";
    for (const auto& item : items) out += fmt::format("{}\"{}\"", out.size() > 1 ? ", " : "", text(item));
    return out + ']';
}

// A TOML basic string holds these two only in escaped form.
std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out;
}

std::string rule_text(const rights_rule& rule) {
    const auto plain = [](const std::string& text) { return escaped(text); };
    const auto address = [](const mbus::address& pattern) { return escaped(pattern.text()); };
    std::string out = "\n[[rights]]\n";
    if (!rule.users.empty() || rule.groups.empty()) out += fmt::format("users = {}\n", list_text(rule.users, plain));
    if (!rule.groups.empty()) out += fmt::format("groups = {}\n", list_text(rule.groups, plain));
    out += fmt::format("attach = {}\n", list_text(rule.attach, address));
    out += fmt::format("send = {}\n", list_text(rule.send, address));
    for (const auto& [name, flag] : {std::pair{"monitor", rule.monitor}, {"administer", rule.administer},
                                     {"block", rule.block}, {"durable", rule.durable}, {"link", rule.link}}) {
        if (flag) out += fmt::format("{} = true\n", name);
    }
    return out;
}

std::string link_text(const link_rule& rule) {
    const auto address = [](const mbus::address& pattern) { return escaped(pattern.text()); };
    std::string out = fmt::format("\n[[link]]\nname = \"{}\"\n", rule.name);
    for (const auto& [name, text] : {std::pair{"url", &rule.url}, {"token_file", &rule.token_file}, {"ca_file", &rule.ca_file}}) {
        if (!text->empty()) out += fmt::format("{} = \"{}\"\n", name, escaped(*text));
    }
    out += fmt::format("send = {}\n", list_text(rule.send, address));
    out += fmt::format("receive = {}\n", list_text(rule.receive, address));
    if (rule.transit) out += "transit = true\n";
    return out;
}

std::string dump_text() {
    std::string out;
    const settings defaults;
    for (const auto& key : key_table()) {
        out += fmt::format("{:<32} {} (default {})\n", key.name, key.range, value_text(key, defaults));
    }
    out += fmt::format("{:<32} {}\n", "[[rights]]", "rules: who may attach, send, monitor, administer");
    out += fmt::format("{:<32} {}\n", "[[link]]", "links to other daemons");
    return out;
}

// A '|' would end the cell of a Markdown table, a '*' or '_' would start emphasis.
std::string code(std::string_view text) { return fmt::format("`{}`", text); }

std::string dump_markdown() {
    std::string out;
    const settings defaults;
    const auto heading = [&](std::string_view section) { out += fmt::format("\n### [{}]\n", section); };
    each_key(heading, [&](const key_info& key) {
        out += fmt::format("\n#### {}\n\n", code(key.name));
        out += fmt::format("{}\n\n", key.help);
        out += fmt::format("- Value: {}: {}\n", type_name(key), key.range);
        out += fmt::format("- Default: {}\n", code(value_text(key, defaults)));
        out += fmt::format("- Change: {}\n", key.reloadable ? "takes effect on reload (SIGHUP)" : "needs a restart");
    });
    out += "\n### [[rights]]\n";
    for (const auto& key : rights_keys()) out += fmt::format("\n#### {}\n\n{}\n\n- Value: {}\n", code(key.name), key.help, key.type);
    out += "\n### [[link]]\n";
    for (const auto& key : link_keys()) out += fmt::format("\n#### {}\n\n{}\n\n- Value: {}\n", code(key.name), key.help, key.type);
    return out.substr(1);
}

// scdoc reads '_' and '*' as emphasis and '[' '<' as themselves; a backslash makes them plain.
std::string scdoc_escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '_' || c == '*' || c == '\\' || c == '#' || c == '`') out += '\\';
        out += c;
    }
    return out;
}

std::string dump_scdoc() {
    std::string out;
    const settings defaults;
    const auto heading = [&](std::string_view section) { out += fmt::format("\n## [{}]\n", section); };
    each_key(heading, [&](const key_info& key) {
        out += fmt::format("\n*{}*\n", scdoc_escaped(leaf_of(key)));
        out += fmt::format("\t{}\n\n", scdoc_escaped(key.help));
        out += fmt::format("\tValue: {}: {}. Default: {}. A change {}.\n", type_name(key), scdoc_escaped(key.range),
                           scdoc_escaped(value_text(key, defaults)),
                           key.reloadable ? "takes effect on reload" : "needs a restart");
    });
    out += "\n## [[rights]]\n";
    for (const auto& key : rights_keys()) {
        out += fmt::format("\n*{}* ({})\n\t{}\n", scdoc_escaped(key.name), key.type, scdoc_escaped(key.help));
    }
    out += "\n## [[link]]\n";
    for (const auto& key : link_keys()) {
        out += fmt::format("\n*{}* ({})\n\t{}\n", scdoc_escaped(key.name), scdoc_escaped(key.type), scdoc_escaped(key.help));
    }
    return out.substr(1);
}

}  // namespace

std::string print_config(const config_reading& reading) {
    std::string out;
    const auto heading = [&](std::string_view section) {
        out += fmt::format("{}[{}]\n", out.empty() ? "" : "\n", section);
    };
    each_key(heading, [&](const key_info& key) {
        const auto line = fmt::format("{} = {}", leaf_of(key), value_text(key, reading.values));
        out += fmt::format("{:<48}  # {}\n", line, origin_of(reading, key.name));
    });
    out += fmt::format("\n# rights: {}\n", origin_of(reading, "rights"));
    if (reading.values.rights.rules().empty()) out.insert(0, "rights = []\n\n");
    for (const auto& rule : reading.values.rights.rules()) out += rule_text(rule);
    for (const auto& rule : reading.values.links) out += link_text(rule);
    return out;
}

std::optional<std::string> dump_keys(std::string_view form) {
    if (form == "markdown") return dump_markdown();
    if (form == "scdoc") return dump_scdoc();
    if (form == "text") return dump_text();
    return std::nullopt;
}

}  // namespace mbusd
