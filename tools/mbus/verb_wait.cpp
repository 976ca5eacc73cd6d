// mbus wait: mbus.waiting(CONDITION) until somebody says mbus.go(CONDITION) (RFC 3259, section 9).
#include <fmt/format.h>

#include "cli/duration.hpp"
#include "cli/words.hpp"
#include "mbus/opened.hpp"
#include "mbus/verbs.hpp"

namespace mbus::tools {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds wait_limit = 60s;

// Not the (module:mbus) of other verbs: `mbus go` has to find the one who waits, and not itself.
constexpr std::string_view waiting_as = "(module:mbus-wait)";

exit_code run(const arguments& args, output& out) {
    const auto& condition = args.words().front();
    if (!is_symbol(condition)) {
        return out.fail({errc::bad_value, fmt::format("'{}' is no condition: expected a letter, then letters, digits, '_', '-', '.'", condition)});
    }
    const auto to = read_address(std::span{args.words()}.subspan(1));
    if (!to) return out.fail(to.error());
    const auto limit = args.duration("timeout").value_or(wait_limit);
    return with_entity(args, out, [&](opened& on) {
        out.detail(fmt::format("waiting for {} as {}", condition, on.me->address().text()));
        const auto done = on.bus.await(on.me->wait_for(symbol{condition}, *to), limit);
        if (done) return exit_code::ok;
        if (done.error().code != errc::timed_out) return on.fail(done.error());
        return on.fail({errc::timed_out, fmt::format("nobody said go within {}; unblock it with: mbus go '{}' {}", format_duration(limit),
                                                     on.me->address().text(), condition)});
    }, waiting_as);
}

}  // namespace

verb wait_verb() {
    return {{.program = "mbus wait",
             .summary = "wait until somebody says go",
             .synopsis = {"[options] CONDITION [ADDRESS...]"},
             .description = {"Tells ADDRESS (everyone) once a second that it waits for CONDITION, a symbol; ends when mbus.go(CONDITION) comes."},
             .options = {timeout_option("give up after TIME (60 s), with status 124"), as_option("be this entity while waiting ((module:mbus-wait))"),
                         quiet_option(), verbose_option(), socket_option()},
             .words = operand::address,
             .word_choices = {},
             .words_min = 1,
             .words_max = 1000,
             .examples = {{"mbus wait ready && echo started", "until somebody says: mbus go module:mbus-wait ready"},
                          {"mbus wait ready app:controller", "tell only the controller"},
                          {"mbus wait --as app:engine ready", "so that it is: mbus go app:engine ready"},
                          {"mbus wait -W 5 ready || echo late", "five seconds at most"},
                          {"mbus wait -v ready", "say who is waiting"}}},
            run};
}

}  // namespace mbus::tools
