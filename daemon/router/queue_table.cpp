#include "router/queue_table.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "router/router.hpp"

namespace mbusd {
namespace {

using mbus::errc;
using mbus::mbws::job_outcome;

// The queue of dead jobs has an entity like any other, by which people may send to it.
std::string dead_entity(std::string_view name) { return fmt::format("(module:queue queue:{})", name); }

}  // namespace

// --- making and removing ------------------------------------------------------------------------

durable_queue* queue_table::find(std::string_view name) noexcept {
    const auto found = queues_.find(std::string{name});
    return found == queues_.end() ? nullptr : found->second.get();
}

std::vector<durable_queue*> queue_table::all() {
    std::vector<durable_queue*> out;
    for (const auto& [name, queue] : queues_) out.push_back(queue.get());
    std::ranges::sort(out, {}, [](const durable_queue* each) { return each->name(); });
    return out;
}

mbus::result<durable_queue*> queue_table::make(const std::string& name, const mbus::address& asked,
                                               std::optional<queue_row> stored) {
    auto made = std::make_unique<durable_queue>(static_cast<queue_owner&>(*this), changes_, name, asked);
    joined_as how{.type = "*/*", .kept = true};
    if (stored) how.first_sequence = stored->sequence;
    auto handle = hub_.join(*made, stored ? stored->entity : asked, how);
    if (!handle) return std::move(handle).error();
    made->joined(*handle, hub_.entity(*handle)->address);
    const auto bound = blocks_.reserve(*handle, how.first_sequence.value_or(0), [name](transaction& to, std::uint32_t next) {
        put_queue_sequence(to, name, next);
    });
    put_queue(changes_.now(), {.name = name, .asked = asked, .entity = made->entity(), .sequence = bound});
    auto* out = made.get();
    queues_.emplace(name, std::move(made));
    return out;
}

bool queue_table::remove(std::string_view name) {
    const auto found = queues_.find(std::string{name});
    if (found == queues_.end()) return false;
    auto& gone = *found->second;
    gone.abandon();
    blocks_.release(gone.handle());
    hub_.leave(gone.handle());
    drop_queue(changes_.now(), name);
    // What it told the journal to call back may still come.
    auto kept = std::shared_ptr<durable_queue>{std::move(found->second)};
    queues_.erase(found);
    changes_.after([kept] {});
    return true;
}

void queue_table::restore(store& kept) {
    std::vector<queue_row> rows;
    kept_or_warn(load_queues(kept, [&](queue_row&& row) { rows.push_back(std::move(row)); }));
    for (auto& row : rows) {
        const auto name = row.name;
        const auto asked = row.asked;
        auto made = make(name, asked, std::move(row));
        if (!made) hub_.warn("a queue can't join the bus; its jobs wait in the store", name, made.error().text);
    }
    kept_or_warn(load_jobs(kept, [&](job_row&& row) {
        last_job_ = std::max(last_job_, row.id);
        if (auto* queue = find(row.queue)) queue->restore(std::move(row));
    }));
}

void queue_table::kept_or_warn(const mbus::result<void>& read) {
    if (!read) hub_.warn("queues can't be read", {}, read.error().text);
}

void queue_table::restored() {
    for (auto* each : all()) each->restored();
}

// Queues of dead jobs come with the queues that have them.
std::size_t queue_table::counted() {
    return static_cast<std::size_t>(std::ranges::count_if(queues_, [this](const auto& each) {
        const std::string_view name = each.first;
        return !name.ends_with(dead_suffix) || find(name.substr(0, name.size() - dead_suffix.size())) == nullptr;
    }));
}

// --- readers ------------------------------------------------------------------------------------

mbus::result<mbus::mbws::attached> queue_table::attach(session_record& record, const mbus::mbws::attach_request& request) {
    auto* queue = find(request.queue);
    if (queue == nullptr) {
        if (!request.has_entity) {
            return {errc::not_found, fmt::format("there is no queue {}; attach it with an entity to make it", request.queue)};
        }
        if (auto no = record.who->rights->refuses_attach(request.entity)) return {errc::forbidden, *no};
        if (const auto problem = hub_.store_problem(); !problem.empty()) return {errc::internal, std::string{problem}};
        if (const auto count = counted(); count >= limits().count) {
            return {errc::limit, fmt::format("there are {} queues, as many as are allowed; set queues.count in mbusd.toml, or "
                                             "remove one: mbus queue rm NAME", count)};
        }
        auto made = make(request.queue, request.entity);
        if (!made) return std::move(made).error();
        queue = *made;
    } else {
        if (request.has_entity && request.entity != queue->asked() && request.entity != queue->entity()) {
            return {errc::conflict, fmt::format("the queue {} has the entity {}; leave the field entity out to join it", request.queue,
                                                queue->entity().text())};
        }
        if (auto no = record.who->rights->refuses_attach(queue->entity())) return {errc::forbidden, *no};
    }
    const auto id = ++last_reader_;
    queue->add_reader({.id = id, .session = record.id, .slot = request.slot, .type = request.type});
    return mbus::mbws::attached{queue->entity(), id};
}

mbus::result<std::uint64_t> queue_table::restore_reader(session_record& record, const mbus::mbws::attach_request& request,
                                                        bool active) {
    auto* queue = find(request.queue);
    if (queue == nullptr) return {errc::not_found, "the queue was removed"};
    const auto id = ++last_reader_;
    queue->add_reader({.id = id, .session = record.id, .slot = request.slot, .type = request.type, .active = active});
    return id;
}

bool queue_table::restore_holder(std::string_view queue, std::uint64_t reader, std::uint64_t job) {
    auto* in = find(queue);
    return in != nullptr && in->restore_holder(job, reader);
}

void queue_table::detach(std::uint64_t reader) {
    for (const auto& [name, queue] : queues_) {
        if (!queue->has_reader(reader)) continue;
        queue->detach_reader(reader);
        return;
    }
}

void queue_table::settle(const mbus::mbws::attachment& reading, std::uint64_t job, job_outcome how) {
    if (auto* queue = find(reading.asked.queue)) queue->settle(job, how);
}

void queue_table::connected() {
    for (const auto& [name, queue] : queues_) queue->dispatch();
}

// --- time ---------------------------------------------------------------------------------------

void queue_table::advance(std::uint64_t wall_ms) {
    if (expiry_ms_ == 0 || expiry_ms_ > wall_ms) return;
    expiry_ms_ = 0;
    for (const auto& [name, queue] : queues_) {
        if (const auto next = queue->expire(wall_ms); next != 0) expires_at(next);
    }
}

void queue_table::expires_at(std::uint64_t wall_ms) {
    expiry_ms_ = expiry_ms_ == 0 ? wall_ms : std::min(expiry_ms_, wall_ms);
}

// --- what queues ask ----------------------------------------------------------------------------

std::uint64_t queue_table::wall_ms() { return hub_.wall_ms(); }
mbus::mbws::time_point queue_table::now() { return hub_.now(); }
const settings::queue_settings& queue_table::limits() const { return hub_.configuration().queues; }
session_record* queue_table::session(std::uint64_t id) noexcept { return hub_.find_session(id); }
void queue_table::touched(session_record& session) { hub_.touch(*session.session); }
std::string_view queue_table::problem() const { return hub_.store_problem(); }

// A dead job goes on living in NAME.dead, which is made when it is needed.
void queue_table::bury(job_row job) {
    const auto name = job.queue + std::string{dead_suffix};
    auto* grave = find(name);
    if (grave == nullptr) {
        auto made = make(name, *mbus::address::parse(dead_entity(name)));
        if (!made) {
            hub_.warn("a dead job is dropped: its queue can't join the bus", name, made.error().text);
            drop_job(changes_.now(), job.id);
            return;
        }
        grave = *made;
    }
    drop_job(changes_.now(), job.id);
    job.id = next_job();
    job.tries = 0;
    job.added_ms = wall_ms();
    job.expires_ms = 0;
    grave->adopt(std::move(job));
}

}  // namespace mbusd
