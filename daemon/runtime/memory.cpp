#include "runtime/memory.hpp"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <malloc.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <span>
#include <string_view>

namespace mbusd {
namespace {

// A buffer of the size of a queue's chunk is worth the call; what is smaller comes and goes too often.
constexpr int mapped_octets_min = 256 * 1024;
// Traffic that comes in bursts would otherwise take and return the same pages all the time. What a burst
// needed goes back when it is over (give_back_free_heap()).
constexpr int spare_octets_max = 4 * 1024 * 1024;

std::span<const ElfW(Phdr)> segments_of(const dl_phdr_info& object) { return {object.dlpi_phdr, object.dlpi_phnum}; }

// Relocations in read-only segments: their pages are no longer what stands in the file.
bool has_text_relocations(const dl_phdr_info& object) {
    for (const auto& segment : segments_of(object)) {
        if (segment.p_type != PT_DYNAMIC) continue;
        const auto* entry = reinterpret_cast<const ElfW(Dyn)*>(object.dlpi_addr + segment.p_vaddr);
        for (; entry->d_tag != DT_NULL; ++entry) {
            if (entry->d_tag == DT_TEXTREL) return true;
            if (entry->d_tag == DT_FLAGS && (entry->d_un.d_val & DF_TEXTREL) != 0) return true;
        }
    }
    return false;
}

// The C library: every client needs it again at once. Of the program itself the start needs most pages that
// nothing needs later, and what does comes back from the page cache.
bool in_use(const dl_phdr_info& object) {
    Dl_info c_library{};
    if (::dladdr(reinterpret_cast<const void*>(&::malloc_trim), &c_library) == 0) return true;
    const std::string_view name{object.dlpi_name};
    return name == c_library.dli_fname;
}

int drop_pages(dl_phdr_info* object, std::size_t, void*) {
    const auto kernel_page = static_cast<std::uintptr_t>(::getauxval(AT_SYSINFO_EHDR));
    const bool vdso = kernel_page != 0 && kernel_page == object->dlpi_addr;
    if (vdso || in_use(*object) || has_text_relocations(*object)) return 0;
    const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    for (const auto& segment : segments_of(*object)) {
        if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
        const std::uintptr_t start = object->dlpi_addr + segment.p_vaddr;
        const std::uintptr_t from = (start + page - 1) & ~(page - 1);
        const std::uintptr_t to = (start + segment.p_filesz) & ~(page - 1);
        // A refusal (locked memory) leaves all as it is.
        if (from < to) (void)::madvise(reinterpret_cast<void*>(from), to - from, MADV_DONTNEED);
    }
    return 0;
}

}  // namespace

void keep_heap_small() {
    ::mallopt(M_MMAP_THRESHOLD, mapped_octets_min);
    ::mallopt(M_TRIM_THRESHOLD, spare_octets_max);
}

void give_back_free_heap() { ::malloc_trim(0); }

void give_back_startup_memory() {
    give_back_free_heap();
    ::dl_iterate_phdr(drop_pages, nullptr);
}

}  // namespace mbusd
