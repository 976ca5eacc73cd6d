#include "store/client_rows.hpp"

#include <array>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace mbusd {
namespace {

constexpr store_statement put{
    "INSERT OR REPLACE INTO clients(name, token_hash, attach, send, may, created, expires) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)"};
constexpr store_statement drop{"DELETE FROM clients WHERE name = ?1"};
constexpr store_statement all{"SELECT name, token_hash, attach, send, may, created, expires FROM clients"};

using flag = bool rights_rule::*;
constexpr std::array<std::pair<std::string_view, flag>, 5> flags{{{"monitor", &rights_rule::monitor},
                                                                  {"administer", &rights_rule::administer},
                                                                  {"block", &rights_rule::block},
                                                                  {"durable", &rights_rule::durable},
                                                                  {"link", &rights_rule::link}}};

std::string lines_of(const std::vector<mbus::address>& patterns) {
    std::string out;
    for (const auto& one : patterns) out.append(one.text()).push_back('\n');
    return out;
}

// The next line of `text`, which loses it.
std::string_view next_line(std::string_view& text) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return line;
}

bool read_patterns(std::string_view text, std::vector<mbus::address>& into) {
    while (!text.empty()) {
        auto one = mbus::address::parse(next_line(text));
        if (!one) return false;
        into.push_back(std::move(*one));
    }
    return true;
}

std::string flags_of(const rights_rule& rights) {
    std::string out;
    for (const auto& [name, member] : flags) {
        if (rights.*member) out.append(name).push_back('\n');
    }
    return out;
}

bool read_flags(std::string_view text, rights_rule& into) {
    while (!text.empty()) {
        const auto word = next_line(text);
        bool known = false;
        for (const auto& [name, member] : flags) {
            if (word != name) continue;
            into.*member = true;
            known = true;
        }
        if (!known) return false;
    }
    return true;
}

}  // namespace

void put_client(transaction& to, const stored_client& client) {
    to.add(put, client.name, store_octets{client.token_hash}, lines_of(client.rights.attach), lines_of(client.rights.send),
           flags_of(client.rights), client.created_ms, client.expires_ms);
    drop_account(to, client.name);
    put_account(to, client.name, client.logins);
}

void drop_client(transaction& to, std::string_view name) {
    to.add(drop, name);
    drop_account(to, name);
}

mbus::result<void> load_clients(store& from, const std::function<void(stored_client&&)>& visit) {
    std::map<std::string, std::vector<stored_login>, std::less<>> logins;
    if (auto read = load_accounts(from, [&](std::string_view client, stored_login&& one) { logins[std::string{client}].push_back(std::move(one)); }); !read) {
        return read;
    }
    std::string faulty;
    auto read = from.load(all, [&](const store_row& row) {
        stored_client one{.name = std::string{row.text(0)}, .token_hash = std::string{row.octets(1)}, .rights = {},
                          .created_ms = row.number(5), .expires_ms = row.number(6), .logins = {}};
        if (read_patterns(row.text(2), one.rights.attach) && read_patterns(row.text(3), one.rights.send) &&
            read_flags(row.text(4), one.rights)) {
            if (const auto found = logins.find(one.name); found != logins.end()) one.logins = std::move(found->second);
            visit(std::move(one));
        } else {
            faulty = one.name;
        }
    });
    if (read && !faulty.empty()) {
        return {mbus::errc::internal, "the rights of client " + faulty + " can't be read; run: mbus client add --replace " + faulty};
    }
    return read;
}

}  // namespace mbusd
