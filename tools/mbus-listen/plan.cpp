#include "mbus-listen/plan.hpp"

#include <algorithm>

#include <mbus/command.hpp>

#include "cli/words.hpp"

namespace mbus::tools {
namespace {

result<void> fill_addresses(listen_plan& plan, const arguments& args) {
    address added;
    if (const auto given = args.text("as")) added = *address::parse_relaxed(*given);  // checked by the parser
    for (const auto& word : args.words()) {
        auto read = read_address({&word, 1});
        if (!read) return std::move(read).error();
        auto merged = read->merged(added);
        if (!merged) return std::move(merged).error();
        plan.addresses.push_back(std::move(*merged));
    }
    if (!plan.addresses.empty()) return {};
    if (plan.monitor || plan.peers) {
        plan.addresses.emplace_back();  // everyone
        return {};
    }
    auto merged = address::parse("(module:mbus-listen)")->merged(added);
    if (!merged) return std::move(merged).error();
    plan.addresses.push_back(std::move(*merged));
    return {};
}

print_form form_of(const arguments& args) {
    if (args.has("json")) return print_form::json;
    if (args.has("format")) return print_form::format;
    if (args.has("raw")) return print_form::raw;
    return args.has("exec") ? print_form::exec : print_form::plain;
}

}  // namespace

std::optional<received_message> listen_plan::wanted(const received_message& message) const {
    if (from && !message.from.answers_to(*from)) return std::nullopt;
    if (commands.empty() && exclude.empty()) return message;
    auto those = message.commands();
    std::erase_if(those, [&](const command& one) {
        return (!commands.empty() && !glob_matches(commands, one.name)) || (!exclude.empty() && glob_matches(exclude, one.name));
    });
    if (those.empty()) return std::nullopt;
    auto copy = message;
    copy.set_commands(std::move(those));
    return copy;
}

result<listen_plan> make_listen_plan(const arguments& args) {
    listen_plan plan;
    plan.monitor = args.has("all");
    plan.peers = args.has("peers");
    plan.form = form_of(args);
    plan.exec = args.text("exec").value_or(std::string{});
    plan.count = args.has("one") ? std::optional<std::uint64_t>{1} : args.count("count");
    plan.limit = args.duration("timeout");
    plan.idle = args.duration("idle");
    plan.commands = args.text("command").value_or(std::string{});
    plan.exclude = args.text("exclude").value_or(std::string{});
    plan.stats = args.has("stats");
    plan.no_loss = args.has("no-loss");
    if (const auto given = args.text("from")) plan.from = *address::parse_relaxed(*given);
    if (const auto given = args.text("format")) {
        auto format = line_format::parse(*given);
        if (!format) return std::move(format).error();
        plan.format = std::move(*format);
    }
    if (auto done = fill_addresses(plan, args); !done) return std::move(done).error();
    return plan;
}

}  // namespace mbus::tools
