// The whole-system benchmark: mbusd, its peers and the floors side by side in one run.
//
//     bench_all [--list] [--only TEXT]... [--quick] [--json FILE] [--update-docs FILE] [--peers DIRECTORY]
//     bench_all --from FILE [--update-docs FILE]
//
// docs/performance.md says what the rows are and how to read them.
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "harness/meter.hpp"
#include "harness/scratch.hpp"
#include "report/format.hpp"
#include "report/run_report.hpp"
#include "rows/row.hpp"
#include "subjects/mbusd.hpp"

namespace {

using namespace bench;
using namespace std::chrono_literals;

constexpr effort quick_effort{.starts = 1, .windows = 1, .window = 200ms, .round_trips = 200ms};

constexpr auto usage =
    "usage: bench_all [--list] [--only TEXT]... [--quick] [--json FILE] [--update-docs FILE] [--peers DIRECTORY]\n"
    "       bench_all --from FILE [--update-docs FILE]\n"
    "  --list         prints the names of the rows\n"
    "  --only TEXT    measures the rows whose name holds the text\n"
    "  --quick        measures shortly: to see that everything works\n"
    "  --json FILE    writes what was measured\n"
    "  --from FILE    measures nothing, reads what was measured\n"
    "  --update-docs FILE   writes the tables into docs/performance.md\n"
    "  --peers DIRECTORY    where packages of servers were unpacked\n"
    "  --xmpp-subscribers N   of the rows xmpp/...: 1000\n";

struct options {
    bool list = false;
    bool quick = false;
    std::vector<std::string> only;
    std::string json;
    std::string from;
    std::string docs;
    std::size_t xmpp_subscribers = 1000;
    bool help = false;
};

std::size_t positive(const std::string& text) {
    std::size_t out = 0;
    const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (wrong != std::errc{} || end != text.data() + text.size() || out == 0)
        throw std::invalid_argument("bench_all: '" + text + "' is no number of subscribers\n");
    return out;
}

options parse(int argc, char** argv) {
    options out;
    for (int index = 1; index < argc; ++index) {
        const std::string_view word = argv[index];
        const auto next = [&] {
            if (index + 1 >= argc)
                throw std::invalid_argument("bench_all: nothing follows " + std::string{word} + "\n" + usage);
            return std::string{argv[++index]};
        };
        if (word == "--list")
            out.list = true;
        else if (word == "--quick")
            out.quick = true;
        else if (word == "--help")
            out.help = true;
        else if (word == "--only")
            out.only.push_back(next());
        else if (word == "--json")
            out.json = next();
        else if (word == "--from")
            out.from = next();
        else if (word == "--update-docs")
            out.docs = next();
        else if (word == "--peers")
            set_unpacked_peers(next());
        else if (word == "--xmpp-subscribers")
            out.xmpp_subscribers = positive(next());
        else
            throw std::invalid_argument("bench_all: unknown option '" + std::string{word} + "'\n" + usage);
    }
    return out;
}

std::vector<job> wanted_jobs(const options& asked) {
    std::vector<job> all;
    add_local_jobs(all);
    add_network_jobs(all);
    add_websocket_jobs(all);
    add_gateway_jobs(all);
    add_xmpp_jobs(all, asked.xmpp_subscribers);
    add_discovery_jobs(all);
    add_growth_jobs(all);
    add_idle_jobs(all);
    add_part_jobs(all);
    if (asked.only.empty()) return all;
    std::vector<job> out;
    std::ranges::copy_if(all, std::back_inserter(out), [&](const job& each) {
        return std::ranges::any_of(asked.only, [&](const std::string& text) {
            return each.about.id.find(text) != std::string::npos;
        });
    });
    if (out.empty()) throw std::invalid_argument("bench_all: no row has such a name; --list shows all\n");
    return out;
}

row measured(const job& one, const effort& spend) {
    row out = one.about;
    const auto start = std::chrono::steady_clock::now();
    try {
        out.figures = one.measure(spend);
    } catch (const not_available& why) {
        out.note = std::string{"skipped: "} + why.what();
    } catch (const std::exception& fault) {
        out.note = std::string{"failed: "} + fault.what();
    }
    out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return out;
}

run_report measure(const options& asked) {
    run_report out{.where = present_circumstances(), .rows = {}};
    out.where.quick = asked.quick;
    if (!syscall_meter::available())
        std::printf("system calls are not counted: %s\n", syscall_meter::why().c_str());
    for (const auto& each : wanted_jobs(asked)) {
        out.rows.push_back(measured(each, asked.quick ? quick_effort : effort{}));
        std::printf("%s\n", line_of(out.rows.back()).c_str());
        std::fflush(stdout);
    }
    return out;
}

run_report read(const std::string& file) {
    std::ifstream in{file};
    if (!in) throw std::runtime_error("can't read " + file);
    return report_from_json({std::istreambuf_iterator<char>{in}, {}});
}

// As many descriptors as a thousand clients need, here and in the servers, which inherit the limit.
void raise_descriptor_limit() {
    rlimit limit{};
    (void)::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

int run(const options& asked) {
    if (asked.help) {
        std::fputs(usage, stdout);
        return 0;
    }
    if (asked.list) {
        for (const auto& each : wanted_jobs(asked)) std::printf("%s\n", each.about.id.c_str());
        return 0;
    }
    const auto report = asked.from.empty() ? measure(asked) : read(asked.from);
    std::fputs(table_of(report).c_str(), stdout);
    if (!asked.json.empty() && !(std::ofstream{asked.json} << to_json(report)).flush())
        throw std::runtime_error("can't write " + asked.json);
    if (!asked.docs.empty()) update_docs(asked.docs, report);
    return std::ranges::any_of(report.rows, [](const row& each) { return each.note.starts_with("failed"); })
               ? 1
               : 0;
}

pid_t measuring = -1;

// The work is done in a child, with temporary files below one directory, so that nothing stays when it is interrupted.
int supervised(const std::function<int()>& work) {
    const scratch_directory all;
    ::setenv("TMPDIR", all.path().c_str(), 1);
    measuring = ::fork();
    if (measuring < 0) throw std::runtime_error("fork");
    if (measuring == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        const int status = work();
        std::fflush(nullptr);
        std::_Exit(status);
    }
    for (const int each : {SIGINT, SIGTERM, SIGHUP})
        std::signal(each, [](int) { ::kill(measuring, SIGKILL); });
    int status = 0;
    while (::waitpid(measuring, &status, 0) < 0 && errno == EINTR) {}
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int guarded(const std::function<int()>& work) {
    try {
        return work();
    } catch (const std::invalid_argument& wrong) {
        std::fputs(wrong.what(), stderr);
        return 2;
    } catch (const std::exception& fault) {
        std::fprintf(stderr, "bench_all: %s\n", fault.what());
        return 1;
    }
}

}  // namespace

int main(int argc, char** argv) {
    return guarded([&] {
        std::signal(SIGPIPE, SIG_IGN);
        raise_descriptor_limit();
        set_programs(
            (std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path() / "bin").string());
        const auto asked = parse(argc, argv);
        return supervised([&] { return guarded([&] { return run(asked); }); });
    });
}
