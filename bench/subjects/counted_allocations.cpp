// Preloaded into a daemon that is measured (LD_PRELOAD): counts what it asks of the heap, in the file that
// MBUS_BENCH_ALLOCATIONS names, where the benchmark looks. A program that allocates nothing pays nothing.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

// What glibc calls its own.
extern "C" void* __libc_malloc(std::size_t octets);
extern "C" void* __libc_calloc(std::size_t count, std::size_t octets);
extern "C" void* __libc_realloc(void* memory, std::size_t octets);
extern "C" void* __libc_memalign(std::size_t alignment, std::size_t octets);

namespace {

std::uint64_t before_the_file = 0;
std::uint64_t* counter = &before_the_file;

// More than one thread may allocate.
void count_one() noexcept { __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED); }

__attribute__((constructor)) void open_file() {
    const char* const path = std::getenv("MBUS_BENCH_ALLOCATIONS");
    const int file = path == nullptr ? -1 : ::open(path, O_RDWR | O_CLOEXEC);
    if (file < 0) return;
    void* const shared = ::mmap(nullptr, sizeof *counter, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ::close(file);
    if (shared != MAP_FAILED) counter = static_cast<std::uint64_t*>(shared);
}

}  // namespace

extern "C" {

void* malloc(std::size_t octets) noexcept {
    count_one();
    return __libc_malloc(octets);
}

void* calloc(std::size_t count, std::size_t octets) noexcept {
    count_one();
    return __libc_calloc(count, octets);
}

void* realloc(void* memory, std::size_t octets) noexcept {
    count_one();
    return __libc_realloc(memory, octets);
}

void* memalign(std::size_t alignment, std::size_t octets) noexcept {
    count_one();
    return __libc_memalign(alignment, octets);
}

void* aligned_alloc(std::size_t alignment, std::size_t octets) noexcept { return memalign(alignment, octets); }

int posix_memalign(void** memory, std::size_t alignment, std::size_t octets) noexcept {
    *memory = memalign(alignment, octets);
    return *memory != nullptr ? 0 : ENOMEM;
}

}  // extern "C"
