#include "mbus-send/plan.hpp"

#include <fmt/format.h>
#include <mbus/message.hpp>
#include <mbus_json/message_json.hpp>

#include "cli/session.hpp"
#include "cli/words.hpp"

namespace mbus::tools {
namespace {

result<address> own_address(const arguments& args) {
    if (const auto given = args.text("as")) return address::parse_relaxed(*given);
    return address::parse("(module:mbus-send)");
}

std::chrono::nanoseconds interval_of(const arguments& args) {
    if (const auto given = args.duration("interval")) return *given;
    if (const auto rate = args.rate("rate")) {
        return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>{1.0 / *rate});
    }
    return std::chrono::nanoseconds{0};
}

// The destination, and which words are left. `()` and --all are everyone.
result<addressed_words> destination_of(const arguments& args) {
    auto read = read_address_words(args.words());
    if (!read) return read;
    if (args.has("all") && read->has_address && !read->destination.empty()) {
        return {errc::bad_argument, fmt::format("--all and the ADDRESS {} contradict each other; give one of them", read->destination.text())};
    }
    read->has_address |= args.has("all");
    return read;
}

result<void> fill_lines(send_plan& plan, const arguments& args, const addressed_words& words) {
    plan.input = args.text("file").value_or("-");
    plan.lines_to = words.destination;
    if (words.rest < args.words().size()) {
        return {errc::bad_argument, fmt::format("'{}' is one word too many: the commands come from {}", args.words()[words.rest],
                                                plan.input == "-" ? std::string{"stdin"} : plan.input)};
    }
    if (plan.json && words.has_address) {
        return {errc::bad_argument, "each JSON line names its own destination; leave out the ADDRESS (or --json)"};
    }
    if (!plan.json && !words.has_address) {
        return {errc::bad_argument, "the ADDRESS is missing; () or --all is everyone"};
    }
    return {};
}

result<void> fill_message(send_plan& plan, const arguments& args, const addressed_words& words) {
    const std::span<const std::string> rest = std::span{args.words()}.subspan(words.rest);
    if (!words.has_address) {
        return {errc::bad_argument, rest.empty() ? "the ADDRESS and the COMMAND are missing; usage: mbus-send ADDRESS... COMMAND [ARG...]"
                                                 : fmt::format("the ADDRESS is missing before '{}'; () or --all is everyone", rest.front())};
    }
    if (rest.empty()) {
        return {errc::bad_argument, fmt::format("the COMMAND is missing after {}; usage: mbus-send ADDRESS... COMMAND [ARG...]",
                                                words.destination.text())};
    }
    auto read = read_command_words(rest);
    if (!read) return std::move(read).error();
    plan.message = planned_message{words.destination, plan.reliable, {std::move(*read)}};
    return {};
}

}  // namespace

result<send_plan> make_plan(const arguments& args) {
    send_plan plan;
    plan.json = args.has("json");
    plan.reliable = args.has("reliable");
    plan.each = args.has("each");
    plan.dry_run = args.has("dry-run");
    plan.count = args.count("count").value_or(1);
    plan.interval = interval_of(args);
    plan.wait_for = args.count("wait-for");
    plan.limit = args.duration("timeout").value_or(default_limit);
    auto as = own_address(args);
    if (!as) return std::move(as).error();
    plan.as = std::move(*as);
    auto words = destination_of(args);
    if (!words) return std::move(words).error();
    const bool lines = args.has("lines") || args.has("file");
    auto filled = lines ? fill_lines(plan, args, *words) : fill_message(plan, args, *words);
    if (!filled) return std::move(filled).error();
    if (plan.wait_for && plan.json && lines) {
        return {errc::bad_argument, "--wait-for needs one ADDRESS, but each JSON line names its own"};
    }
    return plan;
}

result<planned_message> message_of_line(const send_plan& plan, std::string_view line) {
    if (plan.json) {
        auto read = json::parse_message(line);
        if (!read) return std::move(read).error();
        return planned_message{std::move(read->destination), plan.reliable || read->type == message_type::reliable,
                               std::move(read->commands)};
    }
    auto commands = parse_commands(line);
    if (!commands) return std::move(commands).error();
    return planned_message{plan.lines_to, plan.reliable, std::move(*commands)};
}

result<void> check_message(const send_plan& plan, const planned_message& what) {
    auto text = datagram_text(plan, what, json::timestamp_max);
    return text ? result<void>{} : std::move(text).error();
}

result<std::string> datagram_text(const send_plan& plan, const planned_message& what, std::uint64_t now_ms) {
    message whole;
    whole.header = {1, now_ms, what.reliable ? message_type::reliable : message_type::unreliable, plan.as, what.to, {}};
    whole.commands = what.commands;
    auto text = format_message(whole);
    if (!text) return text;
    std::string out;
    for (const char octet : *text) {
        if (octet != '\r') out += octet;
    }
    return out;
}

result<std::string> json_text(const send_plan& plan, const planned_message& what, std::uint64_t now_ms) {
    json::message_record record;
    record.timestamp = now_ms;
    record.type = what.reliable ? message_type::reliable : message_type::unreliable;
    record.source = plan.as;
    record.destination = what.to;
    record.commands = what.commands;
    return json::format_message(record);
}

}  // namespace mbus::tools
