#include "store/store.hpp"

#include <pthread.h>
#include <sqlite3.h>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "store/database.hpp"

namespace mbusd {
namespace {

// After a failure the worker tries on its own, since nobody may have anything to write.
constexpr std::chrono::seconds probe_interval{5};
// The room that must be there again before busy() ends: a quarter of the limit.
constexpr std::size_t room_share = 4;

struct job {
    transaction changes;
    store::done_function done;
    bool refused = false;  // the outcome stands already
    mbus::result<void> outcome{};
};

using jobs = std::vector<job>;

// The disk or the file is at fault, not what was to be written.
bool is_trouble(const mbus::result<void>& outcome) { return !outcome && outcome.error().code == mbus::errc::internal; }

mbus::result<void> write_one(database& file, const job& what) {
    auto done = file.begin();
    if (done) done = file.run(what.changes);
    if (done) done = file.commit();
    if (!done) file.rollback();
    return done;
}

// Each in a commit of its own, so that only the faulty ones fail; trouble with the disk is everybody's.
std::uint64_t write_each(database& file, jobs& group) {
    std::uint64_t commits = 0;
    mbus::result<void> trouble;
    for (auto& each : group) {
        if (each.refused) continue;
        each.outcome = trouble ? write_one(file, each) : trouble;
        if (each.outcome) ++commits;
        else if (is_trouble(each.outcome)) trouble = each.outcome;
    }
    return commits;
}

// All in one commit, if that can be done. Returns how many commits there were.
std::uint64_t write(database& file, jobs& group) {
    auto done = file.begin();
    for (std::size_t i = 0; done && i < group.size(); ++i) {
        if (!group[i].refused) done = file.run(group[i].changes);
    }
    if (done) done = file.commit();
    if (done) return 1;
    file.rollback();
    return write_each(file, group);
}

// Signals are the main thread's.
std::thread thread_without_signals(std::function<void()> body) {
    sigset_t all{};
    sigset_t before{};
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    std::thread out(std::move(body));
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    pthread_setname_np(out.native_handle(), "mbusd-store");
    return out;
}

}  // namespace

bool store_row::null(int column) const noexcept { return sqlite3_column_type(at_, column) == SQLITE_NULL; }

std::int64_t store_row::integer(int column) const noexcept { return sqlite3_column_int64(at_, column); }

std::string_view store_row::octets(int column) const noexcept {
    const auto* data = static_cast<const char*>(sqlite3_column_blob(at_, column));
    return data == nullptr ? std::string_view{} : std::string_view{data, static_cast<std::size_t>(sqlite3_column_bytes(at_, column))};
}

struct store::state : std::enable_shared_from_this<store::state> {
    state(post_function how, logger& to) : post(std::move(how)), log(to) {}

    void work();
    bool wait_for_jobs(std::unique_lock<std::mutex>& held);
    void try_again();
    void hand_back(jobs group, std::uint64_t commits);
    void finish(jobs& group, std::uint64_t commits, const std::string& trouble_now);
    void set_problem(std::string text);

    // The main thread's.
    post_function post;
    logger& log;
    std::string problem;
    std::function<void()> problem_changed;
    std::function<void()> room;
    store_counters counters;
    std::size_t waiting_statements = 0;
    std::size_t waiting_octets = 0;
    bool busy = false;
    bool started = false;
    bool closed = false;
    bool gone = false;  // the store object is
    bool keeps = false;
    std::thread worker;

    // The main thread's until start(), then the worker's.
    std::unique_ptr<database> file;
    std::string trouble;  // why the last write failed

    // Shared, under the lock.
    std::mutex lock;
    std::condition_variable wake;
    jobs queue;
    bool ending = false;
};

void store::state::work() {
    std::unique_lock held{lock};
    while (wait_for_jobs(held)) {
        jobs group = std::exchange(queue, {});
        held.unlock();
        const auto commits = write(*file, group);
        hand_back(std::move(group), commits);
        held.lock();
        if (!queue.empty() || !trouble.empty()) continue;
        held.unlock();
        file->shrink_some();  // while there is nothing else to do
        held.lock();
    }
    held.unlock();
    file->shrink();
    file.reset();
}

// False at the end, when nothing waits any more.
bool store::state::wait_for_jobs(std::unique_lock<std::mutex>& held) {
    const auto something = [this] { return ending || !queue.empty(); };
    while (!trouble.empty() && !file->damaged() && !wake.wait_for(held, probe_interval, something)) {
        held.unlock();
        try_again();
        held.lock();
    }
    wake.wait(held, something);
    return !queue.empty();
}

void store::state::try_again() {
    const auto tried = file->probe();
    trouble = tried ? std::string{} : tried.error().text;
    post([self = shared_from_this(), now = trouble] {
        if (!self->gone) self->set_problem(now);
    });
}

// The jobs end where they began: what `done` and the values hold on to is the main thread's.
void store::state::hand_back(jobs group, std::uint64_t commits) {
    bool failed = false;
    for (const auto& each : group) {
        if (!is_trouble(each.outcome)) continue;
        failed = true;
        trouble = each.outcome.error().text;
    }
    if (!failed && commits > 0 && !file->damaged()) trouble.clear();
    auto shared = std::make_shared<jobs>(std::move(group));
    post([self = shared_from_this(), shared = std::move(shared), commits, now = trouble] { self->finish(*shared, commits, now); });
}

void store::state::finish(jobs& group, std::uint64_t commits, const std::string& trouble_now) {
    if (gone) return;
    counters.commits += commits;
    for (const auto& each : group) {
        ++(each.outcome ? counters.transactions : counters.failed);
        waiting_statements -= each.changes.statements();
        waiting_octets -= each.changes.octets();
    }
    set_problem(trouble_now);
    for (auto& each : group) {
        if (each.done) each.done(each.outcome);
    }
    if (!busy || waiting_statements > waiting_statements_max / room_share || waiting_octets > waiting_octets_max / room_share) return;
    busy = false;
    if (room) room();
}

void store::state::set_problem(std::string text) {
    if (problem == text) return;
    problem = std::move(text);
    if (problem.empty()) log.notice("the store can be written again");
    else log.error("the store can't be written", {{"reason", problem}});
    if (problem_changed) problem_changed();
}

store::store(store_options options, post_function post, logger& log) : state_(std::make_shared<state>(std::move(post), log)) {
    if (options.file.empty()) return;
    auto opened = database::open(std::move(options.file), options.sync_full);
    if (opened) {
        state_->file = std::move(*opened);
        state_->keeps = true;
    } else {
        state_->set_problem(opened.error().text);
    }
}

store::~store() {
    state_->problem_changed = nullptr;
    state_->room = nullptr;
    close();
    state_->gone = true;
}

bool store::keeps() const noexcept { return state_->keeps; }
const std::string& store::problem() const noexcept { return state_->problem; }
void store::on_problem(std::function<void()> changed) { state_->problem_changed = std::move(changed); }
bool store::busy() const noexcept { return state_->busy; }
void store::on_room(std::function<void()> room) { state_->room = std::move(room); }
const store_counters& store::counters() const noexcept { return state_->counters; }
std::size_t store::waiting_statements() const noexcept { return state_->waiting_statements; }
std::size_t store::waiting_octets() const noexcept { return state_->waiting_octets; }

mbus::result<void> store::load(const store_statement& select, const row_function& visit) {
    if (state_->file == nullptr || state_->started) return {};
    auto read = state_->file->select(select, [&](sqlite3_stmt* at) { visit(store_row{at}); });
    if (!read) {
        // What could not be read in full is not written over.
        state_->file.reset();
        state_->keeps = false;
        state_->set_problem(read.error().text);
    }
    return read;
}

void store::start() {
    if (state_->started) return;
    state_->started = true;
    if (state_->file == nullptr) return;
    state_->worker = thread_without_signals([self = state_] { self->work(); });
}

void store::submit(transaction changes, done_function done) {
    auto& s = *state_;
    job next{std::move(changes), std::move(done)};
    const auto statements = s.waiting_statements + next.changes.statements();
    const auto octets = s.waiting_octets + next.changes.octets();
    if (s.closed) {
        next.outcome = {mbus::errc::shutting_down, "mbusd is stopping; try again when it runs"};
    } else if (!s.problem.empty() && !s.keeps) {
        next.outcome = {mbus::errc::internal, s.problem};
    } else if (s.keeps && s.waiting_statements != 0 && (statements > waiting_statements_max || octets > waiting_octets_max)) {
        next.outcome = {mbus::errc::limit, "the disk is behind: too much waits to be written; send again, slower"};
    }
    next.refused = !next.outcome;
    if (next.refused) next.changes = {};
    s.waiting_statements += next.changes.statements();
    s.waiting_octets += next.changes.octets();
    s.busy |= s.waiting_statements >= waiting_statements_max / 2 || s.waiting_octets >= waiting_octets_max / 2;
    if (s.closed || !s.keeps) {
        auto alone = std::make_shared<jobs>();
        alone->push_back(std::move(next));
        s.post([self = state_, alone = std::move(alone)] { self->finish(*alone, 0, self->problem); });
        return;
    }
    bool first = false;
    {
        const std::lock_guard held{s.lock};
        first = s.queue.empty();
        s.queue.push_back(std::move(next));
    }
    if (first) s.wake.notify_one();
}

void store::close() {
    auto& s = *state_;
    if (s.closed) return;
    start();  // what was submitted before it is written, too
    s.closed = true;
    if (!s.worker.joinable()) return;
    {
        const std::lock_guard held{s.lock};
        s.ending = true;
    }
    s.wake.notify_one();
    s.worker.join();
}

}  // namespace mbusd
