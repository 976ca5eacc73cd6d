// mbusd: options, configuration, service, exit code.
#include <cstdio>
#include <exception>
#include <string>
#include <utility>

#include "config/command_line.hpp"
#include "config/config_text.hpp"
#include "gateways.hpp"
#include "protocol/envelope.hpp"
#include "service.hpp"

namespace {

void print(std::FILE* to, const std::string& text) { std::fwrite(text.data(), 1, text.size(), to); }

int fail(const std::string& text) {
    print(stderr, "mbusd: " + text + "\n");
    return mbusd::exit_failed;
}

// Everything that can be told without starting.
int check(const mbusd::config_reading& reading) {
    std::string key_file;
    const auto session = mbusd::load_session(reading.values, key_file);
    const auto sealed = mbusd::make_envelope(reading.values, session);
    if (!sealed) return fail(key_file + ": " + sealed.error().text);
    for (const auto& warning : session.warnings) print(stderr, "mbusd: " + key_file + ": " + warning + "\n");
    for (const auto& warning : mbusd::check_gateway(reading.values)) print(stderr, "mbusd: " + warning + "\n");
    for (const auto& file : reading.files) print(stdout, file.string() + ": ok\n");
    print(stdout, key_file + ": ok\n");
    return 0;
}

int run(const mbusd::command_line& asked) {
    if (!asked.dump_keys.empty()) {
        const auto text = mbusd::dump_keys(asked.dump_keys);
        if (!text) {
            print(stderr, "mbusd: --dump-keys takes text, markdown or scdoc, not '" + asked.dump_keys + "'\n");
            return mbusd::exit_usage;
        }
        print(stdout, *text);
        return 0;
    }
    auto reading = mbusd::read_config(asked);
    if (!reading.problems.empty()) {
        for (const auto& problem : reading.problems) print(stderr, "mbusd: " + problem.text + "\n");
        return mbusd::exit_failed;
    }
    if (asked.print_config) {
        print(stdout, mbusd::print_config(reading));
        return 0;
    }
    if (asked.check) return check(reading);
    mbusd::service daemon{std::move(reading), asked};
    return daemon.run();
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const auto asked = mbusd::parse_command_line(argc, argv, MBUSD_VERSION);
        if (asked.exit_code) {
            print(*asked.exit_code == 0 ? stdout : stderr, asked.text);
            return *asked.exit_code;
        }
        return run(asked);
    } catch (const std::exception& fault) {
        return fail(fault.what());
    }
}
