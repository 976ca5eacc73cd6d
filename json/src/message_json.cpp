#include <mbus_json/message_json.hpp>

#include <charconv>
#include <limits>
#include <utility>

#include "value_json.hpp"

namespace mbus::json {
namespace {

// Interfaces have at most 15 octets on Linux; a line that names a longer one is not ours.
constexpr std::size_t interface_octets_max = 64;

error no_such_member(const std::string& key) {
    return at_path(errc::bad_command, "/" + key.substr(0, 64),
                   "no such member; a message has v, ts, if, seq, type, src, dst, cmds");
}

result<std::uint32_t> number_member(const node& held, const std::string& path) {
    const auto* number = held.get_if<node::number>();
    std::uint32_t read = 0;
    if (number != nullptr) {
        const auto* end = number->digits.data() + number->digits.size();
        const auto done = std::from_chars(number->digits.data(), end, read);
        if (done.ec == std::errc{} && done.ptr == end) return read;
    }
    return misplaced(errc::bad_value, path, "an integer from 0 to 4294967295", held);
}

result<void> read_version(const node& held) {
    auto version = number_member(held, "/v");
    if (!version) return std::move(version).error();
    if (*version != format_version) {
        return at_path(errc::bad_version, "/v", "expected 1, not " + std::to_string(*version));
    }
    return {};
}

result<void> read_type(message_record& into, const node& held) {
    const auto* type = held.get_if<std::string>();
    if (type == nullptr || (*type != "R" && *type != "U")) {
        return at_path(errc::bad_value, "/type", "expected \"R\" (reliable) or \"U\" (unreliable)");
    }
    into.type = *type == "R" ? message_type::reliable : message_type::unreliable;
    return {};
}

result<void> read_time(message_record& into, const node& held) {
    const auto* text = held.get_if<std::string>();
    if (text == nullptr) return misplaced(errc::bad_value, "/ts", "a string", held);
    auto time = parse_timestamp(*text);
    if (!time) return at_path(errc::bad_value, "/ts", time.error().text);
    into.timestamp = *time;
    return {};
}

result<void> read_interface(message_record& into, const node& held) {
    const auto* name = held.get_if<std::string>();
    if (name == nullptr || name->size() > interface_octets_max) {
        return misplaced(errc::bad_value, "/if", "the name of an interface", held);
    }
    into.interface = *name;
    return {};
}

result<void> read_commands(message_record& into, const node& held) {
    const auto* items = held.get_if<node::array>();
    if (items == nullptr) return misplaced(errc::bad_command, "/cmds", "an array", held);
    std::string path;
    for (std::size_t i = 0; i < items->size(); ++i) {
        path = "/cmds/" + std::to_string(i);
        auto command = command_from((*items)[i], path);
        if (!command) return std::move(command).error();
        into.commands.push_back(std::move(*command));
    }
    return {};
}

result<void> read_member(message_record& into, const std::string& key, const node& held) {
    if (key == "v") return read_version(held);
    if (key == "type") return read_type(into, held);
    if (key == "cmds") return read_commands(into, held);
    if (key == "dst") {
        auto to = address_from(held, "/dst");
        if (!to) return std::move(to).error();
        into.destination = std::move(*to);
        return {};
    }
    const bool known = key == "ts" || key == "if" || key == "seq" || key == "src";
    if (!known) return no_such_member(key);
    if (held.get_if<node::null>() != nullptr) return {};  // not known
    if (key == "ts") return read_time(into, held);
    if (key == "if") return read_interface(into, held);
    if (key == "seq") {
        auto number = number_member(held, "/seq");
        if (!number) return std::move(number).error();
        into.sequence_number = *number;
        return {};
    }
    auto from = address_from(held, "/src");
    if (!from) return std::move(from).error();
    into.source = std::move(*from);
    return {};
}

}  // namespace

result<std::string> format_message(const message_record& what) {
    if (what.timestamp && *what.timestamp > timestamp_max) {
        return {errc::bad_value, "a time stamp has at most 13 digits (RFC 3259, section 3)"};
    }
    std::string out = "{\"v\":1";
    out += ",\"ts\":";
    if (what.timestamp) append_string(out, format_timestamp(*what.timestamp));
    else out += "null";
    out += ",\"if\":";
    if (!what.interface.empty()) append_string(out, what.interface);
    else out += "null";
    out += ",\"seq\":";
    out += what.sequence_number ? std::to_string(*what.sequence_number) : "null";
    out += ",\"type\":\"";
    out += static_cast<char>(what.type);
    out += "\",\"src\":";
    if (what.source) append_address(out, *what.source);
    else out += "null";
    out += ",\"dst\":";
    append_address(out, what.destination);
    out += ",\"cmds\":[";
    for (std::size_t i = 0; i < what.commands.size(); ++i) {
        if (i > 0) out += ',';
        if (auto done = json::append_command(out, what.commands[i]); !done) return std::move(done).error();
    }
    out += "]}";
    return out;
}

result<message_record> parse_message(std::string_view text) {
    auto document = parse_document(text);
    if (!document) return std::move(document).error();
    const auto* members = document->get_if<node::object>();
    if (members == nullptr) return misplaced(errc::bad_command, {}, "an object with \"dst\" and \"cmds\"", *document);
    message_record read;
    bool has_destination = false;
    bool has_commands = false;
    for (const auto& [key, held] : *members) {
        has_destination |= key == "dst";
        has_commands |= key == "cmds";
        if (auto done = read_member(read, key, held); !done) return std::move(done).error();
    }
    if (!has_destination) return at_path(errc::bad_address, {}, "the member \"dst\" is missing; {} is everyone");
    if (!has_commands) return at_path(errc::bad_command, {}, "the member \"cmds\" is missing; [] is no command");
    return read;
}

}  // namespace mbus::json
