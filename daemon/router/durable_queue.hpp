// One durable queue: an entity of its own whose messages are jobs, each for one of several readers
// (docs/mbws.md, section 4 "Queue"). queue_table makes it and passes everything on to it.
//
// A job is waiting, or with one reader: assigned (its try is being stored) and then handed over, until it
// is acknowledged (gone), refused or returned (waiting again, before all newer ones). One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.hpp"
#include "mbws/broker_session.hpp"
#include "router/journal.hpp"
#include "router/participant.hpp"
#include "router/session_table.hpp"
#include "store/queue_rows.hpp"

namespace mbusd {

// Then a job goes to the queue NAME.dead.
inline constexpr std::uint32_t job_tries_max = 5;
inline constexpr std::string_view dead_suffix = ".dead";
// A reader whose session is full is asked again after that, or when it settles a job.
inline constexpr std::uint64_t full_reader_ms = 100;

struct queue_counters {
    std::uint64_t added = 0;
    std::uint64_t done = 0;
    std::uint64_t redelivered = 0;
    std::uint64_t dead = 0;       // moved to NAME.dead
    std::uint64_t expired = 0;    // ttl or queues.age_seconds
    std::uint64_t refused = 0;    // no room: reliable ones, whose senders know
    std::uint64_t dropped = 0;    // no room: unreliable ones
    std::uint64_t purged = 0;
};

class durable_queue;

// What a queue asks of the daemon.
class queue_owner {
public:
    [[nodiscard]] virtual std::uint64_t wall_ms() = 0;
    [[nodiscard]] virtual mbus::mbws::time_point now() = 0;
    [[nodiscard]] virtual const settings::queue_settings& limits() const = 0;
    [[nodiscard]] virtual session_record* session(std::uint64_t id) noexcept = 0;
    [[nodiscard]] virtual std::uint64_t next_job() = 0;
    // The session was offered something.
    virtual void touched(session_record& session) = 0;
    // Five tries: into NAME.dead.
    virtual void bury(job_row job) = 0;
    // Why nothing can be stored; empty: all is well.
    [[nodiscard]] virtual std::string_view problem() const = 0;
    // A job expires at this wall time.
    virtual void expires_at(std::uint64_t wall_ms) = 0;

protected:
    ~queue_owner() = default;
};

class durable_queue final : public participant {
public:
    durable_queue(queue_owner& owner, journal& changes, std::string name, mbus::address asked)
        : owner_(owner), changes_(changes), name_(std::move(name)), asked_(std::move(asked)) {}

    struct job {
        job_row row;
        std::uint64_t expires_ms = 0;  // by ttl or age, whichever is sooner; 0: never
        std::size_t octets = 0;
        std::uint64_t reader = 0;      // 0: waiting
    };
    struct reader {
        std::uint64_t id = 0;          // its handle
        std::uint64_t session = 0;
        std::uint32_t slot = 0;
        std::string type;
        std::size_t jobs = 0;          // assigned or handed over
        bool active = true;            // false: detached, settles what it has
        std::uint64_t full_until = 0;  // wall ms: its session took no more
    };

    // participant
    acceptance offer(mbus::mbws::time_point now, local_entity& to, message_forms& forms,
                     const mbus::mbws::delivery& how, delivery_ticket ticket) override;
    [[nodiscard]] std::string_view participant_name() const noexcept override { return label_; }

    void joined(mbus::protocol::entity_handle handle, const mbus::address& entity) {
        handle_ = handle;
        entity_ = entity;
        label_ = "queue " + name_;
    }
    void add_reader(reader fresh);
    void detach_reader(std::uint64_t id);
    void settle(std::uint64_t job, mbus::mbws::job_outcome how);
    // Readers may have room again.
    void dispatch();

    // From the store: in order of the ids. Then the reader that had it, if its session was durable.
    void restore(job_row row);
    // False: there is no such job (any more).
    bool restore_holder(std::uint64_t job, std::uint64_t reader);
    void restored();
    // A job of another queue, as the newest.
    void adopt(job_row row);

    // Drops what has expired, and asks readers that were full again; the next time to look, 0: none.
    std::uint64_t expire(std::uint64_t wall_ms);
    // Drops what waits; how many.
    std::size_t purge();
    // The queue is removed: what its readers have is nobody's any more.
    void abandon();

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] const mbus::address& asked() const noexcept { return asked_; }
    [[nodiscard]] const mbus::address& entity() const noexcept { return entity_; }
    [[nodiscard]] mbus::protocol::entity_handle handle() const noexcept { return handle_; }
    [[nodiscard]] std::size_t jobs() const noexcept { return jobs_.size(); }
    [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.size(); }
    [[nodiscard]] std::size_t octets() const noexcept { return octets_; }
    [[nodiscard]] std::size_t readers() const noexcept;
    [[nodiscard]] bool has_reader(std::uint64_t id) const noexcept;
    [[nodiscard]] const std::map<std::uint64_t, job>& all() const noexcept { return jobs_; }
    [[nodiscard]] const queue_counters& counters() const noexcept { return counters_; }

private:
    void insert(job_row row);
    void remove(std::map<std::uint64_t, job>::iterator which);
    [[nodiscard]] bool full(std::size_t octets) const;
    [[nodiscard]] bool has_room(const reader& one) const;
    reader* find_reader(std::uint64_t id) noexcept;
    reader* next_reader();
    void assign(job& what, reader& to);
    void hand_over(std::uint64_t job_id, std::uint64_t reader_id);
    void leave_reader(job& what);
    bool drop_expired(std::map<std::uint64_t, job>::iterator which, std::uint64_t wall_ms);
    void take_back(job& what, bool tried);
    [[nodiscard]] bool is_dead_queue() const noexcept { return name_.ends_with(dead_suffix); }

    queue_owner& owner_;
    journal& changes_;
    std::string name_;
    std::string label_;
    mbus::address asked_;
    mbus::address entity_;
    mbus::protocol::entity_handle handle_{};
    std::map<std::uint64_t, job> jobs_;
    std::set<std::uint64_t> waiting_;
    std::vector<reader> readers_;
    std::size_t turn_ = 0;  // index of the reader that is next
    std::size_t octets_ = 0;
    queue_counters counters_;
    mbus::mbws::message_preparer preparer_;
};

}  // namespace mbusd
