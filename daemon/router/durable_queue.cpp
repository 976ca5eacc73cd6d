#include "router/durable_queue.hpp"

#include <algorithm>
#include <utility>

namespace mbusd {
namespace {

using mbus::mbws::job_outcome;
using mbus::mbws::offer_result;

// What a job costs beside its body: row, indexes, texts.
constexpr std::size_t job_overhead_octets = 256;

std::size_t octets_of(const job_content& what) noexcept {
    return job_overhead_octets + what.to.size() + what.from.size() + what.type.size() + what.body.size();
}

}  // namespace

// --- coming in ----------------------------------------------------------------------------------

acceptance durable_queue::offer(mbus::mbws::time_point, local_entity&, message_forms& forms, const mbus::mbws::delivery&,
                                delivery_ticket) {
    if (!forms.anything_for_clients()) return acceptance::taken;
    const auto& source = forms.source();
    const auto refused = [&] {
        ++(source.reliable ? counters_.refused : counters_.dropped);
        return source.reliable ? acceptance::refused : acceptance::dropped;
    };
    const std::size_t octets = job_overhead_octets + source.to.size() + source.from.size() + source.type.size() + source.body.size();
    if (full(octets) || !owner_.problem().empty()) return refused();
    auto content = std::make_shared<job_content>();
    content->to = source.to;
    content->from = source.from;
    content->type = source.type;
    content->body = source.type.empty() ? forms.for_clients() : source.body;
    content->first_command = source.first_command;
    content->time = source.time;
    content->reliable = source.reliable;
    job_row row{.id = owner_.next_job(), .queue = name_, .tries = 0, .added_ms = owner_.wall_ms(),
                .expires_ms = source.ttl == 0 ? 0 : owner_.wall_ms() + source.ttl, .content = std::move(content)};
    ++counters_.added;
    adopt(std::move(row));
    return acceptance::taken;
}

void durable_queue::adopt(job_row row) {
    row.queue = name_;
    const auto id = row.id;
    insert(std::move(row));
    auto& fresh = jobs_.at(id);
    // With its first try, if somebody can take it: one statement instead of two.
    if (waiting_.size() == 1 && owner_.problem().empty()) {
        if (auto* to = next_reader()) {
            fresh.row.tries = 1;
            put_job(changes_.now(), fresh.row);
            assign(fresh, *to);
            return;
        }
    }
    put_job(changes_.now(), fresh.row);
}

void durable_queue::insert(job_row row) {
    const auto id = row.id;
    job fresh{.row = std::move(row)};
    fresh.octets = octets_of(*fresh.row.content);
    fresh.expires_ms = fresh.row.expires_ms;
    if (const auto age = owner_.limits().age_seconds; age != 0) {
        const auto by_age = fresh.row.added_ms + age * 1000;
        fresh.expires_ms = fresh.expires_ms == 0 ? by_age : std::min(fresh.expires_ms, by_age);
    }
    if (fresh.expires_ms != 0) owner_.expires_at(fresh.expires_ms);
    octets_ += fresh.octets;
    jobs_.emplace(id, std::move(fresh));
    waiting_.insert(id);
}

void durable_queue::remove(std::map<std::uint64_t, job>::iterator which) {
    leave_reader(which->second);
    octets_ -= which->second.octets;
    waiting_.erase(which->first);
    jobs_.erase(which);
}

bool durable_queue::full(std::size_t octets) const {
    const auto& limits = owner_.limits();
    return jobs_.size() >= limits.messages || octets_ + octets > limits.octets;
}

// --- readers ------------------------------------------------------------------------------------

void durable_queue::add_reader(reader fresh) {
    readers_.push_back(std::move(fresh));
    dispatch();
}

void durable_queue::detach_reader(std::uint64_t id) {
    const auto found = std::ranges::find(readers_, id, &reader::id);
    if (found == readers_.end()) return;
    found->active = false;
    if (found->jobs == 0) readers_.erase(found);
}

durable_queue::reader* durable_queue::find_reader(std::uint64_t id) noexcept {
    const auto found = std::ranges::find(readers_, id, &reader::id);
    return found == readers_.end() ? nullptr : &*found;
}

bool durable_queue::has_reader(std::uint64_t id) const noexcept {
    return std::ranges::find(readers_, id, &reader::id) != readers_.end();
}

std::size_t durable_queue::readers() const noexcept {
    return static_cast<std::size_t>(std::ranges::count_if(readers_, &reader::active));
}

bool durable_queue::has_room(const reader& one) const {
    if (!one.active || one.full_until > owner_.wall_ms()) return false;
    const auto* record = owner_.session(one.session);
    return record != nullptr && record->session->connected() && one.jobs < record->session->window();
}

// Round-robin among those with room; null: nobody has any.
durable_queue::reader* durable_queue::next_reader() {
    for (std::size_t i = 0; i < readers_.size(); ++i) {
        auto& each = readers_[(turn_ + i) % readers_.size()];
        if (!has_room(each)) continue;
        turn_ = (turn_ + i + 1) % readers_.size();
        return &each;
    }
    return nullptr;
}

// --- going out ----------------------------------------------------------------------------------

void durable_queue::dispatch() {
    if (!owner_.problem().empty()) return;  // no try could be stored; queue_table::connected() follows
    while (!waiting_.empty()) {
        const auto first = jobs_.find(*waiting_.begin());
        if (drop_expired(first, owner_.wall_ms())) continue;
        auto* to = next_reader();
        if (to == nullptr) return;
        auto& next = first->second;
        ++next.row.tries;
        put_job_tries(changes_.now(), next.row.id, next.row.tries);
        assign(next, *to);
    }
}

// The try is stored before the reader sees the job, so that it is flagged if anything goes wrong.
void durable_queue::assign(job& what, reader& to) {
    what.reader = to.id;
    ++to.jobs;
    waiting_.erase(what.row.id);
    changes_.after([this, job = what.row.id, reader = to.id] { hand_over(job, reader); });
}

void durable_queue::hand_over(std::uint64_t job_id, std::uint64_t reader_id) {
    const auto found = jobs_.find(job_id);
    if (found == jobs_.end() || found->second.reader != reader_id) return;
    auto& what = found->second;
    auto* to = find_reader(reader_id);
    auto* record = to == nullptr ? nullptr : owner_.session(to->session);
    if (record == nullptr || !to->active || !record->session->connected()) {
        take_back(what, false);
        dispatch();
        return;
    }
    const auto& content = *what.row.content;
    message_forms forms{preparer_, {.to = content.to, .from = content.from, .type = content.type, .body = content.body,
                                    .first_command = content.first_command, .time = content.time,
                                    .reliable = content.reliable}};
    const auto* ready = forms.for_receiver(to->type, {});
    const mbus::mbws::delivery how{.slot = to->slot, .job = job_id, .redelivered = what.row.tries > 1};
    const auto result = ready == nullptr ? offer_result::too_large : record->session->offer(owner_.now(), *ready, how);
    owner_.touched(*record);
    if (result == offer_result::taken || result == offer_result::wait) {
        if (what.row.tries > 1) ++counters_.redelivered;
        return;
    }
    // Too large for this client: a try, so that it does not go round for ever.
    take_back(what, result == offer_result::too_large);
    if (auto* full = result == offer_result::too_large ? nullptr : find_reader(reader_id)) {
        full->full_until = owner_.wall_ms() + full_reader_ms;
        owner_.expires_at(full->full_until);
    }
    dispatch();
}

void durable_queue::leave_reader(job& what) {
    const auto id = std::exchange(what.reader, 0);
    auto* had = id == 0 ? nullptr : find_reader(id);
    if (had == nullptr) return;
    had->full_until = 0;
    if (had->jobs > 0) --had->jobs;
    if (!had->active && had->jobs == 0) std::erase_if(readers_, [id](const reader& each) { return each.id == id; });
}

void durable_queue::settle(std::uint64_t job_id, job_outcome how) {
    const auto found = jobs_.find(job_id);
    if (found == jobs_.end()) return;
    if (how == job_outcome::done) {
        ++counters_.done;
        drop_job(changes_.now(), job_id);
        remove(found);
    } else {
        take_back(found->second, how != job_outcome::unsent);
    }
    dispatch();
}

// Waiting again, in its old place: before all newer ones.
void durable_queue::take_back(job& what, bool tried) {
    leave_reader(what);
    if (!tried) {
        --what.row.tries;
        put_job_tries(changes_.now(), what.row.id, what.row.tries);
    } else if (what.row.tries >= job_tries_max && !is_dead_queue()) {
        ++counters_.dead;
        auto row = what.row;
        remove(jobs_.find(row.id));
        owner_.bury(std::move(row));
        return;
    }
    waiting_.insert(what.row.id);
    if (what.expires_ms != 0) owner_.expires_at(what.expires_ms);
}

// --- from the store, and administration -----------------------------------------------------------

void durable_queue::restore(job_row row) { insert(std::move(row)); }

bool durable_queue::restore_holder(std::uint64_t job_id, std::uint64_t reader_id) {
    const auto found = jobs_.find(job_id);
    auto* to = find_reader(reader_id);
    if (found == jobs_.end() || to == nullptr || found->second.reader != 0) return false;
    found->second.reader = reader_id;
    ++to->jobs;
    waiting_.erase(job_id);
    return true;
}

// Jobs that have had their last try when the daemon ended.
void durable_queue::restored() {
    if (is_dead_queue()) return;
    const auto ids = std::vector(waiting_.begin(), waiting_.end());
    for (const auto id : ids) {
        auto& each = jobs_.at(id);
        if (each.row.tries >= job_tries_max) take_back(each, true);
    }
}

std::uint64_t durable_queue::expire(std::uint64_t wall_ms) {
    std::uint64_t soonest = 0;
    for (auto at = jobs_.begin(); at != jobs_.end();) {
        const auto each = at++;
        const auto when = each->second.expires_ms;
        if (when == 0 || each->second.reader != 0 || drop_expired(each, wall_ms)) continue;
        soonest = soonest == 0 ? when : std::min(soonest, when);
    }
    dispatch();
    return soonest;
}

bool durable_queue::drop_expired(std::map<std::uint64_t, job>::iterator which, std::uint64_t wall_ms) {
    const auto when = which->second.expires_ms;
    if (when == 0 || when > wall_ms) return false;
    ++counters_.expired;
    drop_job(changes_.now(), which->first);
    remove(which);
    return true;
}

std::size_t durable_queue::purge() {
    const auto ids = std::exchange(waiting_, {});
    for (const auto id : ids) {
        drop_job(changes_.now(), id);
        remove(jobs_.find(id));
    }
    counters_.purged += ids.size();
    return ids.size();
}

void durable_queue::abandon() {
    jobs_.clear();
    waiting_.clear();
    readers_.clear();
    octets_ = 0;
}

}  // namespace mbusd
