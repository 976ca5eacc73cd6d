#include <mbus_json/request_json.hpp>

#include <charconv>
#include <string>
#include <utility>

#include "value_json.hpp"

namespace mbus::json {
namespace {

result<std::vector<value>> read_arguments(const node& held) {
    const auto* items = held.get_if<node::array>();
    if (items == nullptr) return misplaced(errc::bad_command, "/args", "an array", held);
    std::vector<value> read;
    std::string path;
    for (std::size_t i = 0; i < items->size(); ++i) {
        path = "/args/" + std::to_string(i);
        auto one = value_from((*items)[i], path);
        if (!one) return std::move(one).error();
        read.push_back(std::move(*one));
    }
    return read;
}

result<std::vector<command>> read_list(const node& held) {
    const auto* items = held.get_if<node::array>();
    if (items == nullptr) return misplaced(errc::bad_command, "/cmds", "an array", held);
    std::vector<command> read;
    std::string path;
    for (std::size_t i = 0; i < items->size(); ++i) {
        path = "/cmds/" + std::to_string(i);
        auto one = command_from((*items)[i], path);
        if (!one) return std::move(one).error();
        read.push_back(std::move(*one));
    }
    return read;
}

result<std::string> read_name(const node& held) {
    const auto* name = held.get_if<std::string>();
    if (name == nullptr) return misplaced(errc::bad_command, "/command", "a command name such as \"door.open\"", held);
    if (!is_symbol(*name)) {
        return at_path(errc::bad_command, "/command", "expected a command name such as \"door.open\": a letter, then letters, digits, '_', '-', '.'");
    }
    return *name;
}

result<address> read_to(const node& held) {
    const auto* text = held.get_if<std::string>();
    if (text == nullptr) return address_from(held, "/to");
    auto read = address::parse_relaxed(*text);
    if (!read) return at_path(errc::bad_address, "/to", describe(read.error()));
    return read;
}

result<std::uint32_t> read_ttl(const node& held) {
    const auto* number = held.get_if<node::number>();
    std::uint32_t read = 0;
    if (number != nullptr) {
        const auto* end = number->digits.data() + number->digits.size();
        const auto done = std::from_chars(number->digits.data(), end, read);
        if (done.ec == std::errc{} && done.ptr == end) return read;
    }
    return misplaced(errc::bad_value, "/ttl", "milliseconds, an integer from 0 to 4294967295", held);
}

template <class T, class Target>
result<void> put(result<T> read, Target& into) {
    if (!read) return std::move(read).error();
    into = std::move(*read);
    return {};
}

struct parts {
    std::optional<std::string> name;
    std::optional<std::vector<value>> arguments;
    std::optional<std::vector<command>> list;
};

result<void> read_member(posted_request& into, parts& seen, const std::string& key, const node& held, request_members allowed) {
    if (key == "command") return put(read_name(held), seen.name);
    if (key == "args") return put(read_arguments(held), seen.arguments);
    if (key == "cmds") return put(read_list(held), seen.list);
    if (allowed == request_members::with_address) {
        if (key == "to") return put(read_to(held), into.to);
        if (key == "ttl") return put(read_ttl(held), into.ttl);
        if (key == "reliable") {
            const auto* yes = held.get_if<bool>();
            if (yes == nullptr) return misplaced(errc::bad_value, "/reliable", "true or false", held);
            into.reliable = *yes;
            return {};
        }
    }
    return at_path(errc::bad_command, "/" + key.substr(0, 64),
                   allowed == request_members::with_address
                       ? "no such member; a request has to, command and args or cmds, reliable, ttl"
                       : "no such member; a request has command and args, or cmds");
}

}  // namespace

result<posted_request> parse_posted(std::string_view text, request_members allowed) {
    auto document = parse_document(text);
    if (!document) return std::move(document).error();
    const auto* members = document->get_if<node::object>();
    if (members == nullptr) return misplaced(errc::bad_command, {}, "an object such as {\"command\":\"door.open\",\"args\":[]}", *document);
    posted_request read;
    parts seen;
    for (const auto& [key, held] : *members) {
        if (auto done = read_member(read, seen, key, held, allowed); !done) return std::move(done).error();
    }
    if (seen.list && (seen.name || seen.arguments)) {
        return at_path(errc::bad_command, "/cmds", "give either command and args, or cmds");
    }
    if (seen.list) {
        read.commands = std::move(*seen.list);
        return read;
    }
    if (!seen.name) return at_path(errc::bad_command, {}, "the member \"command\" is missing");
    read.commands.push_back({std::move(*seen.name), seen.arguments ? std::move(*seen.arguments) : std::vector<value>{}});
    return read;
}

}  // namespace mbus::json
