#include "config/config_file.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string_view>

#include <fmt/format.h>

#include <toml++/toml.h>

#include "config/key_table.hpp"
#include "config/did_you_mean.hpp"

namespace mbusd {
namespace {

std::string_view describe_type(const toml::node& what) {
    switch (what.type()) {
    case toml::node_type::string: return "a text";
    case toml::node_type::integer: return "a whole number";
    case toml::node_type::floating_point: return "a number with a fraction";
    case toml::node_type::boolean: return "true or false";
    case toml::node_type::array: return "a list";
    case toml::node_type::table: return "a table";
    default: return "a date or time";
    }
}

// Walks one parsed file. Every member reports into `out_` and goes on.
class file_checker {
public:
    file_checker(config_reading& out, const std::string& name) : out_(out), name_(name) {}

    void check(const toml::table& root) {
        for (const auto& [key, node] : root) {
            if (key.str() == "rights") {
                check_rights(node);
            } else if (key.str() == "link") {
                check_links(node);
            } else if (node.is_table() && is_section(key.str())) {
                for (const auto& [inner, value] : *node.as_table()) {
                    check_key(std::string{key.str()} + '.' + std::string{inner.str()}, value, inner.source());
                }
            } else {
                unknown(key.str(), key.source(), node.is_table());
            }
        }
    }

    // The rules of this file, if it has any.
    std::vector<rights_rule> rules;
    bool has_rules = false;

private:
    static bool is_section(std::string_view name) {
        return std::ranges::any_of(key_table(), [&](const key_info& key) {
            return key.name.starts_with(name) && key.name.size() > name.size() && key.name[name.size()] == '.';
        });
    }

    [[nodiscard]] std::string place(const toml::source_region& where) const {
        return fmt::format("{}:{}", name_, where.begin.line);
    }

    void problem(const toml::source_region& where, std::string_view text) {
        out_.problems.push_back({fmt::format("{}: {}", place(where), text)});
    }

    void unknown(std::string_view name, const toml::source_region& where, bool table) {
        std::vector<std::string_view> known;
        for (const auto& key : key_table()) {
            const auto section = key.name.substr(0, key.name.find('.'));
            if (name.find('.') != std::string_view::npos) {
                known.push_back(key.name);
            } else if (std::ranges::find(known, section) == known.end()) {
                known.push_back(section);
            }
        }
        known.push_back("rights");
        known.push_back("link");
        auto hint = did_you_mean(name, known);
        if (hint.empty()) hint = elsewhere(name);
        if (hint.empty()) hint = "; 'mbusd --dump-keys markdown' lists all keys";
        problem(where, fmt::format("unknown {} '{}'{}", table ? "table" : "key", name, hint));
    }

    // A key that stands in the wrong table, or in none.
    static std::string elsewhere(std::string_view name) {
        const auto last = name.substr(name.rfind('.') == std::string_view::npos ? 0 : name.rfind('.') + 1);
        for (const auto& key : key_table()) {
            if (key.name.substr(key.name.find('.') + 1) != last) continue;
            return fmt::format("; '{}' belongs in table [{}]", last, key.name.substr(0, key.name.find('.')));
        }
        return {};
    }

    void check_key(const std::string& name, const toml::node& node, const toml::source_region& where) {
        const auto table = key_table();
        const auto found = std::ranges::find(table, name, &key_info::name);
        if (found == table.end()) {
            unknown(name, where, false);
            return;
        }
        current_ = &*found;
        const bool taken = std::visit([&](auto slot) { return take(slot(out_.values), node); }, found->slot);
        if (taken) out_.origins[name] = place(where);
    }

    bool wrong_type(const toml::node& node) {
        problem(node.source(), fmt::format("{} must be {} ({}), not {}", current_->name, type_name(*current_),
                                           current_->range, describe_type(node)));
        return false;
    }

    bool take(bool& into, const toml::node& node) {
        const auto value = node.value_exact<bool>();
        if (!value) return wrong_type(node);
        into = *value;
        return true;
    }

    bool take(std::uint64_t& into, const toml::node& node) {
        const auto value = node.value_exact<std::int64_t>();
        if (!value) return wrong_type(node);
        if (*value < 0 || static_cast<std::uint64_t>(*value) < current_->least ||
            static_cast<std::uint64_t>(*value) > current_->most) {
            problem(node.source(), fmt::format("{} must be {}, not {}", current_->name, current_->range, *value));
            return false;
        }
        into = static_cast<std::uint64_t>(*value);
        return true;
    }

    bool take(std::string& into, const toml::node& node) {
        const auto value = node.value_exact<std::string>();
        if (!value) return wrong_type(node);
        if (!acceptable(*value, node)) return false;
        into = *value;
        return true;
    }

    bool take(std::vector<std::string>& into, const toml::node& node) {
        std::vector<std::string> values;
        if (!list_of_texts(node, values)) return wrong_type(node);
        for (const auto& value : values) {
            if (!acceptable(value, node)) return false;
        }
        into = std::move(values);
        return true;
    }

    bool acceptable(const std::string& value, const toml::node& node) {
        const auto& choices = current_->choices;
        if (!choices.empty() && std::ranges::find(choices, value) == choices.end()) {
            problem(node.source(), fmt::format("{} must be {}, not '{}'{}", current_->name, current_->range, value,
                                               did_you_mean(value, choices)));
            return false;
        }
        if (value.find('\0') != std::string::npos) {
            problem(node.source(), fmt::format("{}: a NUL character is not allowed", current_->name));
            return false;
        }
        if (current_->check == nullptr) return true;
        const auto fault = current_->check(value);
        if (fault) problem(node.source(), fmt::format("{}: {}, got '{}'", current_->name, *fault, value));
        return !fault;
    }

    static bool list_of_texts(const toml::node& node, std::vector<std::string>& out) {
        const auto* list = node.as_array();
        if (list == nullptr) return false;
        for (const auto& item : *list) {
            const auto value = item.value_exact<std::string>();
            if (!value) return false;
            out.push_back(*value);
        }
        return true;
    }

    void check_rights(const toml::node& node) {
        const auto* entries = node.as_array();
        if (entries == nullptr) {
            problem(node.source(), "rights must be written as [[rights]], with two brackets on each side");
            return;
        }
        has_rules = true;
        for (const auto& entry : *entries) {
            if (const auto* table = entry.as_table()) {
                rules.push_back(read_rule(*table));
            } else {
                problem(entry.source(), "rights must be written as [[rights]], with two brackets on each side");
            }
        }
        if (has_rules) out_.origins["rights"] = place(node.source());
    }

    rights_rule read_rule(const toml::table& table) {
        rights_rule out;
        for (const auto& [key, node] : table) {
            const auto name = key.str();
            if (name == "users") rule_list(name, node, out.users);
            else if (name == "groups") rule_list(name, node, out.groups);
            else if (name == "clients") rule_list(name, node, out.clients);
            else if (name == "attach") rule_addresses(name, node, out.attach);
            else if (name == "send") rule_addresses(name, node, out.send);
            else if (name == "monitor") rule_flag(name, node, out.monitor);
            else if (name == "administer") rule_flag(name, node, out.administer);
            else if (name == "block") rule_flag(name, node, out.block);
            else if (name == "durable") rule_flag(name, node, out.durable);
            else if (name == "link") rule_flag(name, node, out.link);
            else unknown_in_rule(name, key.source());
        }
        if (!table.contains("users") && !table.contains("groups") && !table.contains("clients")) {
            problem(table.source(), "a [[rights]] rule must say for whom it is: add users = [...], groups = [...] or clients = [...]");
        }
        return out;
    }

    void unknown_in_rule(std::string_view name, const toml::source_region& where) {
        std::vector<std::string_view> known;
        for (const auto& key : rights_keys()) known.push_back(key.name);
        problem(where, fmt::format("unknown key '{}' in [[rights]]{}", name, did_you_mean(name, known)));
    }

    // [[link]] entries of all files add up; a name may stand once.
    void check_links(const toml::node& node) {
        const auto* entries = node.as_array();
        const bool tables = entries != nullptr && std::ranges::all_of(*entries, [](const auto& each) { return each.is_table(); });
        if (!tables) {
            problem(node.source(), "links must be written as [[link]], with two brackets on each side");
            return;
        }
        for (const auto& entry : *entries) {
            auto rule = read_link(*entry.as_table());
            auto& links = out_.values.links;
            if (const auto fault = fault_of(rule)) {
                problem(entry.source(), *fault);
            } else if (std::ranges::find(links, rule.name, &link_rule::name) != links.end()) {
                problem(entry.source(), fmt::format("there are two links with the name '{}'; rename one", rule.name));
            } else {
                links.push_back(std::move(rule));
            }
        }
        out_.origins["link"] = place(node.source());
    }

    link_rule read_link(const toml::table& table) {
        link_rule out;
        for (const auto& [key, node] : table) {
            const auto name = key.str();
            if (name == "name") link_text(name, node, out.name);
            else if (name == "url") link_text(name, node, out.url);
            else if (name == "token_file") link_text(name, node, out.token_file);
            else if (name == "ca_file") link_text(name, node, out.ca_file);
            else if (name == "send") link_addresses(name, node, out.send);
            else if (name == "receive") link_addresses(name, node, out.receive);
            else if (name == "transit") rule_flag(name, node, out.transit, "link");
            else unknown_in_link(name, key.source());
        }
        return out;
    }

    void unknown_in_link(std::string_view name, const toml::source_region& where) {
        std::vector<std::string_view> known;
        for (const auto& key : link_keys()) known.push_back(key.name);
        problem(where, fmt::format("unknown key '{}' in [[link]]{}", name, did_you_mean(name, known)));
    }

    void link_text(std::string_view name, const toml::node& node, std::string& out) {
        const auto value = node.value_exact<std::string>();
        if (value && value->find('\0') == std::string::npos) {
            out = *value;
            return;
        }
        problem(node.source(), fmt::format("{} of [[link]] must be a text, not {}", name, describe_type(node)));
    }

    void link_addresses(std::string_view name, const toml::node& node, std::vector<mbus::address>& out) {
        out.clear();
        rule_addresses(name, node, out, "link");
    }

    void rule_list(std::string_view name, const toml::node& node, std::vector<std::string>& out,
                   std::string_view table = "rights") {
        if (list_of_texts(node, out)) return;
        problem(node.source(), fmt::format("{} of [[{}]] must be a list of texts, not {}", name, table, describe_type(node)));
    }

    void rule_flag(std::string_view name, const toml::node& node, bool& out, std::string_view table = "rights") {
        if (const auto value = node.value_exact<bool>()) {
            out = *value;
            return;
        }
        problem(node.source(), fmt::format("{} of [[{}]] must be true or false, not {}", name, table, describe_type(node)));
    }

    void rule_addresses(std::string_view name, const toml::node& node, std::vector<mbus::address>& out,
                        std::string_view table = "rights") {
        std::vector<std::string> texts;
        rule_list(name, node, texts, table);
        for (const auto& text : texts) {
            auto parsed = mbus::address::parse(text);
            if (parsed) {
                out.push_back(std::move(*parsed));
            } else {
                problem(node.source(), fmt::format("{} of [[{}]]: '{}' is not an address such as (app:player): {}",
                                                   name, table, text, parsed.error().text));
            }
        }
    }

    config_reading& out_;
    const std::string& name_;
    const key_info* current_ = nullptr;
};

// The text of a file, or a problem.
bool slurp(const std::filesystem::path& file, std::string& text, config_reading& into) {
    std::error_code fault;
    const auto size = std::filesystem::file_size(file, fault);
    if (!fault && size > config_file_octets_max) {
        into.problems.push_back({fmt::format("{}: {} octets are too many for a configuration, at most {} are read",
                                             file.string(), size, config_file_octets_max)});
        return false;
    }
    std::ifstream stream(file, std::ios::binary);
    if (!fault && stream) text.assign(std::istreambuf_iterator<char>{stream}, {});
    if (fault || !stream || stream.bad()) {
        into.problems.push_back({fmt::format("{}: can't be read; check that it exists and that mbusd may read it",
                                             file.string())});
        return false;
    }
    return true;
}

std::vector<std::filesystem::path> drop_ins(const std::filesystem::path& main_file) {
    std::vector<std::filesystem::path> found;
    std::error_code fault;
    const auto folder = main_file.parent_path() / "conf.d";
    for (std::filesystem::directory_iterator it(folder, fault), end; !fault && it != end; it.increment(fault)) {
        if (it->path().extension() == ".toml") found.push_back(it->path());
    }
    std::ranges::sort(found);
    return found;
}

}  // namespace

void read_config_text(config_reading& into, std::string_view text, const std::string& name) {
    toml::table root;
    try {
        root = toml::parse(text, name);
    } catch (const toml::parse_error& fault) {
        into.problems.push_back({fmt::format("{}:{}: not TOML: {}", name, fault.source().begin.line, fault.description())});
        return;
    }
    const bool first_rules = !into.origins.contains("rights");
    file_checker checker{into, name};
    checker.check(root);
    if (!checker.has_rules) return;
    auto rules = first_rules ? std::vector<rights_rule>{} : into.values.rights.rules();
    rules.insert(rules.end(), checker.rules.begin(), checker.rules.end());
    into.values.rights = rights_table{std::move(rules)};
}

config_reading read_config(const std::filesystem::path& file, must_exist existence) {
    config_reading out;
    std::error_code ignored;
    auto files = drop_ins(file);
    if (existence == must_exist::yes || std::filesystem::exists(file, ignored)) files.insert(files.begin(), file);
    for (const auto& each : files) {
        std::string text;
        if (!slurp(each, text, out)) continue;
        out.files.push_back(each);
        read_config_text(out, text, each.string());
    }
    return out;
}

void override_setting(config_reading& into, std::string_view key, std::string_view value, const std::string& option) {
    const auto dot = key.find('.');
    toml::table inner;
    inner.insert(key.substr(dot + 1), std::string{value});
    toml::table root;
    root.insert(key.substr(0, dot), std::move(inner));
    // The checker names file and line; an option has neither, so its problems are written anew.
    config_reading trial;
    trial.values = into.values;
    file_checker checker{trial, option};
    checker.check(root);
    for (const auto& problem : trial.problems) {
        into.problems.push_back({option + problem.text.substr(problem.text.find(": "))});
    }
    into.values = std::move(trial.values);
    into.origins[std::string{key}] = option;
}

}  // namespace mbusd
