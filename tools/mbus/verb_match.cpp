// mbus match: whom a message to this address would reach.
#include <algorithm>

#include <fmt/format.h>
#include <mbus_json/message_json.hpp>

#include "cli/words.hpp"
#include "mbus/opened.hpp"
#include "mbus/verbs.hpp"

namespace mbus::tools {
namespace {

std::string match_json(const address& to, const std::vector<peer>& found) {
    std::string line = R"({"v":1,"dst":)";
    json::append_address(line, to);
    line += fmt::format(",\"matched\":{},\"entities\":[", found.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
        if (i > 0) line += ',';
        json::append_address(line, found[i].address);
    }
    return line + "]}";
}

exit_code run(const arguments& args, output& out) {
    const auto to = read_address(args.words());
    if (!to) return out.fail(to.error());
    return with_connection(args, out, [&](opened& on) {
        auto found = on.bus.await(on.bus.bus().peers(*to), on.limit);
        if (!found) return on.fail(found.error());
        std::ranges::sort(*found, {}, [](const peer& one) { return one.address; });
        if (args.has("json")) {
            out.line(match_json(*to, *found));
        } else {
            for (const auto& one : *found) out.line(one.address.text());
        }
        if (!found->empty()) return exit_code::ok;
        out.note(fmt::format("nobody matches {}; who is there: mbus peers", to->text()));
        return exit_code::nobody_matched;
    });
}

}  // namespace

verb match_verb() {
    return {{.program = "mbus match",
             .summary = "list the entities that a message to ADDRESS would reach",
             .synopsis = {"[options] ADDRESS..."},
             .description = {"Status 3 when there is none."},
             .options = {timeout_option("limit for the daemon's answer (10 s)"), json_option("one JSON line"), quiet_option(), verbose_option(),
                         socket_option()},
             .words = operand::address,
             .word_choices = {},
             .words_min = 1,
             .words_max = 1000,
             .examples = {{"mbus match media:audio", "everybody with this attribute"},
                          {"mbus match app:player media:audio", "with both"},
                          {"mbus match '(app:player)'", "parentheses are optional, and need quotes for the shell"},
                          {"mbus match '()'", "everyone"},
                          {"mbus match -q app:player > /dev/null && mbus-send app:player player.stop", "only if somebody is there"}}},
            run};
}

}  // namespace mbus::tools
