#include "gateways/capability/posted_body.hpp"

#include <utility>

#include <mbus_json/request_json.hpp>

#include "http/field_text.hpp"
#include "mbws/body.hpp"

namespace mbusd {
namespace {

using mbus::errc;

constexpr std::string_view no_command = "the body has no command; send one such as door.open() or {\"command\":\"door.open\"}";

mbus::result<posted_body> with_names(posted_body out, const std::vector<mbus::command>& commands) {
    if (commands.empty()) return {errc::bad_command, std::string{no_command}};
    for (const auto& each : commands) out.names.push_back(each.name);
    if (commands.size() == 1) out.question = commands.front();
    return out;
}

mbus::result<posted_body> read_json(std::string_view text) {
    auto read = mbus::json::parse_posted(text, mbus::json::request_members::commands_only);
    if (!read) return std::move(read).error();
    auto body = mbus::format_commands(read->commands);
    if (!body) return std::move(body).error();
    if (auto fit = mbus::mbws::check_commands(*body); !fit) return std::move(fit).error();
    return with_names({.type = {}, .body = std::move(*body), .names = {}, .question = {}}, read->commands);
}

mbus::result<posted_body> read_commands(std::string body) {
    // A client may not say hello or bye; the check that sessions pass too.
    if (auto fit = mbus::mbws::check_commands(body); !fit) return std::move(fit).error();
    auto commands = mbus::parse_commands(body);
    if (!commands) return std::move(commands).error();
    return with_names({.type = {}, .body = std::move(body), .names = {}, .question = {}}, *commands);
}

}  // namespace

std::optional<std::string> posted_body::first_forbidden(std::string_view globs) const {
    if (globs.empty()) return std::nullopt;
    for (const auto& name : names) {
        if (!mbus::glob_matches(globs, name)) return name;
    }
    return std::nullopt;
}

mbus::result<posted_body> read_posted_body(std::string_view content_type, std::string body) {
    const auto essence = http::lowered(http::trimmed(content_type.substr(0, content_type.find(';'))));
    if (essence == "application/json") return read_json(body);
    if (essence.empty() || essence == "text/plain" || essence == "application/mbus") return read_commands(std::move(body));
    if (!mbus::mbws::is_media_type(content_type)) {
        return {errc::bad_value, "Content-Type must be a media type such as application/json, text/plain or image/png"};
    }
    return posted_body{.type = std::string{content_type}, .body = std::move(body),
                       .names = {std::string{mbus::mbws::data_command_name}}, .question = {}};
}

}  // namespace mbusd
