#include "subjects/allocation_meter.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

namespace bench {

allocation_meter::allocation_meter(const scratch_directory& directory)
    : file_(directory.write("allocations", std::string(sizeof(std::uint64_t), '\0'))) {
    const int file = ::open(file_.c_str(), O_RDONLY | O_CLOEXEC);
    void* const shared =
        file < 0 ? MAP_FAILED : ::mmap(nullptr, sizeof *counter_, PROT_READ, MAP_SHARED, file, 0);
    if (file >= 0) ::close(file);
    if (shared == MAP_FAILED) throw std::runtime_error("can't map " + file_);
    counter_ = static_cast<const std::uint64_t*>(shared);
}

allocation_meter::~allocation_meter() {
    ::munmap(const_cast<std::uint64_t*>(counter_), sizeof *counter_);
}

void allocation_meter::preload() const {
    ::setenv("LD_PRELOAD", MBUS_BENCH_COUNTED_ALLOCATIONS, 1);
    ::setenv("MBUS_BENCH_ALLOCATIONS", file_.c_str(), 1);
}

std::uint64_t allocation_meter::count() const noexcept { return __atomic_load_n(counter_, __ATOMIC_RELAXED); }

}  // namespace bench
