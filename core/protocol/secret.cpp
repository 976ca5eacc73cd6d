#include <cstring>
#include <new>
#include <utility>

#include <sodium.h>

#include "protocol/invariant.hpp"
#include "protocol/session_config.hpp"

namespace mbus::protocol {
namespace {

// Pages of their own between guard pages, locked in memory as far as the process may, kept out of
// core dumps, wiped by sodium_free.
std::byte* locked_copy(std::span<const std::byte> octets) {
    if (octets.empty()) return nullptr;
    invariant(sodium_init() >= 0);
    auto* copy = static_cast<std::byte*>(sodium_malloc(octets.size()));
    if (copy == nullptr) throw std::bad_alloc{};
    std::memcpy(copy, octets.data(), octets.size());
    return copy;
}

}  // namespace

secret::secret(std::span<const std::byte> octets) : data_(locked_copy(octets)), size_(octets.size()) {}

secret::secret(const secret& other) : secret(other.octets()) {}

secret::secret(secret&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

secret& secret::operator=(secret other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
}

secret::~secret() { sodium_free(data_); }

bool secret::operator==(const secret& other) const noexcept {
    if (size_ != other.size_) return false;
    return size_ == 0 || sodium_memcmp(data_, other.data_, size_) == 0;
}

}  // namespace mbus::protocol
