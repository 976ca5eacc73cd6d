#include "clients/account_table.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "config/client_token.hpp"
#include "router/session_table.hpp"
#include "store/account_rows.hpp"

namespace mbusd {
namespace {

constexpr std::string_view secret_name = "unknown-accounts";
constexpr std::size_t secret_octets = 32;

// Local parts of JIDs are small letters (RFC 7622, section 3.3); names of accounts are too.
std::string lowered(std::string_view text) {
    std::string out{text};
    std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return out;
}

}  // namespace

account_table::account_table(client_table& clients, store& kept, std::string domain)
    : clients_(clients), kept_(kept), domain_(lowered(domain)) {}

mbus::result<void> account_table::load() {
    auto lists = load_blocked(kept_, [this](std::string_view name, std::string_view jid) { blocked_.emplace_back(name, jid); });
    if (!lists) return lists;
    auto read = load_secrets(kept_, [this](std::string_view name, std::string_view octets) {
        if (name == secret_name) secret_ = octets;
    });
    if (!secret_.empty()) return read;
    secret_ = random_token(secret_octets);
    transaction changes;
    put_secret(changes, secret_name, secret_);
    kept_.submit(std::move(changes), {});
    return read;
}

scram_keys account_table::keys_of(std::string_view user, scram_hash hash) {
    const auto* login = clients_.login_of(lowered(user), hash == scram_hash::sha1 ? "SCRAM-SHA-1" : "SCRAM-SHA-256");
    if (login == nullptr) return made_up_keys(hash, lowered(user), secret_);
    return {.hash = hash, .iterations = login->iterations, .salt = login->salt, .stored_key = login->stored_key, .server_key = login->server_key};
}

bool account_table::is_own_name(std::string_view authzid, std::string_view user) const {
    const auto wanted = lowered(authzid);
    return wanted == lowered(user) || wanted == lowered(user) + '@' + domain_;
}

std::shared_ptr<const peer_identity> account_table::check(std::string_view name, std::string_view password) {
    const auto user = lowered(name);
    const auto keys = keys_of(user, scram_hash::sha256);
    // The keys are part of it: a changed password is another one.
    auto proof = hash_token(secret_ + keys.stored_key + keys.salt + std::string{password});
    const auto known = proven_.find(user);
    if (known == proven_.end() || known->second != proof) {
        if (!password_fits(keys, password)) return nullptr;
        proven_[user] = std::move(proof);
    }
    return find(user);
}

std::shared_ptr<const peer_identity> account_table::find(std::string_view name) { return clients_.find_account(lowered(name)); }

void account_table::keep_blocked(std::string_view name, std::string_view jid, bool blocked) {
    transaction changes;
    if (blocked) put_blocked(changes, name, jid);
    else drop_blocked(changes, name, jid);
    kept_.submit(std::move(changes), {});
}

std::shared_ptr<const peer_identity> account_table::guest() {
    auto who = clients_.identity_of(std::string{guest_client}, {});
    return who->rights->refuses_connect() ? nullptr : who;
}

}  // namespace mbusd
