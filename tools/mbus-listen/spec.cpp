#include "mbus-listen/spec.hpp"

namespace mbus::tools {
namespace {

// More entities than one daemon lets one session attach by default.
constexpr std::size_t addresses_most = 1024;

std::vector<option_spec> options() {
    return {
        {.letter = 'n', .name = "count", .takes = operand::count, .placeholder = "N", .help = "end after N commands (with --peers: changes)"},
        {.letter = '1', .name = "one", .help = "end after the first, as --count 1", .excludes = {"count"}},
        timeout_option("end after TIME, with status 124 (no limit)"),
        {.name = "idle", .takes = operand::duration, .placeholder = "TIME", .help = "end when nothing came for TIME; status 124 if --count is not reached"},
        json_option("one JSON object per message, with all its commands"),
        {.letter = 'F',
         .name = "format",
         .takes = operand::text,
         .placeholder = "FORMAT",
         .help = "one line per command: %t time (UTC), %T time of day, %u milliseconds since 1970, %f source, %d destination, %e receiving "
                 "entity, %y R or U, %i interface, %s number on the bus, %n name, %a (arguments), %A arguments, %c command, %j message as JSON, %% %, \\n, \\t",
         .excludes = {"json", "raw"}},
        {.letter = 'r', .name = "raw", .help = "the commands as they were sent and nothing else", .excludes = {"json"}},
        {.letter = 'a', .name = "all", .help = "monitor: every message that the daemon routes, whoever it is for (needs the right to)", .excludes = {"peers", "as"}},
        {.letter = 'c', .name = "command", .takes = operand::glob, .placeholder = "GLOB", .help = "only commands such as 'player.*,mixer.mute'"},
        {.name = "from", .takes = operand::address, .placeholder = "ADDR", .help = "only from entities with these attributes"},
        {.letter = 'x', .name = "exclude", .takes = operand::glob, .placeholder = "GLOB", .help = "not these commands"},
        {.letter = 'p',
         .name = "peers",
         .help = "instead of messages: entities (that match ADDRESS) as they join and leave",
         .excludes = {"raw", "format", "command", "from", "exclude", "exec", "no-loss", "as"}},
        as_option("add these attributes to every ADDRESS"),
        {.name = "exec",
         .takes = operand::text,
         .placeholder = "CMD",
         .help = "run the shell command for each message: JSON on its stdin, MBUS_SOURCE, MBUS_DESTINATION, MBUS_COMMAND, MBUS_ARGUMENTS "
                 "in its environment; instead of printing",
         .excludes = {"json", "raw", "format"}},
        {.name = "stats", .help = "at the end, print counts and rates on stderr"},
        {.name = "no-loss", .help = "go on exactly where it stopped when the connection breaks; status 1 if anything was missed"},
        quiet_option(),
        verbose_option(),
        socket_option(),
    };
}

}  // namespace

const tool_spec& mbus_listen_spec() {
    static const tool_spec spec{
        .program = "mbus-listen",
        .summary = "be an entity of the bus and print what it is sent",
        .synopsis = {"[options] [ADDRESS...]"},
        .description = {"Each ADDRESS is an entity of its own: '(app:b media:audio)' or app:b. Without one, listens as (module:mbus-listen), "
                        "which hears what goes to everyone.",
                        "It listens until --count, --timeout, --idle or Ctrl-C ends it."},
        .options = options(),
        .words = operand::address,
        .word_choices = {},
        .words_min = 0,
        .words_max = addresses_most,
        .examples = {{"mbus-listen '(app:b)' -j -n 2", "be app:b, print two commands as JSON, end"},
                     {"mbus-listen -a", "watch everything that happens on the bus"},
                     {"mbus-listen app:logger -c 'log.*' -F '%T %n %A'", "only log commands, in a form of your own"},
                     {"mbus-listen -p", "who comes and goes"},
                     {"mbus-listen app:door -c door.open --exec 'play bell.wav'", "run something for each message"}},
    };
    return spec;
}

}  // namespace mbus::tools
