#include "http/client_address.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>

namespace mbusd {
namespace {

constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::size_t subscriber_octets = 8;

}  // namespace

std::optional<client_address> client_address::parse(std::string_view text) {
    if (text.size() > 2 && text.front() == '[' && text.back() == ']') text = text.substr(1, text.size() - 2);
    const std::string copy{text};
    client_address out;
    if (::inet_pton(AF_INET6, copy.c_str(), out.octets_.data()) == 1) return out;
    std::ranges::copy(mapped, out.octets_.begin());
    if (::inet_pton(AF_INET, copy.c_str(), out.octets_.data() + mapped.size()) == 1) return out;
    return std::nullopt;
}

std::optional<client_address> client_address::of(const sockaddr_storage& from) noexcept {
    client_address out;
    if (from.ss_family == AF_INET) {
        sockaddr_in socket{};
        std::memcpy(&socket, &from, sizeof socket);
        std::ranges::copy(mapped, out.octets_.begin());
        std::memcpy(out.octets_.data() + mapped.size(), &socket.sin_addr, sizeof socket.sin_addr);
        return out;
    }
    if (from.ss_family == AF_INET6) {
        sockaddr_in6 socket{};
        std::memcpy(&socket, &from, sizeof socket);
        std::memcpy(out.octets_.data(), &socket.sin6_addr, out.octets_.size());
        return out;
    }
    return std::nullopt;
}

bool client_address::ipv4() const noexcept { return std::equal(mapped.begin(), mapped.end(), octets_.begin()); }

bool client_address::loopback() const noexcept {
    if (ipv4()) return octets_[12] == 127;
    octets one{};
    one.back() = 1;
    return octets_ == one;
}

std::string client_address::text() const {
    std::array<char, INET6_ADDRSTRLEN> out{};
    const bool four = ipv4();
    const void* from = four ? octets_.data() + mapped.size() : octets_.data();
    return ::inet_ntop(four ? AF_INET : AF_INET6, from, out.data(), out.size()) != nullptr ? out.data() : "";
}

client_address client_address::subscriber() const noexcept {
    if (ipv4()) return *this;
    auto out = *this;
    std::fill(out.octets_.begin() + subscriber_octets, out.octets_.end(), std::uint8_t{0});
    return loopback() ? *this : out;
}

std::optional<address_prefix> address_prefix::parse(std::string_view text) {
    const auto slash = text.find('/');
    const auto base = client_address::parse(text.substr(0, slash));
    if (!base) return std::nullopt;
    address_prefix out;
    out.base_ = *base;
    if (slash == std::string_view::npos) return out;
    const auto length = text.substr(slash + 1);
    unsigned bits = 0;
    const auto [stopped, fault] = std::from_chars(length.data(), length.data() + length.size(), bits);
    const unsigned most = base->ipv4() ? 32 : 128;
    if (fault != std::errc{} || stopped != length.data() + length.size() || bits > most) return std::nullopt;
    out.bits_ = bits + (128 - most);
    return out;
}

bool address_prefix::contains(const client_address& address) const noexcept {
    const auto whole = bits_ / 8;
    const auto rest = bits_ % 8;
    const auto& ours = base_.raw();
    const auto& theirs = address.raw();
    if (!std::equal(ours.begin(), ours.begin() + whole, theirs.begin())) return false;
    return rest == 0 || ((ours.at(whole) ^ theirs.at(whole)) >> (8 - rest)) == 0;
}

bool is_local_address(const client_address& address) {
    if (address.loopback()) return true;
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0) return false;
    const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner{list, &::freeifaddrs};
    for (const auto* each = list; each != nullptr; each = each->ifa_next) {
        if (each->ifa_addr == nullptr) continue;
        sockaddr_storage socket{};
        const auto family = each->ifa_addr->sa_family;
        if (family != AF_INET && family != AF_INET6) continue;
        std::memcpy(&socket, each->ifa_addr, family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
        if (client_address::of(socket) == address) return true;
    }
    return false;
}

}  // namespace mbusd
