#include "clients/client_requests.hpp"

#include <array>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "config/client_token.hpp"
#include "sasl/scram.hpp"

namespace mbusd {
namespace {

using mbus::errc;
using mbus::value;
using outcome = administration_outcome;

constexpr std::uint64_t ms_per_second = 1000;
// A hundred years: beyond it somebody has mixed up the units.
constexpr std::int64_t expiry_seconds_max = std::int64_t{100} * 366 * 24 * 3600;

// Made by the tool; a value far beyond it would keep the daemon busy at each login.
constexpr std::int64_t iterations_max = 1'000'000;
constexpr std::size_t salt_octets_min = 8;
constexpr std::size_t salt_octets_max = 64;

using flag = bool rights_rule::*;
constexpr std::array<std::pair<std::string_view, flag>, 5> flags{{{"monitor", &rights_rule::monitor},
                                                                  {"administer", &rights_rule::administer},
                                                                  {"block", &rights_rule::block},
                                                                  {"durable", &rights_rule::durable},
                                                                  {"link", &rights_rule::link}}};

value pair(std::string_view key, value what) { return value::list{value{key}, std::move(what)}; }

outcome refused(errc code, std::string text) { return {.ok = false, .text = std::move(text), .code = code}; }

value::list texts_of(const std::vector<mbus::address>& patterns) {
    value::list out;
    for (const auto& each : patterns) out.emplace_back(each.text());
    return out;
}

outcome listed(const client_table& clients, const value::list& arguments) {
    value::list rows;
    clients.for_each([&](const stored_client& each) {
        value::list row{pair("name", each.name), pair("attach", texts_of(each.rights.attach)),
                        pair("send", texts_of(each.rights.send))};
        for (const auto& [name, member] : flags) row.push_back(pair(name, each.rights.*member));
        row.push_back(pair("created-ms", static_cast<std::int64_t>(each.created_ms)));
        row.push_back(pair("kind", std::string{each.logins.empty() ? "token" : "xmpp"}));
        row.push_back(pair("expires-ms", static_cast<std::int64_t>(each.expires_ms)));
        rows.emplace_back(std::move(row));
    });
    return {.ok = true, .results = answer_page(std::move(rows), answer_offset(arguments, 0), "clients")};
}

std::optional<std::string> text_at(const value::list& arguments, std::size_t index) {
    const auto* text = index < arguments.size() ? arguments[index].get_if<std::string>() : nullptr;
    return text == nullptr ? std::nullopt : std::optional{*text};
}

bool read_patterns(const value& from, std::vector<mbus::address>& into) {
    const auto* list = from.get_if<value::list>();
    if (list == nullptr) return false;
    for (const auto& each : *list) {
        const auto* text = each.get_if<std::string>();
        auto one = text == nullptr ? mbus::result<mbus::address>{errc::bad_address, ""} : mbus::address::parse(*text);
        if (!one) return false;
        into.push_back(std::move(*one));
    }
    return true;
}

bool fits_scram(const stored_login& one) {
    const std::size_t key_octets = one.mechanism == "SCRAM-SHA-1" ? 20 : 32;
    return (one.mechanism == "SCRAM-SHA-1" || one.mechanism == "SCRAM-SHA-256") && one.iterations >= scram_iterations_min &&
           one.iterations <= iterations_max && one.salt.size() >= salt_octets_min && one.salt.size() <= salt_octets_max &&
           one.stored_key.size() == key_octets && one.server_key.size() == key_octets;
}

// (("SCRAM-SHA-1" 10000 <salt> <stored key> <server key>) ("SCRAM-SHA-256" ...)): both, each once.
bool read_logins(const value& from, std::vector<stored_login>& into) {
    const auto* list = from.get_if<value::list>();
    if (list == nullptr || list->size() != 2) return false;
    for (const auto& each : *list) {
        const auto* parts = each.get_if<value::list>();
        if (parts == nullptr || parts->size() != 5) return false;
        const auto* mechanism = parts->at(0).get_if<std::string>();
        const auto* iterations = parts->at(1).get_if<std::int64_t>();
        const auto* salt = parts->at(2).get_if<mbus::data>();
        const auto* stored = parts->at(3).get_if<mbus::data>();
        const auto* server = parts->at(4).get_if<mbus::data>();
        if (mechanism == nullptr || iterations == nullptr || salt == nullptr || stored == nullptr || server == nullptr) return false;
        if (*iterations < 0 || *iterations > iterations_max) return false;
        into.push_back({.mechanism = *mechanism, .iterations = static_cast<std::uint32_t>(*iterations), .salt = std::string{salt->view()},
                        .stored_key = std::string{stored->view()}, .server_key = std::string{server->view()}});
        if (!fits_scram(into.back())) return false;
    }
    return into.front().mechanism != into.back().mechanism;
}

struct addition {
    stored_client client{};
    bool replace = false;
};

// One pair of the options. What is not understood is refused: it may have been meant to limit.
mbus::result<void> read_option(const value& option, std::uint64_t now_ms, addition& into) {
    const auto* both = option.get_if<value::list>();
    const auto* key = both != nullptr && both->size() == 2 ? both->front().get_if<std::string>() : nullptr;
    if (key == nullptr) return {errc::bad_argument, "an option of client-add is a list of two, (\"monitor\" 1) for instance"};
    const auto& given = both->back();
    const auto* number = given.get_if<std::int64_t>();
    bool fine = number != nullptr && (*number == 0 || *number == 1);
    if (*key == "attach") {
        fine = read_patterns(given, into.client.rights.attach);
    } else if (*key == "send") {
        fine = read_patterns(given, into.client.rights.send);
    } else if (*key == "expires-seconds") {
        fine = number != nullptr && *number > 0 && *number <= expiry_seconds_max;
        if (fine) into.client.expires_ms = now_ms + static_cast<std::uint64_t>(*number) * ms_per_second;
    } else if (*key == "xmpp") {
        fine = into.client.logins.empty() && read_logins(given, into.client.logins);
    } else if (*key == "replace") {
        if (fine) into.replace = *number == 1;
    } else {
        bool known = false;
        for (const auto& [name, member] : flags) {
            if (*key != name) continue;
            known = true;
            if (fine) into.client.rights.*member = *number == 1;
        }
        if (!known) return {errc::bad_argument, fmt::format("client-add has no option '{}'; tool and daemon may differ in version", *key)};
    }
    if (!fine) return {errc::bad_argument, fmt::format("the value of '{}' is none that client-add takes", *key)};
    return {};
}

mbus::result<addition> read_addition(const value::list& arguments, std::uint64_t now_ms) {
    addition out;
    const auto name = text_at(arguments, 0);
    const auto digits = text_at(arguments, 1);
    if (!name || !digits || arguments.size() > 3) {
        return {errc::bad_argument, "client-add takes a name, the hash of the token and a list of options"};
    }
    out.client.name = *name;
    out.client.created_ms = now_ms;
    if (arguments.size() == 3) {
        const auto* options = arguments[2].get_if<value::list>();
        if (options == nullptr) return {errc::bad_argument, "the options of client-add are a list"};
        for (const auto& each : *options) {
            if (auto read = read_option(each, now_ms, out); !read) return read.error();
        }
    }
    const bool account = !out.client.logins.empty();
    auto hash = account && digits->empty() ? std::optional{hash_of_no_token(*name)} : hash_from_hex(*digits);
    if (account && !digits->empty()) return {errc::bad_argument, "a client has a token or a password; leave the hash of the token empty"};
    if (!hash) return {errc::bad_argument, "the hash of a token is BLAKE2b-256, written as 64 hexadecimal digits"};
    out.client.token_hash = std::move(*hash);
    return out;
}

// An answer that waits for the disk.
outcome when_stored(std::function<void(client_table::done_function)> start) {
    outcome out;
    out.later = [start = std::move(start)](std::function<void(outcome)> reply) {
        start([reply = std::move(reply)](const mbus::result<void>& done) {
            reply(done ? outcome{.ok = true} : refused(done.error().code, done.error().text));
        });
    };
    return out;
}

}  // namespace

void add_client_requests(administration& to, client_table& clients, client_table::clock_function wall_ms) {
    to.add_part("clients", [&clients](const value::list& arguments, const granted_rights& rights) {
        if (auto no = rights.refuses_administer()) return refused(errc::forbidden, std::move(*no));
        return listed(clients, arguments);
    });
    to.add_part("client-add", [&clients, now = std::move(wall_ms)](const value::list& arguments, const granted_rights& rights) {
        if (auto no = rights.refuses_administer()) return refused(errc::forbidden, std::move(*no));
        auto wanted = read_addition(arguments, now());
        if (!wanted) return refused(wanted.error().code, wanted.error().text);
        return when_stored([&clients, what = std::move(*wanted)](client_table::done_function done) {
            clients.add(what.client, what.replace, std::move(done));
        });
    });
    to.add_part("client-remove", [&clients](const value::list& arguments, const granted_rights& rights) {
        if (auto no = rights.refuses_administer()) return refused(errc::forbidden, std::move(*no));
        const auto name = text_at(arguments, 0);
        if (!name || arguments.size() != 1) return refused(errc::bad_argument, "client-remove takes the name of a client");
        return when_stored([&clients, whose = *name](client_table::done_function done) { clients.remove(whose, std::move(done)); });
    });
}

}  // namespace mbusd
