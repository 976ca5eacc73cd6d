// The process itself, with the names that every Prometheus client library uses.
#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

#include "gateways/metrics/metrics_paths.hpp"

namespace mbusd {
namespace {

double seconds(const timeval& what) { return static_cast<double>(what.tv_sec) + static_cast<double>(what.tv_usec) / 1e6; }

double open_files() {
    DIR* folder = ::opendir("/proc/self/fd");
    if (folder == nullptr) return 0;
    int count = -3;  // ".", ".." and the folder itself
    while (::readdir(folder) != nullptr) ++count;
    ::closedir(folder);
    return count;
}

}  // namespace

void add_process_metrics(metric_page& page) {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    page.counter("process_cpu_seconds_total", "CPU time that the daemon has used.", seconds(used.ru_utime) + seconds(used.ru_stime));
    std::ifstream pages{"/proc/self/statm"};
    double size = 0;
    double resident = 0;
    pages >> size >> resident;
    const auto octets = static_cast<double>(::sysconf(_SC_PAGESIZE));
    page.gauge("process_virtual_memory_bytes", "Virtual memory.", size * octets);
    page.gauge("process_resident_memory_bytes", "Resident memory.", resident * octets);
    page.gauge("process_open_fds", "Open file descriptors.", open_files());
    rlimit most{};
    ::getrlimit(RLIMIT_NOFILE, &most);
    page.gauge("process_max_fds", "File descriptors that may be open.", most.rlim_cur);
}

}  // namespace mbusd
