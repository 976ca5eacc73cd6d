#include "durable_lab.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <utility>

namespace router_test {

kept_state::kept_state() {
    auto name = (std::filesystem::temp_directory_path() / "mbusd-durable-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    folder_ = name;
}

kept_state::~kept_state() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

durable_lab::durable_lab(const kept_state& disk, std::string_view toml) : lab(toml) {
    const auto post = [this](std::function<void()> run) {
        const std::lock_guard held{lock_};
        posted_.push_back(std::move(run));
        came_.notify_one();
    };
    store_ = std::make_unique<mbusd::store>(mbusd::store_options{.file = disk.file(), .sync_full = false}, post, lab.log);
    REQUIRE(store_->keeps());
    lab.hub.use_store(*store_, [this](mbusd::transaction changes, mbusd::journal::written_function done) {
        held_.push_back({std::move(changes), std::move(done)});
    });
    store_->start();
    lab.turn();
}

durable_lab::~durable_lab() {
    // Killed: nobody is told anything, and nothing more is written.
    for (auto& each : lab.clients) each->lose();
    held_.clear();
    store_.reset();
}

void durable_lab::write(std::size_t commits) {
    for (; commits > 0 && !held_.empty(); --commits) {
        auto next = std::move(held_.front());
        held_.pop_front();
        store_->submit(std::move(next.changes), std::move(next.done));
        std::unique_lock waiting{lock_};
        came_.wait(waiting, [this] { return !posted_.empty(); });
        auto run = std::move(posted_.front());
        posted_.pop_front();
        waiting.unlock();
        run();
        lab.turn();
    }
}

void durable_lab::settle() {
    lab.turn();
    for (int rounds = 0; rounds < 64 && !held_.empty(); ++rounds) write();
}

test_client& durable_lab::durable(std::string_view session, std::uint64_t received, std::uint32_t window) {
    auto& out = lab.unconnected(identity(lab.configuration.values.rights, "owner", {}, 0, true));
    out.frame(mbws::verb::connect, 0, 0, [&](mbws::frame_writer& to) {
        to.set(mbws::key::version, std::uint64_t{1})
            .set(mbws::key::window, std::uint64_t{window})
            .set(mbws::key::expiry, std::uint64_t{600})
            .set(mbws::key::durable, std::uint64_t{1})
            .set_if(mbws::key::session, session)
            .set(mbws::key::received, received);
    });
    CHECK(out.nothing());  // `connected` waits for the store
    settle();
    const auto answer = out.take();
    REQUIRE(answer.view.verb == mbws::verb::connected);
    CHECK(answer.view.integer(mbws::key::durable) == 1);
    CHECK(answer.view.integer(mbws::key::resumed) == (session.empty() ? 0 : 1));
    taken_over = answer.view.integer(mbws::key::received);
    out.token = answer.view.text(mbws::key::session);
    return out;
}

}  // namespace router_test
