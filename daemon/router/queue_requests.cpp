// What the administrator asks of the queues (docs/daemon-commands.md).
#include <algorithm>

#include <fmt/format.h>

#include "router/queue_table.hpp"
#include "router/router.hpp"

namespace mbusd {
namespace {

using mbus::value;

// Octets of a body that queue-peek shows of each job, so that a page fits every client.
constexpr std::size_t peek_octets_max = 4096;
// Octets of all bodies in one answer.
constexpr std::size_t peek_answer_octets = 64 * 1024;
constexpr std::size_t peek_jobs_max = 100;

value pair(std::string_view key, value what) { return value::list{value{key}, std::move(what)}; }

value number(std::uint64_t what) { return value{static_cast<std::int64_t>(what)}; }

// What a value may hold: UTF-8 without control characters.
std::string shown(std::string_view body) {
    return mbus::mbws::make_field_text(body, peek_octets_max);
}

administration_outcome done(value::list results) { return {.ok = true, .results = std::move(results)}; }

}  // namespace

void queue_table::add_requests(administration& to) {
    const auto guarded = [](auto perform) -> administration_part {
        return [perform](const value::list& arguments, const granted_rights& rights) -> administration_outcome {
            if (auto no = rights.refuses_administer()) return {.text = std::move(*no)};
            return perform(arguments);
        };
    };
    to.add_part("queues", guarded([this](const value::list& arguments) { return list(answer_offset(arguments, 0)); }));
    to.add_part("queue-peek", guarded([this](const value::list& arguments) { return peek(arguments); }));
    to.add_part("queue-purge", guarded([this](const value::list& arguments) { return purge(arguments); }));
    to.add_part("queue-remove", guarded([this](const value::list& arguments) { return remove_one(arguments); }));
}

void refuse_queue_requests(administration& to) {
    for (const char* name : {"queues", "queue-peek", "queue-purge", "queue-remove"}) {
        to.add_part(name, [](const value::list&, const granted_rights& rights) -> administration_outcome {
            if (auto no = rights.refuses_administer()) return {.text = std::move(*no)};
            return {.text = "this mbusd keeps no queues: set state.directory in mbusd.toml to a directory of mbusd's user",
                    .code = mbus::errc::not_found};
        });
    }
}

administration_outcome queue_table::list(std::size_t from) {
    value::list rows;
    const auto now_ms = wall_ms();
    for (const auto* each : all()) {
        const auto& counts = each->counters();
        const auto oldest = each->all().empty() ? now_ms : each->all().begin()->second.row.added_ms;
        rows.emplace_back(value::list{
            pair("name", each->name()), pair("entity", each->entity().text()), pair("waiting", number(each->waiting())),
            pair("taken", number(each->jobs() - each->waiting())), pair("octets", number(each->octets())),
            pair("readers", number(each->readers())), pair("oldest-ms", number(now_ms > oldest ? now_ms - oldest : 0)),
            pair("added", number(counts.added)), pair("done", number(counts.done)),
            pair("redelivered", number(counts.redelivered)), pair("dead", number(counts.dead)),
            pair("expired", number(counts.expired)), pair("refused", number(counts.refused)),
            pair("dropped", number(counts.dropped)), pair("purged", number(counts.purged))});
    }
    return done(answer_page(std::move(rows), from, "queues"));
}

durable_queue* queue_table::named(const value::list& arguments) {
    const auto* name = arguments.empty() ? nullptr : arguments.front().get_if<std::string>();
    return name == nullptr ? nullptr : find(*name);
}

administration_outcome queue_table::no_such(const value::list& arguments) const {
    const auto* name = arguments.empty() ? nullptr : arguments.front().get_if<std::string>();
    if (name == nullptr) return {.text = "the first argument is the name of a queue, a string", .code = mbus::errc::bad_command};
    return {.text = fmt::format("there is no queue '{}'; 'mbus queue ls' shows them", *name), .code = mbus::errc::not_found};
}

administration_outcome queue_table::peek(const value::list& arguments) {
    const auto* queue = named(arguments);
    if (queue == nullptr) return no_such(arguments);
    const auto from = answer_offset(arguments, 1);
    value::list rows;
    std::size_t at = 0;
    std::size_t octets = 0;
    for (const auto& [id, job] : queue->all()) {
        if (at++ < from) continue;
        if (rows.size() >= peek_jobs_max || octets >= peek_answer_octets) break;
        const auto& what = *job.row.content;
        auto body = shown(what.body);
        octets += body.size();
        const auto now_ms = wall_ms();
        rows.emplace_back(value::list{
            pair("job", number(id)), pair("from", what.from), pair("to", what.to), pair("type", what.type),
            pair("tries", number(job.row.tries)), pair("taken", value{job.reader != 0}),
            pair("age-ms", number(now_ms > job.row.added_ms ? now_ms - job.row.added_ms : 0)),
            pair("octets", number(what.body.size())), pair("body", std::move(body))});
    }
    const auto next = from + rows.size();
    const bool more = next < queue->jobs();
    return done({pair("total", number(queue->jobs())), pair("next", number(more ? next : 0)), pair("jobs", std::move(rows))});
}

administration_outcome queue_table::purge(const value::list& arguments) {
    auto* queue = named(arguments);
    if (queue == nullptr) return no_such(arguments);
    return done({pair("purged", number(queue->purge())), pair("taken", number(queue->jobs()))});
}

administration_outcome queue_table::remove_one(const value::list& arguments) {
    const auto* queue = named(arguments);
    if (queue == nullptr) return no_such(arguments);
    const auto jobs = queue->jobs();
    remove(queue->name());
    return done({pair("removed", number(jobs))});
}

}  // namespace mbusd
