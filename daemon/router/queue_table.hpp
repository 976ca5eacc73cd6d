// All durable queues, by name; what sessions and the administrator ask of them.
//
//     auto reading = queues.attach(record, request);         // mode queue: makes or joins
//     queues.settle(record, attachment, job, outcome);
//     queues.connected(record);                              // a reader is back
//     queues.restore(kept);                                  // at the start, before the sessions
//
// One thread. The router and the journal outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "router/administration.hpp"
#include "router/durable_queue.hpp"
#include "router/sequence_blocks.hpp"

namespace mbusd {

class router;

// Handles of readers; those of entities have 32 bits, those of monitors begin at 2^32.
inline constexpr std::uint64_t reader_handles = std::uint64_t{1} << 40;

class queue_table final : private queue_owner {
public:
    queue_table(router& hub, journal& changes, sequence_blocks& blocks) : hub_(hub), changes_(changes), blocks_(blocks) {}
    queue_table(const queue_table&) = delete;
    queue_table& operator=(const queue_table&) = delete;

    void restore(store& kept);
    // Everything is restored: jobs that have had their tries go to NAME.dead.
    void restored();
    // Answers mbusd.queues, queue-peek, queue-purge and queue-remove.
    void add_requests(administration& to);

    mbus::result<mbus::mbws::attached> attach(session_record& record, const mbus::mbws::attach_request& request);
    // A reader of a restored session; its jobs follow.
    mbus::result<std::uint64_t> restore_reader(session_record& record, const mbus::mbws::attach_request& request, bool active);
    // False: the job has gone.
    bool restore_holder(std::string_view queue, std::uint64_t reader, std::uint64_t job);
    void detach(std::uint64_t reader);
    void settle(const mbus::mbws::attachment& reading, std::uint64_t job, mbus::mbws::job_outcome how);
    // A session that may read has a connection (again).
    void connected();

    void advance(std::uint64_t wall_ms);
    // Wall time of the next expiry; 0: none.
    [[nodiscard]] std::uint64_t next_expiry() const noexcept { return expiry_ms_; }

    [[nodiscard]] durable_queue* find(std::string_view name) noexcept;
    [[nodiscard]] std::size_t size() const noexcept { return queues_.size(); }
    // Removes a queue, its entity and its jobs; false: there is none.
    bool remove(std::string_view name);
    [[nodiscard]] std::vector<durable_queue*> all();

private:
    // queue_owner
    std::uint64_t wall_ms() override;
    mbus::mbws::time_point now() override;
    [[nodiscard]] const settings::queue_settings& limits() const override;
    session_record* session(std::uint64_t id) noexcept override;
    std::uint64_t next_job() override { return ++last_job_; }
    void touched(session_record& session) override;
    void bury(job_row job) override;
    [[nodiscard]] std::string_view problem() const override;
    void expires_at(std::uint64_t wall_ms) override;

    mbus::result<durable_queue*> make(const std::string& name, const mbus::address& asked,
                                      std::optional<queue_row> stored = std::nullopt);
    administration_outcome list(std::size_t from);
    administration_outcome peek(const mbus::value::list& arguments);
    administration_outcome purge(const mbus::value::list& arguments);
    administration_outcome remove_one(const mbus::value::list& arguments);
    administration_outcome no_such(const mbus::value::list& arguments) const;
    [[nodiscard]] std::size_t counted();
    durable_queue* named(const mbus::value::list& arguments);
    void kept_or_warn(const mbus::result<void>& read);

    router& hub_;
    journal& changes_;
    sequence_blocks& blocks_;
    std::unordered_map<std::string, std::unique_ptr<durable_queue>> queues_;
    std::uint64_t last_reader_ = reader_handles;
    std::uint64_t last_job_ = 0;
    std::uint64_t expiry_ms_ = 0;
};

// Without a store there are no queues: says why.
void refuse_queue_requests(administration& to);

}  // namespace mbusd
