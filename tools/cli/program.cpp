#include "cli/program.hpp"

#include <cerrno>
#include <cstdio>
#include <exception>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "cli/help.hpp"

namespace mbus::tools {
namespace {

output::level level_of(const arguments& args) {
    if (args.has("quiet")) return output::level::quiet;
    return args.has("verbose") ? output::level::verbose : output::level::normal;
}

}  // namespace

std::string version_line(std::string_view program) { return fmt::format("{} {}", program, MBUS_VERSION); }

exit_code usage_failure(const output& out, const error& failure) {
    out.note(failure.text);
    return exit_code::usage;
}

exit_code run_tool(const tool_spec& spec, tool_function tool, std::span<const std::string> line) {
    auto args = parse_arguments(spec, line);
    if (!args) {
        output out{spec.program, output::level::normal};
        return usage_failure(out, args.error());
    }
    output out{spec.program, level_of(*args)};
    auto status = exit_code::ok;
    if (args->has("help")) {
        out.raw(help_text(spec));
    } else if (args->has("version")) {
        out.line(version_line(spec.program));
    } else {
        status = tool(*args, out);
    }
    return out.lost() && status == exit_code::ok ? exit_code::failed : status;
}

void hold_standard_streams() {
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (fcntl(fd, F_GETFD) == -1 && errno == EBADF) open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
}

int run_main(const tool_spec& spec, tool_function tool, int argc, char** argv) {
    hold_standard_streams();
    try {
        const std::vector<std::string> line(argv + (argc > 0 ? 1 : 0), argv + argc);
        return static_cast<int>(run_tool(spec, tool, line));
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "%s: %s\n", std::string{spec.program}.c_str(), failure.what());
        return static_cast<int>(exit_code::failed);
    }
}

}  // namespace mbus::tools
