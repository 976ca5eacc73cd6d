#include "store/session_rows.hpp"

#include <utility>

namespace mbusd {
namespace {

using mbus::mbws::outbox_entry;

constexpr store_statement put_one{
    "INSERT OR REPLACE INTO sessions(id, token_hash, uid, user, client, name, window, size, expiry, received, acknowledged, lost) "
    "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"};
constexpr store_statement drop_one{"DELETE FROM sessions WHERE id = ?1"};
constexpr store_statement drop_attaches{"DELETE FROM attaches WHERE session = ?1"};
constexpr store_statement drop_watches{"DELETE FROM watches WHERE session = ?1"};
constexpr store_statement drop_entries{"DELETE FROM entries WHERE session = ?1"};
constexpr store_statement drop_all_owed{"DELETE FROM owed WHERE session = ?1"};
constexpr store_statement set_lost{"UPDATE sessions SET lost = ?2 WHERE id = ?1"};
constexpr store_statement set_received{"UPDATE sessions SET received = ?2 WHERE id = ?1"};
constexpr store_statement set_acknowledged{"UPDATE sessions SET acknowledged = ?2 WHERE id = ?1"};
constexpr store_statement drop_acknowledged{"DELETE FROM entries WHERE session = ?1 AND number <= ?2"};
constexpr store_statement put_attach_row{
    "INSERT OR REPLACE INTO attaches(session, slot, request, mode, asked, has_entity, policy, type, commands, queue, entity, "
    "sequence, active) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"};
constexpr store_statement end_attach_row{"UPDATE attaches SET active = 0 WHERE session = ?1 AND slot = ?2"};
constexpr store_statement set_sequence{"UPDATE attaches SET sequence = ?3 WHERE session = ?1 AND slot = ?2"};
constexpr store_statement put_watch_row{"INSERT OR REPLACE INTO watches(session, slot, request, pattern) VALUES(?1, ?2, ?3, ?4)"};
constexpr store_statement drop_watch_row{"DELETE FROM watches WHERE session = ?1 AND slot = ?2"};
constexpr store_statement put_entry_row{
    "INSERT OR REPLACE INTO entries(session, number, verb, slot, flags, about, job, expires, fields, body) "
    "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"};
constexpr store_statement put_owed_row{"INSERT OR REPLACE INTO owed(session, number, receipt) VALUES(?1, ?2, ?3)"};
constexpr store_statement drop_owed_row{"DELETE FROM owed WHERE session = ?1 AND number = ?2"};

constexpr store_statement all_sessions{
    "SELECT id, token_hash, uid, user, client, name, window, size, expiry, received, acknowledged, lost FROM sessions"};
constexpr store_statement all_attaches{
    "SELECT session, slot, request, mode, asked, has_entity, policy, type, commands, queue, entity, sequence, active FROM attaches "
    "ORDER BY session, slot"};
constexpr store_statement all_watches{"SELECT session, slot, request, pattern FROM watches"};
constexpr store_statement all_entries{
    "SELECT session, number, verb, slot, flags, about, job, expires, fields, body FROM entries ORDER BY session, number"};
constexpr store_statement all_owed{"SELECT session, number, receipt FROM owed ORDER BY session, number"};

// Column `flags` of entries.
constexpr std::uint64_t reliable_flag = 1;
constexpr std::uint64_t settles_flag = 2;
constexpr std::uint64_t monitor_flag = 4;
constexpr std::uint64_t redelivered_flag = 8;
constexpr std::uint64_t withdrawn_flag = 16;

std::uint64_t flags_of(const outbox_entry& entry) noexcept {
    return (entry.content->reliable() ? reliable_flag : 0) | (entry.settles ? settles_flag : 0) |
           (entry.monitor ? monitor_flag : 0) | (entry.redelivered ? redelivered_flag : 0) |
           (entry.withdrawn ? withdrawn_flag : 0);
}

std::uint32_t narrow(const store_row& row, int column) noexcept { return static_cast<std::uint32_t>(row.integer(column)); }

}  // namespace

void put_session(transaction& to, const session_row& s) {
    to.add(put_one, s.id, store_octets{s.token_hash}, s.uid, s.user, s.client, s.name, s.window, s.size, s.expiry,
           s.received, s.acknowledged, s.lost_ms);
}

void drop_session(transaction& to, std::uint64_t id) {
    for (const auto* each : {&drop_one, &drop_attaches, &drop_watches, &drop_entries, &drop_all_owed}) to.add(*each, id);
}

void put_session_lost(transaction& to, std::uint64_t id, std::uint64_t lost_ms) { to.add(set_lost, id, lost_ms); }

void put_received(transaction& to, std::uint64_t session, std::uint64_t number) { to.add(set_received, session, number); }

void put_acknowledged(transaction& to, std::uint64_t session, std::uint64_t number) {
    to.add(set_acknowledged, session, number);
    to.add(drop_acknowledged, session, number);
}

void put_attach(transaction& to, const attach_row& a) {
    to.add(put_attach_row, a.session, a.asked.slot, a.asked.request, static_cast<std::uint32_t>(a.asked.mode),
           a.asked.entity.text(), a.asked.has_entity, static_cast<std::uint32_t>(a.asked.policy), a.asked.type,
           a.asked.commands, a.asked.queue, a.entity.text(), a.sequence, a.active);
}

void end_attach(transaction& to, std::uint64_t session, std::uint32_t slot) { to.add(end_attach_row, session, slot); }

void put_attach_sequence(transaction& to, std::uint64_t session, std::uint32_t slot, std::uint32_t sequence) {
    to.add(set_sequence, session, slot, sequence);
}

void put_watch(transaction& to, std::uint64_t session, const mbus::mbws::watch_request& asked) {
    to.add(put_watch_row, session, asked.slot, asked.request, asked.pattern.text());
}

void drop_watch(transaction& to, std::uint64_t session, std::uint32_t slot) { to.add(drop_watch_row, session, slot); }

void put_entry(transaction& to, std::uint64_t session, const outbox_entry& entry, std::uint64_t expires_ms) {
    // The message itself belongs to the caller's thread.
    const auto octets = entry.content->copy();
    const std::string_view all{*octets};
    const auto fields = entry.content->fields().size();
    to.add(put_entry_row, session, entry.number, static_cast<std::uint32_t>(entry.content->verb()), entry.slot, flags_of(entry),
           entry.job() == 0 ? entry.about : 0, entry.job(), expires_ms, shared_octets{octets, all.substr(0, fields)},
           shared_octets{octets, all.substr(fields)});
}

void put_owed(transaction& to, std::uint64_t session, std::uint64_t number, bool receipt) {
    to.add(put_owed_row, session, number, receipt);
}

void drop_owed(transaction& to, std::uint64_t session, std::uint64_t number) { to.add(drop_owed_row, session, number); }

mbus::result<void> load_sessions(store& from, const std::function<void(session_row&&)>& visit) {
    return from.load(all_sessions, [&](const store_row& row) {
        visit({.id = row.number(0), .token_hash = std::string{row.octets(1)}, .uid = narrow(row, 2),
               .user = std::string{row.text(3)}, .client = std::string{row.text(4)}, .name = std::string{row.text(5)},
               .window = narrow(row, 6), .size = narrow(row, 7), .expiry = narrow(row, 8), .received = row.number(9),
               .acknowledged = row.number(10), .lost_ms = row.number(11)});
    });
}

mbus::result<void> load_attaches(store& from, const std::function<void(attach_row&&)>& visit) {
    return from.load(all_attaches, [&](const store_row& row) {
        auto asked = mbus::address::parse(row.text(4));
        auto entity = mbus::address::parse(row.text(10));
        if (!asked || !entity) return;  // written by us, so never
        attach_row out;
        out.session = row.number(0);
        out.asked.slot = narrow(row, 1);
        out.asked.request = narrow(row, 2);
        out.asked.mode = static_cast<mbus::mbws::attach_mode>(row.integer(3));
        out.asked.entity = std::move(*asked);
        out.asked.has_entity = row.flag(5);
        out.asked.policy = static_cast<mbus::mbws::reader_policy>(row.integer(6));
        out.asked.type = row.text(7);
        out.asked.commands = row.text(8);
        out.asked.queue = row.text(9);
        out.entity = std::move(*entity);
        out.sequence = narrow(row, 11);
        out.active = row.flag(12);
        visit(std::move(out));
    });
}

mbus::result<void> load_watches(store& from, const std::function<void(watch_row&&)>& visit) {
    return from.load(all_watches, [&](const store_row& row) {
        auto pattern = mbus::address::parse(row.text(3));
        if (pattern) visit({row.number(0), {narrow(row, 1), narrow(row, 2), std::move(*pattern), false}});
    });
}

mbus::result<void> load_entries(store& from, const std::function<void(entry_row&&)>& visit) {
    return from.load(all_entries, [&](const store_row& row) {
        entry_row out;
        const auto flags = row.number(4);
        out.session = row.number(0);
        out.entry.number = row.number(1);
        out.entry.slot = narrow(row, 3);
        out.entry.about = row.number(5);
        if (const auto job = row.number(6); job != 0) out.entry.set_job(job);
        out.entry.settles = (flags & settles_flag) != 0;
        out.entry.monitor = (flags & monitor_flag) != 0;
        out.entry.redelivered = (flags & redelivered_flag) != 0;
        out.entry.withdrawn = (flags & withdrawn_flag) != 0;
        out.entry.content = mbus::mbws::prepared_message::restored(static_cast<mbus::mbws::verb>(row.integer(2)), row.octets(8),
                                                                   row.octets(9), (flags & reliable_flag) != 0);
        out.expires_ms = row.number(7);
        visit(std::move(out));
    });
}

mbus::result<void> load_owed(store& from, const std::function<void(std::uint64_t, std::uint64_t, bool)>& visit) {
    return from.load(all_owed, [&](const store_row& row) { visit(row.number(0), row.number(1), row.flag(2)); });
}

}  // namespace mbusd
