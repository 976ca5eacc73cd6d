#include "config/rights.hpp"

#include <algorithm>
#include <utility>

#include <mbus/command.hpp>

namespace mbusd {
namespace {

bool any_fits(const std::vector<std::string>& globs, std::string_view name) noexcept {
    return std::ranges::any_of(globs, [&](const auto& glob) { return mbus::glob_matches(glob, name); });
}

bool any_within(const std::vector<mbus::address>& patterns, const mbus::address& whole) noexcept {
    return std::ranges::any_of(patterns, [&](const auto& pattern) { return whole.answers_to(pattern); });
}

void append(std::vector<mbus::address>& to, const std::vector<mbus::address>& from) {
    to.insert(to.end(), from.begin(), from.end());
}

// The first group that can be named in a remedy: patterns can't be joined.
void note_group(std::string& into, const rights_rule& rule) {
    if (!into.empty()) return;
    for (const auto& group : rule.groups) {
        if (group.find_first_of("*?,") != std::string::npos) continue;
        into = group;
        return;
    }
}

std::string listed(const std::vector<mbus::address>& patterns) {
    std::string out;
    for (const auto& pattern : patterns) {
        if (!out.empty()) out += ", ";
        out += pattern.text();
    }
    return out;
}

}  // namespace

bool rights_rule::fits(const user_identity& user) const noexcept {
    // The name of a token is no name of a user: ["*"] in users lets in nobody from elsewhere.
    if (!user.client.empty()) return any_fits(clients, user.client);
    if (any_fits(users, user.name) || any_fits(users, std::to_string(user.uid))) return true;
    return std::ranges::any_of(user.groups, [&](const auto& group) { return any_fits(groups, group); });
}

rights_table rights_table::standard() {
    rights_rule users;
    users.groups = {"mbus-users"};
    users.attach = {mbus::address{}};
    users.send = {mbus::address{}};
    rights_rule administrators = users;
    administrators.groups = {"mbus-admin"};
    administrators.monitor = true;
    administrators.administer = true;
    administrators.block = true;
    return rights_table{{std::move(users), std::move(administrators)}};
}

void rights_table::add(granted_rights& to, const rights_rule& rule) {
    append(to.attach_, rule.attach);
    append(to.send_, rule.send);
    to.monitor_ |= rule.monitor;
    to.administer_ |= rule.administer;
    to.block_ |= rule.block;
    to.durable_ |= rule.durable;
    to.link_ |= rule.link;
    to.sends_anywhere_ |= std::ranges::any_of(rule.send, [](const auto& pattern) { return pattern.empty(); });
}

granted_rights rights_table::granted_to(const user_identity& user) const {
    granted_rights out;
    out.user_ = user.name;
    out.client_ = user.client;
    out.everything_ = user.owner;
    for (const auto& rule : rules_) {
        if (!rule.attach.empty() || !rule.send.empty()) note_group(out.users_group_, rule);
        if (rule.monitor) note_group(out.monitor_group_, rule);
        if (rule.administer) note_group(out.admin_group_, rule);
        if (rule.block) note_group(out.block_group_, rule);
        if (rule.fits(user)) add(out, rule);
    }
    return out;
}

granted_rights rights_table::granted_to(const user_identity& client, const rights_rule& own) const {
    auto out = granted_to(client);
    add(out, own);
    return out;
}

granted_rights granted_rights::all(std::string user) {
    granted_rights out;
    out.user_ = std::move(user);
    out.everything_ = true;
    return out;
}

std::string granted_rights::refusal(std::string_view what, std::string_view group, std::string_view key) const {
    if (!client_.empty()) return client_refusal(what, key);
    std::string out = "refused: user " + user_;
    if (group.empty()) {
        out += " may not " + std::string{what} + "; no [[rights]] rule of mbusd.toml grants that to a group, add one";
        return out;
    }
    out += " is not in group " + std::string{group};
    if (!what.empty()) out += ", which may " + std::string{what};
    out += "; run: sudo adduser " + user_ + ' ' + std::string{group} + ", and log in again";
    return out;
}

std::string granted_rights::client_refusal(std::string_view what, std::string_view key) const {
    const bool pattern = key == "attach" || key == "send";
    std::string out = "refused: client " + client_ + " may not " + std::string{what.empty() ? "use the bus" : what};
    out += "; give it a [[rights]] rule of mbusd.toml with clients = [\"" + client_ + "\"] and " + std::string{key};
    out += pattern ? " = [\"()\"]" : " = true";
    out += ", or add it anew: mbus client add " + client_ + " --replace --" + std::string{key};
    if (pattern) out += " '()'";
    out += " (an XMPP account with --xmpp)";
    return out;
}

std::string granted_rights::more(std::string_view key) const {
    if (client_.empty()) return "extend '" + std::string{key} + "' in [[rights]] of mbusd.toml";
    return "add a [[rights]] rule to mbusd.toml with clients = [\"" + client_ + "\"] and " + std::string{key} + " = [...]";
}

std::optional<std::string> granted_rights::refuses_connect() const {
    if (everything_ || !attach_.empty() || !send_.empty() || monitor_ || administer_ || link_) return std::nullopt;
    return refusal(users_group_.empty() ? "use the bus" : "", users_group_, "attach");
}

std::optional<std::string> granted_rights::refuses_attach(const mbus::address& entity) const {
    if (everything_ || any_within(attach_, entity)) return std::nullopt;
    if (attach_.empty()) return refusal("attach entities", users_group_, "attach");
    return "refused: " + subject() + " may attach only addresses that contain " + listed(attach_) + "; use one of these, or " +
           more("attach");
}

std::optional<std::string> granted_rights::refuses_send(const mbus::address& destination) const {
    if (sends_anywhere() || any_within(send_, destination)) return std::nullopt;
    if (send_.empty()) return refusal("send", users_group_, "send");
    return "refused: " + subject() + " may send only to addresses that contain " + listed(send_) + "; use one of these, or " +
           more("send");
}

std::optional<std::string> granted_rights::refuses_monitor() const {
    if (everything_ || monitor_) return std::nullopt;
    return refusal("monitor", monitor_group_, "monitor");
}

std::optional<std::string> granted_rights::refuses_administer() const {
    if (everything_ || administer_) return std::nullopt;
    return refusal("administer", admin_group_, "administer");
}

std::optional<std::string> granted_rights::refuses_link() const {
    if (link()) return std::nullopt;
    return refusal("link daemons", {}, "link");
}

std::optional<std::string> granted_rights::refuses_block() const {
    if (everything_ || block_) return std::nullopt;
    return refusal("use the policy 'block'", block_group_, "block");
}

}  // namespace mbusd
