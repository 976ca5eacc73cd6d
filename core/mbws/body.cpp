#include "mbws/body.hpp"

#include <algorithm>

#include <mbus/command.hpp>

namespace mbus::mbws {
namespace {

constexpr std::string_view bus_commands = "mbus.";

char lower(char letter) noexcept {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

bool same_letters(std::string_view left, std::string_view right) noexcept {
    return std::ranges::equal(left, right, {}, lower, lower);
}

}  // namespace

result<body_summary> check_commands(std::string_view body) {
    body_summary found;
    if (auto wrong = check_commands(body, found)) return std::move(*wrong);
    return found;
}

std::optional<error> check_commands(std::string_view body, body_summary& found) {
    if (body.empty()) return std::nullopt;
    command_scanner scan{body};
    std::size_t last_octets = 0;
    while (const command_view* next = scan.next()) {
        last_octets = next->name.size() + next->arguments.size();
        if (found.commands++ == 0) found.first_command = next->name;
        if (!next->name.starts_with(bus_commands)) continue;
        if (next->name == "mbus.hello" || next->name == "mbus.bye") {
            return error{errc::bad_command,
                         std::string{next->name} + " is the broker's own; attach and detach say it for you"};
        }
        found.has_mbus_command = true;
        found.has_ping = found.has_ping || next->name == "mbus.ping";
    }
    if (scan.failed()) return scan.failure();
    found.needs_rewrite = scan.needs_rewrite();
    found.bare =
        found.commands == 1 && last_octets == body.size() && !found.has_mbus_command && !found.needs_rewrite;
    return std::nullopt;
}

bool is_command_type(std::string_view type) noexcept {
    return type.empty() || same_letters(type, command_media_type);
}

bool is_media_type(std::string_view type) noexcept {
    const std::size_t slash = type.find('/');
    if (type.size() > media_type_octets_max || slash == std::string_view::npos || slash == 0) return false;
    const std::string_view subtype = type.substr(slash + 1, type.find(';', slash) - slash - 1);
    if (subtype.empty() || type.substr(0, slash).find(' ') != std::string_view::npos) return false;
    return std::ranges::all_of(type, [](char c) { return c >= 0x20 && c < 0x7F; });
}

bool accepts_type(std::string_view wanted, std::string_view type) noexcept {
    return wanted == "*/*" || (!wanted.empty() && same_letters(wanted, type));
}

result<std::string> data_command(std::string_view type, std::string_view body) {
    if (!is_media_type(type)) return error{errc::bad_value, "a media type such as image/png is needed"};
    const command wrapped{std::string{data_command_name}, {value{type}, value{data{body}}}};
    return format_commands({&wrapped, 1});
}

std::optional<opaque_body> opaque_from_command(std::string_view commands) {
    // Most commands are others: look at the name before parsing all.
    command_scanner scan{commands};
    const command_view* const first = scan.next();
    if (first == nullptr || first->name != data_command_name) return std::nullopt;
    if (scan.next() != nullptr || scan.failed()) return std::nullopt;
    const auto parsed = parse_commands(commands);
    if (!parsed || parsed->size() != 1 || parsed->front().arguments.size() != 2) return std::nullopt;
    const auto* type = parsed->front().arguments[0].get_if<std::string>();
    const auto* octets = parsed->front().arguments[1].get_if<data>();
    if (type == nullptr || octets == nullptr || !is_media_type(*type) || is_command_type(*type))
        return std::nullopt;
    return opaque_body{*type, std::string{octets->view()}};
}

}  // namespace mbus::mbws
