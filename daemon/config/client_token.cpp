#include "config/client_token.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace mbusd {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view digits_and_letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

void initialise() {
    if (sodium_init() < 0) throw std::runtime_error("libsodium can't be used: no source of random numbers");
}

}  // namespace

std::string make_token() {
    initialise();
    std::array<unsigned char, token_octets> octets{};
    randombytes_buf(octets.data(), octets.size());
    std::string text(token_characters + 1, '\0');  // libsodium ends it with a NUL
    sodium_bin2base64(text.data(), text.size(), octets.data(), octets.size(), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(octets.data(), octets.size());
    text.resize(token_characters);
    return text;
}

std::string hash_token(std::string_view token) {
    initialise();
    std::array<unsigned char, token_hash_octets> out{};
    crypto_generichash(out.data(), out.size(), reinterpret_cast<const unsigned char*>(token.data()), token.size(), nullptr, 0);
    return {reinterpret_cast<const char*>(out.data()), out.size()};
}

bool is_token(std::string_view text) noexcept {
    return text.size() == token_characters && text.find_first_not_of(alphabet) == std::string_view::npos;
}

std::string hex_of_hash(std::string_view hash) {
    std::string text(hash.size() * 2 + 1, '\0');
    sodium_bin2hex(text.data(), text.size(), reinterpret_cast<const unsigned char*>(hash.data()), hash.size());
    text.pop_back();
    return text;
}

std::optional<std::string> hash_from_hex(std::string_view digits) {
    std::string out(token_hash_octets, '\0');
    std::size_t octets = 0;
    if (digits.size() != token_hash_octets * 2 ||
        sodium_hex2bin(reinterpret_cast<unsigned char*>(out.data()), out.size(), digits.data(), digits.size(), nullptr, &octets,
                       nullptr) != 0 ||
        octets != token_hash_octets) {
        return std::nullopt;
    }
    return out;
}

std::optional<std::string> refuses_client_name(std::string_view name) {
    const auto fits = [](char c) { return digits_and_letters.find(c) != std::string_view::npos || c == '-' || c == '_' || c == '.'; };
    if (!name.empty() && name.size() <= client_name_octets_max && std::ranges::all_of(name, fits)) return std::nullopt;
    return "the name of a client has 1 to 64 of letters, digits, '-', '_' and '.'";
}

std::optional<std::string> refuses_account_name(std::string_view name) {
    if (auto no = refuses_client_name(name)) return no;
    for (const char each : name) {
        if (each >= 'A' && each <= 'Z') return "the name of an account has no capital letters: XMPP takes them for small ones";
    }
    return std::nullopt;
}

// A token has 43 characters, and none of them is a blank.
std::string hash_of_no_token(std::string_view name) { return hash_token("account " + std::string{name}); }

}  // namespace mbusd
