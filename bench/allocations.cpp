#include "allocations.hpp"

#include <cstdlib>
#include <new>

namespace {
std::uint64_t count = 0;  // the benchmarks have one thread
}

namespace bench {
std::uint64_t allocations() noexcept { return count; }
}  // namespace bench

void* operator new(std::size_t octets) {
    ++count;
    if (void* const memory = std::malloc(octets)) return memory;
    throw std::bad_alloc{};
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
