#include "cli/option_table.hpp"

#include <algorithm>

namespace mbus::tools {

const option_spec* tool_spec::find(std::string_view wanted) const noexcept {
    const auto by_name = [&](const option_spec& one) { return one.name == wanted; };
    if (const auto found = std::ranges::find_if(options, by_name); found != options.end()) return &*found;
    const auto& common = common_options();
    if (const auto found = std::ranges::find_if(common, by_name); found != common.end()) return &*found;
    return nullptr;
}

const std::vector<option_spec>& common_options() {
    static const std::vector<option_spec> options{
        {.letter = 'h', .name = "help", .help = "print this and exit"},
        {.name = "version", .help = "print the version and exit"},
    };
    return options;
}

option_spec json_option(std::string_view help) { return {.letter = 'j', .name = "json", .help = help}; }

option_spec socket_option() {
    return {.name = "socket",
            .takes = operand::file,
            .placeholder = "PATH",
            .help = "the daemon's socket ($MBUS_SOCKET, then $XDG_RUNTIME_DIR/mbusd/mbusd.sock, then /run/mbusd/mbusd.sock)"};
}

option_spec quiet_option() {
    return {.letter = 'q', .name = "quiet", .help = "no hints and no failures on stderr; the exit status says it", .excludes = {"verbose"}};
}

option_spec verbose_option() {
    return {.letter = 'v', .name = "verbose", .help = "say on stderr what happens", .excludes = {"quiet"}};
}

option_spec timeout_option(std::string_view help) {
    return {.letter = 'W', .name = "timeout", .takes = operand::duration, .placeholder = "TIME", .help = help};
}

option_spec as_option(std::string_view help) {
    return {.name = "as", .takes = operand::address, .placeholder = "ADDR", .help = help};
}

}  // namespace mbus::tools
