// One part so many times, for callgrind: the difference of two runs is what a message takes, and it is the same on every
// machine with the same compiler.
//
//     valgrind --tool=callgrind bench_instructions codec 1000
#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include "parts/works.hpp"

namespace {

template <class Work>
int repeat(std::uint64_t rounds, Work work) {
    for (std::uint64_t round = 0; round < rounds; ++round) work();
    return 0;
}

int run(std::string_view what, std::uint64_t rounds) {
    if (what == "codec") {
        bench::codec_work work;
        return repeat(rounds, [&] { work.once(); });
    }
    if (what == "scan") {
        bench::codec_work work;
        return repeat(rounds, [&] { work.scan(); });
    }
    if (what == "envelope") {
        bench::envelope_work work;
        return repeat(rounds, [&] {
            work.seal();
            work.open();
        });
    }
    if (what == "route") {
        bench::route_work work;
        return repeat(rounds, [&] { work.once(); });
    }
    if (what == "frame") {
        bench::frame_work work;
        return repeat(rounds, [&] {
            work.encode();
            work.decode();
        });
    }
    std::fputs("usage: bench_instructions codec|scan|envelope|route|frame ROUNDS\n", stderr);
    return 2;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return argc == 3 ? run(argv[1], std::stoull(argv[2])) : run("", 0);
    } catch (const std::exception& fault) {
        std::fprintf(stderr, "bench_instructions: %s\n", fault.what());
        return 1;
    }
}
