// mbus call: a request to one entity, and its answer.
#include <fmt/format.h>
#include <mbus_json/message_json.hpp>

#include "cli/text.hpp"
#include "cli/words.hpp"
#include "mbus/opened.hpp"
#include "mbus/verbs.hpp"

namespace mbus::tools {
namespace {

result<std::string> reply_json(const reply& answer) {
    std::string line = R"({"v":1,"ok":true,"src":)";
    json::append_address(line, answer.from);
    line += ",\"status\":";
    json::append_string(line, answer.status);
    line += ",\"code\":";
    json::append_string(line, answer.code);
    line += ",\"text\":";
    json::append_string(line, answer.text);
    line += ",\"results\":";
    if (auto done = json::append_value(line, answer.results); !done) return std::move(done).error();
    return line + "}";
}

std::string reply_text(const reply& answer) {
    std::string line;
    for (const auto& one : answer.results) {
        if (!line.empty()) line += ' ';
        static_cast<void>(append_value(line, one).has_value());  // what came from the wire has a text
    }
    return printable(line);
}

std::string failure_json(const error& failure) {
    std::string line = fmt::format(R"({{"v":1,"ok":false,"code":"{}","text":)", to_string(failure.code));
    json::append_string(line, failure.text);
    return line + "}";
}

exit_code call(opened& on, const address& to, command what, bool json) {
    auto answer = on.bus.await(on.me->request(to, std::move(what), on.limit), on.limit);
    if (!answer) {
        if (json) on.out.line(failure_json(answer.error()));
        return on.fail(answer.error());
    }
    on.out.detail(fmt::format("{} answered {} {} {}", answer->from.text(), answer->status, answer->code, answer->text));
    if (!json) {
        on.out.line(reply_text(*answer));
        return exit_code::ok;
    }
    const auto line = reply_json(*answer);
    if (!line) return on.fail(line.error());
    on.out.line(*line);
    return exit_code::ok;
}

exit_code run(const arguments& args, output& out) {
    auto words = read_address_words(args.words());
    if (!words) return out.fail(words.error());
    if (!words->has_address) return usage_failure(out, {errc::bad_argument, "the ADDRESS is missing; usage: mbus call ADDRESS... COMMAND [ARG...]"});
    auto what = read_command_words(std::span{args.words()}.subspan(words->rest));
    if (!what) return out.fail(what.error());
    return with_entity(args, out, [&](opened& on) { return call(on, words->destination, std::move(*what), args.has("json")); });
}

}  // namespace

verb call_verb() {
    return {{.program = "mbus call",
             .summary = "ask exactly one entity something and print its answer",
             .synopsis = {"[options] ADDRESS... COMMAND [ARG...]"},
             .description = {"The request has the RPC form of the Mbus guidelines; the results are printed as Mbus values on one line. Status 1 when "
                             "the callee says that it failed or does not know the command."},
             .options = {timeout_option("limit for the answer (10 s)"), as_option("be this entity meanwhile ((module:mbus))"),
                         json_option("the answer as one JSON line"), quiet_option(), verbose_option(), socket_option()},
             .words = operand::address,
             .word_choices = {},
             .words_min = 1,
             .words_max = 100'000,
             .examples = {{"mbus call app:player player.status", "a question without arguments"},
                          {"mbus call app:player playlist.add '\"song.mp3\"' 3", "a string and a number"},
                          {"mbus call -j app:player player.status", "the answer as JSON"},
                          {"mbus call -W 60 app:encoder encode.file '\"a.wav\"'", "give it a minute"},
                          {"mbus call module:mbusd mbusd.status", "ask the daemon itself"}}},
            run};
}

}  // namespace mbus::tools
