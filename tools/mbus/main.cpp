#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "cli/program.hpp"
#include "mbus/verbs.hpp"

int main(int argc, char** argv) {
    mbus::tools::hold_standard_streams();
    try {
        const std::vector<std::string> line(argv + (argc > 0 ? 1 : 0), argv + argc);
        return static_cast<int>(mbus::tools::run_mbus(line));
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "mbus: %s\n", failure.what());
        return static_cast<int>(mbus::tools::exit_code::failed);
    }
}
