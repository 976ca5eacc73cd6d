// The whole-system benchmark: mbusd, its peers and the floors side by side in one run.
//
//     bench_all [--list] [--only TEXT]... [--quick] [--json FILE]
//
// docs/performance.md says what the rows are and how to read them.
#include <csignal>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "harness/scratch.hpp"
#include "rows/row.hpp"
#include "subjects/mbusd.hpp"

namespace {

using namespace bench;

struct options {
    bool list = false;
    bool quick = false;
    std::vector<std::string> only;
};

void print(const row& one) {
    std::printf("%-36s %-26s", one.work.c_str(), one.subject.c_str());
    for (const auto& each : one.figures) std::printf(" %s %.6g%s", each.name.c_str(), each.value, each.unit.c_str());
    std::printf(" %s\n", one.note.c_str());
    std::fflush(stdout);
}

bool wanted(const options& asked, const job& one) {
    if (asked.only.empty()) return true;
    for (const auto& each : asked.only)
        if (one.id.find(each) != std::string::npos) return true;
    return false;
}

int run(const options& asked) {
    std::vector<job> jobs;
    add_local_jobs(jobs);
    request what;
    if (asked.quick) what.spend = {.windows = 1, .window = std::chrono::milliseconds{200}, .round_trips = std::chrono::milliseconds{200}};
    for (const auto& each : jobs) {
        if (!wanted(asked, each)) continue;
        if (asked.list) {
            std::printf("%s\n", each.id.c_str());
            continue;
        }
        row out{.work = each.work, .subject = each.subject};
        try {
            out.figures = each.run(what);
        } catch (const not_available& why) {
            out.note = std::string{"skipped: "} + why.what();
        } catch (const std::exception& fault) {
            out.note = std::string{"failed: "} + fault.what();
        }
        print(out);
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    options asked;
    for (int index = 1; index < argc; ++index) {
        const std::string_view word = argv[index];
        if (word == "--list") asked.list = true;
        else if (word == "--quick") asked.quick = true;
        else if (word == "--peers" && index + 1 < argc) set_unpacked_peers(argv[++index]);
        else if (word == "--only" && index + 1 < argc) asked.only.emplace_back(argv[++index]);
    }
    set_programs((std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path() / "bin").string());
    return run(asked);
}
