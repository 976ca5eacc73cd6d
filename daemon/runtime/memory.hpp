// Memory of the process that is not in use is the system's.
#pragma once

namespace mbusd {

// At the beginning: large blocks go back to the kernel when they are freed, and the heap does not keep
// what a burst needed. By itself the allocator would raise both limits up to 64 MB.
void keep_heap_small();

// After a burst: free blocks between used ones go back too. Walks the whole heap.
void give_back_free_heap();

// After the start: the heap that reading files and options needed, and the pages of libraries,
// most of which ran for the last time. The code that is still needed comes back from the page cache
// with a few page faults. Only segments that nothing can have written to are touched.
void give_back_startup_memory();

}  // namespace mbusd
