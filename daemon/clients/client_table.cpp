#include "clients/client_table.hpp"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "config/client_token.hpp"

namespace mbusd {

using mbus::errc;

client_table::client_table(store& kept, clock_function wall_ms) : kept_(kept), wall_ms_(std::move(wall_ms)) {}

mbus::result<void> client_table::load() {
    return load_clients(kept_, [this](stored_client&& one) { put(std::move(one)); });
}

void client_table::use_rights(const rights_table& rules) {
    rules_ = rules;
    for (auto& [name, each] : clients_) each.identity.reset();
}

mbus::result<void> client_table::check(const stored_client& client, bool replace) const {
    if (auto no = refuses_client_name(client.name)) return {errc::bad_argument, std::move(*no)};
    if (!client.logins.empty()) {
        if (auto no = refuses_account_name(client.name)) return {errc::bad_argument, std::move(*no)};
    }
    if (client.token_hash.size() != token_hash_octets) return {errc::bad_argument, "the hash of a token has 32 octets"};
    const auto old = clients_.find(client.name);
    if ((old != clients_.end() && !replace) || storing_.contains(client.name)) {
        return {errc::conflict, "client " + client.name + " exists already and keeps its token; --replace gives it a new one"};
    }
    const auto same = by_hash_.find(client.token_hash);
    // An account has no token, but a hash by its name.
    const bool own = same != by_hash_.end() && same->second == client.name && !client.logins.empty();
    if (same != by_hash_.end() && !own) return {errc::conflict, "this token is that of client " + same->second + "; make another"};
    if (old == clients_.end() && clients_.size() + storing_.size() >= clients_max) {
        return {errc::limit, "there are 65536 clients already; remove some with 'mbus client rm'"};
    }
    return {};
}

void client_table::add(stored_client client, bool replace, done_function done) {
    if (auto fine = check(client, replace); !fine) {
        done(fine);
        return;
    }
    transaction changes;
    put_client(changes, client);
    storing_.insert(client.name);
    kept_.submit(std::move(changes), [this, client = std::move(client), done = std::move(done)](const mbus::result<void>& written) {
        storing_.erase(client.name);
        if (written) {
            erase(client.name);
            put(client);
        }
        done(written);
    });
}

void client_table::remove(const std::string& name, done_function done) {
    if (!clients_.contains(name)) {
        done({errc::not_found, "there is no client " + name + "; 'mbus client ls' shows all"});
        return;
    }
    if (storing_.contains(name)) {
        done({errc::conflict, "client " + name + " is getting a new token right now; try again"});
        return;
    }
    erase(name);
    transaction changes;
    drop_client(changes, name);
    kept_.submit(std::move(changes), [name, done = std::move(done)](const mbus::result<void>& written) {
        if (written) {
            done(written);
            return;
        }
        done({written.error().code, "client " + name + " has lost its token until mbusd starts anew, and for ever only when this "
                                    "works: " + written.error().text});
    });
}

void client_table::put(stored_client client) {
    by_hash_[client.token_hash] = client.name;
    auto name = client.name;
    if (client.expires_ms != 0) {
        expiries_.emplace(client.expires_ms, name);
        if (expiry_changed_) expiry_changed_();
    }
    clients_[std::move(name)] = {std::move(client), nullptr};
}

void client_table::erase(const std::string& name) {
    const auto found = clients_.find(name);
    if (found == clients_.end()) return;
    by_hash_.erase(found->second.client.token_hash);
    expiries_.erase({found->second.client.expires_ms, name});
    clients_.erase(found);
    if (withdrawn_) withdrawn_(user_identity{.client = name, .name = {}, .groups = {}}.identity());
}

bool client_table::expired(const stored_client& client) const {
    return client.expires_ms != 0 && client.expires_ms <= wall_ms_();
}

void client_table::sweep() {
    std::vector<std::string> over;
    const auto now = wall_ms_();
    for (const auto& [when, name] : expiries_) {
        if (when > now) break;
        over.push_back(name);
    }
    for (const auto& name : over) remove(name, [](const mbus::result<void>&) {});
}

void client_table::for_each(const std::function<void(const stored_client&)>& visit) const {
    for (const auto& [name, each] : clients_) visit(each.client);
}

// By hash: how long the look-up takes tells something of a hash at most, and nothing of a token.
std::shared_ptr<const peer_identity> client_table::find_client(std::string_view token) {
    if (!is_token(token)) return nullptr;
    const auto found = by_hash_.find(hash_token(token));
    if (found == by_hash_.end()) return nullptr;
    auto& each = clients_.find(found->second)->second;
    if (expired(each.client)) return nullptr;
    return identity_of(each);
}

std::shared_ptr<const peer_identity> client_table::find_named(std::string_view name) {
    const auto found = clients_.find(name);
    if (found == clients_.end() || expired(found->second.client)) return nullptr;
    return identity_of(found->second);
}

std::shared_ptr<const peer_identity> client_table::find_account(std::string_view name) {
    const auto found = clients_.find(name);
    if (found == clients_.end() || found->second.client.logins.empty() || expired(found->second.client)) return nullptr;
    return identity_of(found->second);
}

const stored_login* client_table::login_of(std::string_view name, std::string_view mechanism) const {
    const auto found = clients_.find(name);
    if (found == clients_.end() || expired(found->second.client)) return nullptr;
    const auto& logins = found->second.client.logins;
    const auto one = std::ranges::find(logins, mechanism, &stored_login::mechanism);
    return one == logins.end() ? nullptr : &*one;
}

std::shared_ptr<const peer_identity> client_table::identity_of(entry& each) {
    if (!each.identity) each.identity = identity_of(each.client.name, each.client.rights);
    return each.identity;
}

std::shared_ptr<const peer_identity> client_table::identity_of(const std::string& name, const rights_rule& own) const {
    user_identity who{.client = name, .uid = std::numeric_limits<std::uint32_t>::max(), .name = {}, .groups = {}};
    who.name = who.identity();
    auto rights = std::make_shared<const granted_rights>(rules_.granted_to(who, own));
    return std::make_shared<const peer_identity>(peer_identity{std::move(who), std::move(rights)});
}

bool client_table::withdrawn(const peer_identity& who) const {
    const auto found = clients_.find(who.user.client);
    return found == clients_.end() || expired(found->second.client);
}

}  // namespace mbusd
