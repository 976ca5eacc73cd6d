#include "store/queue_rows.hpp"

#include <utility>

namespace mbusd {
namespace {

constexpr store_statement put_one{"INSERT OR REPLACE INTO queues(name, asked, entity, sequence) VALUES(?1, ?2, ?3, ?4)"};
constexpr store_statement set_sequence{"UPDATE queues SET sequence = ?2 WHERE name = ?1"};
constexpr store_statement drop_one{"DELETE FROM queues WHERE name = ?1"};
constexpr store_statement drop_jobs{"DELETE FROM jobs WHERE queue = ?1"};
constexpr store_statement put_job_row{
    "INSERT OR REPLACE INTO jobs(id, queue, tries, added, expires, dest, source, type, first_command, time, reliable, body) "
    "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"};
constexpr store_statement set_tries{"UPDATE jobs SET tries = ?2 WHERE id = ?1"};
constexpr store_statement move_row{"UPDATE jobs SET id = ?2, queue = ?3, tries = 0 WHERE id = ?1"};
constexpr store_statement drop_job_row{"DELETE FROM jobs WHERE id = ?1"};
constexpr store_statement all_queues{"SELECT name, asked, entity, sequence FROM queues"};
constexpr store_statement all_jobs{
    "SELECT id, queue, tries, added, expires, dest, source, type, first_command, time, reliable, body FROM jobs ORDER BY id"};

}  // namespace

void put_queue(transaction& to, const queue_row& queue) {
    to.add(put_one, queue.name, queue.asked.text(), queue.entity.text(), queue.sequence);
}

void put_queue_sequence(transaction& to, std::string_view name, std::uint32_t sequence) { to.add(set_sequence, name, sequence); }

void drop_queue(transaction& to, std::string_view name) {
    to.add(drop_one, name);
    to.add(drop_jobs, name);
}

void put_job(transaction& to, const job_row& job) {
    const auto& what = *job.content;
    to.add(put_job_row, job.id, job.queue, job.tries, job.added_ms, job.expires_ms, what.to, what.from, what.type,
           what.first_command, what.time, what.reliable, shared_octets{job.content, what.body});
}

void put_job_tries(transaction& to, std::uint64_t id, std::uint32_t tries) { to.add(set_tries, id, tries); }

void move_job(transaction& to, std::uint64_t id, std::uint64_t new_id, std::string_view queue) {
    to.add(move_row, id, new_id, queue);
}

void drop_job(transaction& to, std::uint64_t id) { to.add(drop_job_row, id); }

mbus::result<void> load_queues(store& from, const std::function<void(queue_row&&)>& visit) {
    return from.load(all_queues, [&](const store_row& row) {
        auto asked = mbus::address::parse(row.text(1));
        auto entity = mbus::address::parse(row.text(2));
        if (!asked || !entity) return;  // written by us, so never
        visit({.name = std::string{row.text(0)}, .asked = std::move(*asked), .entity = std::move(*entity),
               .sequence = static_cast<std::uint32_t>(row.integer(3))});
    });
}

mbus::result<void> load_jobs(store& from, const std::function<void(job_row&&)>& visit) {
    return from.load(all_jobs, [&](const store_row& row) {
        auto content = std::make_shared<job_content>();
        content->to = row.text(5);
        content->from = row.text(6);
        content->type = row.text(7);
        content->first_command = row.text(8);
        content->time = row.number(9);
        content->reliable = row.flag(10);
        content->body = row.octets(11);
        visit({.id = row.number(0), .queue = std::string{row.text(1)}, .tries = static_cast<std::uint32_t>(row.integer(2)),
               .added_ms = row.number(3), .expires_ms = row.number(4), .content = std::move(content)});
    });
}

}  // namespace mbusd
