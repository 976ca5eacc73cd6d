#include "router/accounts.hpp"

namespace mbusd {
namespace {

std::string refusal(const user_account& who, const char* what, std::uint64_t limit, const char* key) {
    return "refused: user " + who.name + " has " + std::to_string(limit) + ' ' + what +
           ", the most that mbusd.toml allows; close some, or raise " + key;
}

}  // namespace

std::optional<std::string> user_account::refuses_session(const settings::limit_settings& limits) const {
    if (sessions < limits.sessions_per_user) return std::nullopt;
    return refusal(*this, "sessions", limits.sessions_per_user, "limits.sessions_per_user");
}

std::optional<std::string> user_account::refuses_entity(const settings::limit_settings& limits) const {
    if (entities < limits.entities_per_user) return std::nullopt;
    return refusal(*this, "entities", limits.entities_per_user, "limits.entities_per_user");
}

std::shared_ptr<user_account> user_accounts::of(const user_identity& who) {
    auto& known = accounts_[who.identity()];
    if (auto account = known.lock()) return account;
    auto account = std::make_shared<user_account>();
    account->name = who.name;
    known = account;
    return account;
}

}  // namespace mbusd
