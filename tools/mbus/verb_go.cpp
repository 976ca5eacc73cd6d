// mbus go: mbus.go(CONDITION...) to the one entity that waits (RFC 3259, section 9).
#include <fmt/format.h>

#include "cli/text.hpp"
#include "cli/words.hpp"
#include "mbus/opened.hpp"
#include "mbus/verbs.hpp"

namespace mbus::tools {
namespace {

result<std::vector<symbol>> conditions_of(std::span<const std::string> words) {
    if (words.empty()) return {errc::bad_argument, "the CONDITION is missing; usage: mbus go ADDRESS... CONDITION..."};
    std::vector<symbol> conditions;
    for (const auto& word : words) {
        if (!is_symbol(word)) {
            return {errc::bad_value, fmt::format("'{}' is no condition: expected a letter, then letters, digits, '_', '-', '.'", word)};
        }
        conditions.push_back({word});
    }
    return conditions;
}

exit_code run(const arguments& args, output& out) {
    const auto words = read_address_words(args.words());
    if (!words) return out.fail(words.error());
    if (!words->has_address) return usage_failure(out, {errc::bad_argument, "the ADDRESS is missing; usage: mbus go ADDRESS... CONDITION..."});
    const auto conditions = conditions_of(std::span{args.words()}.subspan(words->rest));
    if (!conditions) return out.fail(conditions.error());
    return with_entity(args, out, [&](opened& on) {
        const auto done = on.bus.await(on.me->go(words->destination, *conditions), on.limit);
        if (!done) return on.fail(done.error().code == errc::no_match && done.error().text.empty()
                                      ? error{errc::no_match, fmt::format("nobody matches {}", words->destination.text())}
                                      : done.error());
        out.detail(fmt::format("acknowledged by {} after {} transmission{}", done->by.text(), done->tried, plural(done->tried)));
        return exit_code::ok;
    });
}

}  // namespace

verb go_verb() {
    return {{.program = "mbus go",
             .summary = "unblock the one entity that waits",
             .synopsis = {"[options] ADDRESS... CONDITION..."},
             .description = {"Sends mbus.go reliably; exactly one entity has to match ADDRESS."},
             .options = {timeout_option("limit for the acknowledgement (10 s)"), as_option("be this entity meanwhile ((module:mbus))"), quiet_option(),
                         verbose_option(), socket_option()},
             .words = operand::address,
             .word_choices = {},
             .words_min = 1,
             .words_max = 1000,
             .examples = {{"mbus go app:engine ready", "what the engine waits for"},
                          {"mbus go app:engine ready loaded", "several conditions at once"},
                          {"mbus go 'id:17-1@127.0.0.1' ready", "by its id, when several have the same attributes"},
                          {"mbus-listen -c mbus.waiting", "see who waits for what"},
                          {"mbus go -v app:engine ready", "say who got it"}}},
            run};
}

}  // namespace mbus::tools
