// Sealing and opening allocate nothing once their buffers have grown. A program of its own: it
// counts every operator new.
#include <doctest/doctest.h>

#include <cstdlib>
#include <new>
#include <string>

#include "envelope_support.hpp"

namespace {
std::size_t allocations = 0;
}

void* operator new(std::size_t octets) {
    ++allocations;
    if (void* const memory = std::malloc(octets)) return memory;
    throw std::bad_alloc{};
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

using namespace mbus::protocol;
using namespace mbus::protocol::testing;

TEST_CASE("seal and open allocate nothing in the steady state, good datagram or bad") {
    for (const auto& config :
         {make_config(hash_algorithm::hmac_sha1_96), make_config(hash_algorithm::hmac_md5_96),
          make_config(hash_algorithm::hmac_sha1_96, cipher_algorithm::aes),
          make_config(hash_algorithm::hmac_sha1_96, cipher_algorithm::triple_des),
          make_config(hash_algorithm::hmac_sha256_128),
          make_config(hash_algorithm::hmac_sha256_128, cipher_algorithm::xchacha20_poly1305)}) {
        auto seal = make_envelope(config);
        std::string datagram;
        std::string changed;
        std::string scratch;
        std::size_t before = 0;
        std::size_t opened = 0;
        for (int round = 0; round < 10; ++round) {
            if (round == 2) before = allocations;
            datagram.clear();
            seal.seal(m3, 1000, datagram);
            changed = datagram;
            changed.back() = static_cast<char>(changed.back() ^ 1);
            if (!seal.open(changed, 1000, scratch).ok && seal.open(datagram, 1000, scratch).ok) ++opened;
        }
        const std::size_t during = allocations - before;
        CHECK(opened == 10);
        CHECK(during == 0);
    }
}
