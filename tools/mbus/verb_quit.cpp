// mbus quit: mbus.quit() to each entity that matches (RFC 3259, section 9). Whether they obey is theirs.
#include <algorithm>

#include <fmt/format.h>

#include "cli/words.hpp"
#include "mbus/opened.hpp"
#include "mbus/verbs.hpp"

namespace mbus::tools {
namespace {

exit_code quit_each(opened& on, const address& to) {
    auto found = on.bus.await(on.bus.bus().peers(to), on.limit);
    if (!found) return on.fail(found.error());
    std::erase_if(*found, [&](const peer& one) { return one.address == on.me->address(); });
    if (found->empty()) {
        on.out.note(fmt::format("nobody matches {}; who is there: mbus peers", to.text()));
        return exit_code::nobody_matched;
    }
    std::ranges::sort(*found, {}, [](const peer& one) { return one.address; });
    auto status = exit_code::ok;
    for (const auto& one : *found) {
        const auto done = on.bus.await(on.me->send_reliably(one.address, command{"mbus.quit", {}}), on.limit);
        if (on.bus.events().caught() != 0) return on.fail({errc::cancelled, {}});
        if (done) on.out.line(one.address.text());
        // Gone before it acknowledged: that is what was wanted.
        else if (done.error().code == errc::left) on.out.line(one.address.text());
        else status = first_failure(status, on.fail(done.error()));
    }
    return status;
}

exit_code run(const arguments& args, output& out) {
    const auto to = read_address(args.words());
    if (!to) return out.fail(to.error());
    if (args.words().empty() && !args.has("all")) {
        return usage_failure(out, {errc::bad_argument, "the ADDRESS is missing; --all asks everyone to quit"});
    }
    if (to->empty() && !args.has("all")) {
        return usage_failure(out, {errc::bad_argument, "() is everyone on the bus; if you mean it: mbus quit --all"});
    }
    if (!to->empty() && args.has("all")) {
        return usage_failure(out, {errc::bad_argument, fmt::format("--all and the ADDRESS {} contradict each other; give one of them", to->text())});
    }
    return with_entity(args, out, [&](opened& on) { return quit_each(on, *to); });
}

}  // namespace

verb quit_verb() {
    return {{.program = "mbus quit",
             .summary = "ask entities to end",
             .synopsis = {"[options] ADDRESS...", "[options] --all"},
             .description = {"Sends mbus.quit() reliably to each entity that matches and prints those that got it. Whether they obey is up to them."},
             .options = {{.name = "all", .help = "everyone on the bus"}, timeout_option("limit for each acknowledgement (10 s)"),
                         as_option("be this entity meanwhile ((module:mbus))"), quiet_option(), verbose_option(), socket_option()},
             .words = operand::address,
             .word_choices = {},
             .words_min = 0,
             .words_max = 1000,
             .examples = {{"mbus quit app:player", "every player"},
                          {"mbus quit app:player media:audio", "those with both attributes"},
                          {"mbus quit 'id:17-1@127.0.0.1'", "one, by its id"},
                          {"mbus match app:player", "first see whom it would reach"},
                          {"mbus quit --all", "everyone on the bus, on all hosts"}}},
            run};
}

}  // namespace mbus::tools
