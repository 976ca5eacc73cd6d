// The tables of queues and their jobs (docs/mbws.md, section 4).
//
//     transaction changes;
//     put_job(changes, job);
//     load_jobs(kept, [&](job_row&& one) { ... });
//
// Thread-safety: plain values; load_...() like store::load().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <mbus/address.hpp>

#include "store/store.hpp"

namespace mbusd {

struct queue_row {
    std::string name;
    mbus::address asked;         // the entity as the first reader asked for it
    mbus::address entity;        // in full
    std::uint32_t sequence = 0;  // first SeqNum that the entity did not use for sure
};

// What a message in a queue says.
struct job_content {
    std::string to;
    std::string from;
    std::string type;  // empty: commands
    std::string body;
    std::string first_command;  // of a command body
    std::uint64_t time = 0;     // ms since 1970
    bool reliable = false;
};

struct job_row {
    std::uint64_t id = 0;  // rises: the order in the queue
    std::string queue;
    std::uint32_t tries = 0;       // deliveries to readers, the one under way included
    std::uint64_t added_ms = 0;    // since 1970
    std::uint64_t expires_ms = 0;  // by its ttl; 0: never
    std::shared_ptr<const job_content> content;
};

void put_queue(transaction& to, const queue_row& queue);
void put_queue_sequence(transaction& to, std::string_view name, std::uint32_t sequence);
void drop_queue(transaction& to, std::string_view name);  // with its jobs
void put_job(transaction& to, const job_row& job);
void put_job_tries(transaction& to, std::uint64_t id, std::uint32_t tries);
// It is the last one of another queue now.
void move_job(transaction& to, std::uint64_t id, std::uint64_t new_id, std::string_view queue);
void drop_job(transaction& to, std::uint64_t id);

mbus::result<void> load_queues(store& from, const std::function<void(queue_row&&)>& visit);
// By id.
mbus::result<void> load_jobs(store& from, const std::function<void(job_row&&)>& visit);

}  // namespace mbusd
