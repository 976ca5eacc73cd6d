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

granted_rights rights_table::granted_to(const user_identity& user) const {
    granted_rights out;
    out.user_ = user.name;
    out.everything_ = user.owner;
    for (const auto& rule : rules_) {
        if (!rule.attach.empty() || !rule.send.empty()) note_group(out.users_group_, rule);
        if (rule.monitor) note_group(out.monitor_group_, rule);
        if (rule.administer) note_group(out.admin_group_, rule);
        if (rule.block) note_group(out.block_group_, rule);
        if (!rule.fits(user)) continue;
        append(out.attach_, rule.attach);
        append(out.send_, rule.send);
        out.monitor_ |= rule.monitor;
        out.administer_ |= rule.administer;
        out.block_ |= rule.block;
        out.durable_ |= rule.durable;
    }
    out.sends_anywhere_ = std::ranges::any_of(out.send_, [](const auto& pattern) { return pattern.empty(); });
    return out;
}

granted_rights granted_rights::all(std::string user) {
    granted_rights out;
    out.user_ = std::move(user);
    out.everything_ = true;
    return out;
}

std::string granted_rights::refusal(std::string_view what, std::string_view group) const {
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

std::optional<std::string> granted_rights::refuses_connect() const {
    if (everything_ || !attach_.empty() || !send_.empty() || monitor_ || administer_) return std::nullopt;
    return refusal(users_group_.empty() ? "use the bus" : "", users_group_);
}

std::optional<std::string> granted_rights::refuses_attach(const mbus::address& entity) const {
    if (everything_ || any_within(attach_, entity)) return std::nullopt;
    if (attach_.empty()) return refusal("attach entities", users_group_);
    return "refused: user " + user_ + " may attach only addresses that contain " + listed(attach_) +
           "; use one of these, or extend 'attach' in [[rights]] of mbusd.toml";
}

std::optional<std::string> granted_rights::refuses_send(const mbus::address& destination) const {
    if (sends_anywhere() || any_within(send_, destination)) return std::nullopt;
    if (send_.empty()) return refusal("send", users_group_);
    return "refused: user " + user_ + " may send only to addresses that contain " + listed(send_) +
           "; use one of these, or extend 'send' in [[rights]] of mbusd.toml";
}

std::optional<std::string> granted_rights::refuses_monitor() const {
    if (everything_ || monitor_) return std::nullopt;
    return refusal("monitor", monitor_group_);
}

std::optional<std::string> granted_rights::refuses_administer() const {
    if (everything_ || administer_) return std::nullopt;
    return refusal("administer", admin_group_);
}

std::optional<std::string> granted_rights::refuses_block() const {
    if (everything_ || block_) return std::nullopt;
    return refusal("use the policy 'block'", block_group_);
}

}  // namespace mbusd
