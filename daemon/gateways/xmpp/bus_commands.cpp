#include "gateways/xmpp/bus_commands.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "gateways/xmpp/namespaces.hpp"
#include "sasl/base64_text.hpp"

namespace mbusd::xmpp {
namespace {

using mbus::errc;
using mbus::value;
using xml::element;

constexpr std::string_view blanks = " \t\r\n";

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

mbus::error faulty(std::string text) { return {errc::bad_command, std::move(text)}; }

// What XML 1.0 holds: no control characters but tab and line ends, no U+FFFE and U+FFFF.
bool fits_xml(std::string_view text) noexcept {
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto octet = static_cast<unsigned char>(text[i]);
        if (octet < 0x20 && octet != '\t' && octet != '\n' && octet != '\r') return false;
        if (octet == 0xEF && text.substr(i, 2) == "\xEF\xBF" && i + 2 < text.size() && static_cast<unsigned char>(text[i + 2]) >= 0xBE) return false;
    }
    return true;
}

std::optional<std::string> decoded(std::string text) {
    std::erase_if(text, [](char c) { return blanks.find(c) != std::string_view::npos; });
    return from_base64(text);
}

mbus::result<value> integer_of(std::string_view text) {
    const auto digits = text.starts_with('-') ? text.substr(1) : text;
    if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos) {
        return faulty(fmt::format("'{}' is no integer", text));
    }
    return mbus::parse_value(text);
}

// As XML programs write numbers, with an exponent or without a point too; else as the bus does, so that
// what no double holds stays as it is.
mbus::result<value> float_of(std::string_view text) {
    if (auto exact = mbus::parse_value(text); exact && (exact->is<double>() || (exact->is<mbus::wide_number>() && text.find('.') != std::string_view::npos))) {
        return exact;
    }
    double read = 0;
    const auto done = std::from_chars(text.data(), text.data() + text.size(), read);
    if (done.ec != std::errc{} || done.ptr != text.data() + text.size() || !std::isfinite(read)) return faulty(fmt::format("'{}' is no float", text));
    return value{read};
}

mbus::result<value> value_of(const element& from, std::size_t depth);

mbus::result<value::list> values_of(const element& from, std::size_t depth) {
    value::list out;
    for (const auto& each : from.children()) {
        if (const auto* text = each.as_text()) {
            if (!trimmed(*text).empty()) return faulty(fmt::format("text stands directly in <{}/>; put it into <string/>", from.name()));
            continue;
        }
        auto one = value_of(*each.as_element(), depth);
        if (!one) return faulty(fmt::format("argument {}: {}", out.size() + 1, one.error().text));
        out.push_back(std::move(*one));
    }
    return out;
}

mbus::result<value> value_of(const element& from, std::size_t depth) {
    const auto& name = from.name();
    if (from.space() == ns::bus) {
        if (name == "list") {
            if (depth == mbus::list_depth_max) return faulty("lists stand in lists more than 64 deep");
            auto inside = values_of(from, depth + 1);
            if (!inside) return std::move(inside).error();
            return value{std::move(*inside)};
        }
        if (from.first() != nullptr) return faulty(fmt::format("<{}/> holds text only", name));
        const auto text = from.text();
        const auto word = trimmed(text);
        if (name == "integer") return integer_of(word);
        if (name == "float") return float_of(word);
        if (name == "symbol") return mbus::is_symbol(word) ? mbus::result<value>{value{mbus::symbol{std::string{word}}}} : faulty(fmt::format("'{}' is no symbol", word));
        if (name == "data" || (name == "string" && from.value_of("encoding") == "base64")) {
            auto octets = decoded(text);
            if (!octets) return faulty(fmt::format("<{}/> is no Base64", name));
            if (name == "data") return value{mbus::data{*octets}};
            return value{std::move(*octets)};
        }
        if (name == "string") return value{text};
    }
    return faulty(fmt::format("<{}/> of {} is no value; use integer, float, string, symbol, data or list of {}", name,
                              from.space().empty() ? "no namespace" : from.space(), ns::bus));
}

void add_value(element& to, const value& what) {
    const auto add = [&to](std::string_view name, std::string_view text) { to.add(ns::bus, name).add_text(text); };
    if (const auto* text = what.get_if<std::string>()) {
        if (fits_xml(*text)) add("string", *text);
        else to.add(ns::bus, "string").set("encoding", "base64").add_text(to_base64(*text));
    } else if (const auto* word = what.get_if<mbus::symbol>()) {
        add("symbol", word->name);
    } else if (const auto* octets = what.get_if<mbus::data>()) {
        add("data", to_base64(octets->view()));
    } else if (const auto* list = what.get_if<value::list>()) {
        add_values(to.add(ns::bus, "list"), *list);
    } else {
        const auto digits = mbus::format_value(what);  // a number that was read can be written
        const bool whole = what.is<std::int64_t>() || (what.is<mbus::wide_number>() && digits->find('.') == std::string::npos);
        add(whole ? "integer" : "float", *digits);
    }
}

}  // namespace

mbus::result<mbus::command> command_of(const element& from) {
    const auto name = from.value_of("name");
    if (!mbus::is_symbol(name)) return faulty(fmt::format("'{}' is no name of a command; set the attribute name, player.play for instance", name));
    auto arguments = values_of(from, 1);  // which are a list themselves
    if (!arguments) return faulty(fmt::format("command {}, {}", name, arguments.error().text));
    return mbus::command{std::string{name}, std::move(*arguments)};
}

element element_of(const mbus::command& from) {
    element out{ns::bus, "command"};
    out.set("name", from.name);
    add_values(out, from.arguments);
    return out;
}

void add_values(element& to, std::span<const value> values) {
    for (const auto& each : values) add_value(to, each);
}

bool has_commands(const element& message) {
    return message.child(ns::bus, "command") != nullptr || message.child(ns::client, "body") != nullptr;
}

mbus::result<std::string> commands_in(const element& message) {
    std::vector<mbus::command> out;
    for (const auto* each : message.elements(ns::bus, "command")) {
        auto one = command_of(*each);
        if (!one) return std::move(one).error();
        out.push_back(std::move(*one));
    }
    if (out.empty()) {
        const auto* body = message.child(ns::client, "body");
        const auto text = body == nullptr ? std::string{} : body->text();
        auto read = mbus::parse_commands(text);
        if (!read) return std::move(read).error();
        out = std::move(*read);
        if (out.empty()) return faulty("there is no command in the message; write one such as player.play(\"song.mp3\")");
    }
    auto text = mbus::format_commands(out);
    if (!text) return mbus::error{errc::bad_command, std::move(text).error().text};
    return text;
}

void add_commands(element& message, std::string_view commands) {
    const auto read = mbus::parse_commands(commands);
    if (!read) return;  // the bus has checked it
    std::string body;
    for (const auto& each : *read) {
        if (!body.empty()) body += '\n';
        if (!mbus::append_command(body, each)) return;
    }
    message.add(ns::client, "body").add_text(body);
    for (const auto& each : *read) message.add(element_of(each));
}

}  // namespace mbusd::xmpp
