#include "mbus-send/spec.hpp"

namespace mbus::tools {
namespace {

// More words than a command line holds.
constexpr std::size_t any_number = 100'000;

std::vector<option_spec> options() {
    return {
        {.letter = 'r', .name = "reliable", .help = "to exactly one entity, acknowledged by it"},
        {.name = "each", .help = "one reliable copy to every entity that matches", .excludes = {"reliable"}},
        {.name = "all", .help = "to everyone, as the ADDRESS ()"},
        {.name = "wait-for",
         .takes = operand::count,
         .placeholder = "N",
         .help = "first wait until N entities match, --timeout at most"},
        timeout_option("limit of --wait-for, and of the wait for each outcome (10 s)"),
        {.letter = 'n', .name = "count", .takes = operand::count, .placeholder = "N", .help = "send it N times (1)", .excludes = {"lines", "file"}},
        {.letter = 'i', .name = "interval", .takes = operand::duration, .placeholder = "TIME", .help = "from one message to the next (0)", .excludes = {"rate"}},
        {.name = "rate", .takes = operand::rate, .placeholder = "N", .help = "N messages per second", .excludes = {"interval"}},
        {.letter = 'l',
         .name = "lines",
         .help = "each line of stdin is a command, such as demo.text (\"hi\" 1); with --json a message",
         .excludes = {"file"}},
        {.letter = 'f', .name = "file", .takes = operand::file, .placeholder = "FILE", .help = "as --lines, from FILE"},
        {.name = "dry-run", .help = "print what would be sent; needs no daemon", .excludes = {"wait-for", "each"}},
        as_option("be this entity while sending ((module:mbus-send))"),
        json_option("print each outcome as a JSON line; with --lines or --file read JSON lines too"),
        quiet_option(),
        verbose_option(),
        socket_option(),
    };
}

}  // namespace

const tool_spec& mbus_send_spec() {
    static const tool_spec spec{
        .program = "mbus-send",
        .summary = "send messages to the entities of the bus that have these attributes",
        .synopsis = {"[options] ADDRESS... COMMAND [ARG...]", "[options] ADDRESS... (-l | -f FILE)", "[options] --json (-l | -f FILE)"},
        .description = {"ADDRESS is any subset of the attributes of the receivers: app:player media:audio, or '(app:player)'. The command is "
                        "the first word without a colon. () is everyone.",
                        "ARG is an Mbus value: 1, 2.5, on (symbol), '\"text\"' (string), '(1 2)' (list), '<AAEC>' (data in Base64)."},
        .options = options(),
        .words = operand::address,
        .word_choices = {},
        .words_min = 0,
        .words_max = any_number,
        .examples = {{"mbus-send app:player player.play '\"song.mp3\"' 3", "to every player; status 3 if there is none"},
                     {"mbus-send -r app:b demo.text '\"hi\"' 1 2.5 sym", "to exactly one entity, and wait until it has the message"},
                     {"mbus-send --each media:audio audio.gain 80", "a reliable copy to each, one after the other"},
                     {"mbus-send --wait-for 2 -W 30 '()' conference.start", "as soon as two entities are there, within 30 s"},
                     {"mbus-listen -a -j -n 100 > log; mbus-send -j -f log", "record 100 commands, then send them again"}},
    };
    return spec;
}

}  // namespace mbus::tools
