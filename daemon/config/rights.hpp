// Who may do what: the rules of [[rights]] in mbusd.toml, and what they grant to one user or token.
//
//     auto mine = table.granted_to(user);
//     if (auto no = mine.refuses_attach(address)) answer_nak(*no);
//
// Rights of all rules that fit a user add up; nothing is taken away. Root and the user the daemon
// runs as have every right without a rule. A token has rights of its own, and those of the rules that
// name it.
//
// Thread-safety: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mbus/address.hpp>

namespace mbusd {

// Who is at the other end: a user of this host, as the kernel says (SO_PEERCRED, SO_PEERGROUPS), with
// names looked up; or a client that has shown a token.
struct user_identity {
    std::string client{};              // name of the token; empty: a user of this host
    std::uint32_t uid = 0;
    std::uint32_t pid = 0;             // 0: unknown (another pid namespace)
    std::string name;                  // the number in decimal where no name exists
    std::vector<std::string> groups;   // names or decimal numbers
    bool owner = false;                // root, or the user that the daemon runs as

    // The same for all connections of one user or token: "uid:1000", "client:ui".
    [[nodiscard]] std::string identity() const {
        return client.empty() ? "uid:" + std::to_string(uid) : "client:" + client;
    }
};

// One [[rights]] entry.
struct rights_rule {
    std::vector<std::string> users;    // globs on user names
    std::vector<std::string> groups;   // globs on group names
    std::vector<std::string> clients;  // globs on names of tokens ('mbus client add'); no user fits these
    std::vector<mbus::address> attach; // an entity may be attached if it contains one of these
    std::vector<mbus::address> send;   // a destination must contain one of these
    bool monitor = false;
    bool administer = false;
    bool block = false;                // slow-reader policy `block`
    bool durable = false;              // sessions that survive a restart of the daemon
    bool link = false;                 // sessions between brokers

    bool operator==(const rights_rule&) const = default;
    [[nodiscard]] bool fits(const user_identity& user) const noexcept;
};

// What one user may do, worked out once per connection.
class granted_rights {
public:
    // Each returns nothing when allowed, else the sentence for the one who asked.
    [[nodiscard]] std::optional<std::string> refuses_connect() const;
    [[nodiscard]] std::optional<std::string> refuses_attach(const mbus::address& entity) const;
    [[nodiscard]] std::optional<std::string> refuses_send(const mbus::address& destination) const;
    [[nodiscard]] std::optional<std::string> refuses_monitor() const;
    [[nodiscard]] std::optional<std::string> refuses_administer() const;
    [[nodiscard]] std::optional<std::string> refuses_block() const;
    [[nodiscard]] std::optional<std::string> refuses_link() const;

    // True when refuses_send() allows every destination: the hot path asks this first.
    [[nodiscard]] bool sends_anywhere() const noexcept { return everything_ || sends_anywhere_; }
    [[nodiscard]] bool durable() const noexcept { return everything_ || durable_; }
    [[nodiscard]] bool link() const noexcept { return everything_ || link_; }
    [[nodiscard]] const std::string& user() const noexcept { return user_; }

    // Every right, for the daemon's own use and for tests.
    static granted_rights all(std::string user);

private:
    friend class rights_table;
    [[nodiscard]] std::string refusal(std::string_view what, std::string_view group, std::string_view key) const;
    [[nodiscard]] std::string client_refusal(std::string_view what, std::string_view key) const;
    [[nodiscard]] std::string more(std::string_view key) const;
    [[nodiscard]] std::string subject() const { return client_.empty() ? "user " + user_ : "client " + client_; }

    std::string user_;
    std::string client_;  // name of the token; empty: a user of this host
    // Groups of the rules that would have granted each right, for the sentence.
    std::string users_group_;
    std::string monitor_group_;
    std::string admin_group_;
    std::string block_group_;
    std::vector<mbus::address> attach_;
    std::vector<mbus::address> send_;
    bool everything_ = false;
    bool sends_anywhere_ = false;
    bool monitor_ = false;
    bool administer_ = false;
    bool block_ = false;
    bool durable_ = false;
    bool link_ = false;
};

class rights_table {
public:
    rights_table() = default;
    explicit rights_table(std::vector<rights_rule> rules) : rules_(std::move(rules)) {}

    // Without any [[rights]]: group mbus-users attaches and sends; group mbus-admin also monitors,
    // administers and may choose the policy `block`.
    static rights_table standard();

    [[nodiscard]] granted_rights granted_to(const user_identity& user) const;
    // What the rules that name a client grant, and what its token does.
    [[nodiscard]] granted_rights granted_to(const user_identity& client, const rights_rule& own) const;
    [[nodiscard]] const std::vector<rights_rule>& rules() const noexcept { return rules_; }

    bool operator==(const rights_table&) const = default;

private:
    static void add(granted_rights& to, const rights_rule& rule);

    std::vector<rights_rule> rules_;
};

}  // namespace mbusd
