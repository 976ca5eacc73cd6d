#include "mbus-listen/format.hpp"

#include <chrono>

#include <fmt/format.h>
#include <mbus_json/message_json.hpp>

#include "cli/text.hpp"

namespace mbus::tools {
namespace {

constexpr std::string_view placeholders = "tTufdeyisnaAcj%";

std::string filled(char placeholder, const received_message& message, const command& which) {
    switch (placeholder) {
        case 't': return json::format_timestamp(milliseconds(message.time));
        case 'T': return local_time(message.time);
        case 'u': return std::to_string(milliseconds(message.time));
        case 'f': return std::string{message.from.text()};
        case 'd': return std::string{message.to.text()};
        case 'e': return std::string{message.entity.text()};
        case 'y': return message.reliable ? "R" : "U";
        case 'i': return message.interface.empty() ? "-" : printable(message.interface);
        case 's': return message.sequence ? std::to_string(*message.sequence) : "-";
        case 'n': return which.name;
        case 'a': return printable(arguments_text(which));
        case 'A': {
            const auto text = arguments_text(which);
            return printable(std::string_view{text}.substr(1, text.size() - 2));
        }
        case 'c': return printable(command_text(which));
        case 'j': return message_json(message);
        default: return "%";
    }
}

// Commands, or for an opaque body the one command that others get (docs/mbws.md, section 2.5).
std::vector<command> commands_of(const received_message& message) {
    if (message.type.empty()) return message.commands();
    return {{"mbws.data", {message.type, data{message.body}}}};
}

}  // namespace

std::uint64_t milliseconds(std::chrono::system_clock::time_point when) {
    const auto count = std::chrono::duration_cast<std::chrono::milliseconds>(when.time_since_epoch()).count();
    return count < 0 ? 0 : static_cast<std::uint64_t>(count);
}

std::string command_text(const command& which) {
    std::string out;
    if (auto done = append_command(out, which); !done) return which.name;
    return out;
}

std::string arguments_text(const command& which) {
    auto text = format_value(value{which.arguments});
    return text ? *text : "()";
}

result<line_format> line_format::parse(std::string_view text) {
    line_format format;
    std::string literal;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char next = i + 1 < text.size() ? text[i + 1] : '\0';
        if (text[i] == '\\' && (next == 'n' || next == 't' || next == '\\')) {
            literal += next == 'n' ? '\n' : next == 't' ? '\t' : '\\';
            ++i;
        } else if (text[i] == '%') {
            if (next == '\0' || placeholders.find(next) == std::string_view::npos) {
                return {errc::bad_argument, fmt::format("--format: unknown placeholder '%{}'; known are %t %T %u %f %d %e %y %i %s %n %a %A %c %j %%",
                                                        next == '\0' ? "" : printable(std::string_view{&next, 1}))};
            }
            if (!literal.empty()) format.pieces_.emplace_back(std::exchange(literal, {}));
            format.pieces_.emplace_back(next);
            ++i;
        } else {
            literal += text[i];
        }
    }
    if (!literal.empty()) format.pieces_.emplace_back(std::move(literal));
    return format;
}

std::string line_format::apply(const received_message& message, const command& which) const {
    std::string out;
    for (const auto& one : pieces_) {
        if (const auto* literal = std::get_if<std::string>(&one)) out += *literal;
        else out += filled(std::get<char>(one), message, which);
    }
    return out;
}

std::string message_json(const received_message& message) {
    json::message_record record;
    record.timestamp = std::min(milliseconds(message.time), json::timestamp_max);
    record.sequence_number = message.sequence;
    record.interface = message.interface;
    record.type = message.reliable ? message_type::reliable : message_type::unreliable;
    record.source = message.from;
    record.destination = message.to;
    record.commands = commands_of(message);
    auto line = json::format_message(record);
    if (line) return *line;
    // Only an opaque body with a media type that no string holds gets here.
    record.commands.clear();
    return json::format_message(record).value();
}

std::string peer_json(const peer& which, std::uint64_t now_ms) {
    std::string out = fmt::format(R"({{"v":1,"ts":"{}","event":"{}","peer":)", json::format_timestamp(now_ms), to_string(which.state));
    json::append_address(out, which.address);
    return out + "}";
}

std::string plain_line(const received_message& message, const command& which) {
    const auto to = message.monitored ? fmt::format(" -> {}", message.to.text()) : std::string{};
    return printable(fmt::format("{} {}{}{} {}", local_time(message.time), message.from.text(), to, message.reliable ? " R" : "",
                                 command_text(which)));
}

std::string plain_opaque_line(const received_message& message) {
    return printable(fmt::format("{} {}{} {}: {} octets", local_time(message.time), message.from.text(), message.reliable ? " R" : "",
                                 message.type, message.body.size()));
}

}  // namespace mbus::tools
