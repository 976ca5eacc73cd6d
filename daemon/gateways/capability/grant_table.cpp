#include "gateways/capability/grant_table.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <sodium.h>

namespace mbusd {
namespace {

constexpr std::size_t id_octets = 6;  // enough to tell a million grants apart

}  // namespace

std::string grant_hash(std::string_view token) {
    std::string out(crypto_generichash_BYTES, '\0');
    crypto_generichash(reinterpret_cast<unsigned char*>(out.data()), out.size(),
                       reinterpret_cast<const unsigned char*>(token.data()), token.size(), nullptr, 0);
    return out;
}

std::string grant_id(std::string_view hash) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (const char c : hash.substr(0, id_octets)) {
        const auto octet = static_cast<unsigned char>(c);
        out += digits[octet >> 4];
        out += digits[octet & 15];
    }
    return out;
}

std::optional<std::chrono::seconds> request_rate::take(mbus::mbws::time_point now, std::uint64_t rate) {
    const auto full = static_cast<double>(std::max<std::uint64_t>(rate, 1));
    if (!begun_) left_ = full;
    begun_ = true;
    left_ = std::min(full, left_ + full * std::chrono::duration<double>(now - since_).count());
    since_ = now;
    if (left_ >= 1) {
        left_ -= 1;
        return std::nullopt;
    }
    return std::chrono::seconds{static_cast<std::int64_t>(std::ceil((1 - left_) / full))};
}

capability& grant_table::add(capability made) {
    auto& place = grants_[made.hash];
    place = std::make_unique<capability>(std::move(made));
    return *place;
}

// A token is hashed before anything is looked up, so that the time tells nothing of what is near it;
// the comparison is done for every token, and no answer differs before this one has.
capability* grant_table::find(std::string_view token, std::uint64_t now_ms) {
    const auto hash = grant_hash(token.substr(0, 2 * grant_token_characters));
    const auto found = grants_.find(hash);
    auto& candidate = found == grants_.end() ? nobody_ : *found->second;
    const bool same = sodium_memcmp(hash.data(), candidate.hash.data(), hash.size()) == 0;
    const bool over = candidate.expires_ms != 0 && candidate.expires_ms <= now_ms;
    const bool used_up = candidate.uses_left == 0U;
    const bool valid = same & !over & !used_up & (&candidate != &nobody_) & (token.size() == grant_token_characters);
    return valid ? &candidate : nullptr;
}

}  // namespace mbusd
