#include "store_lab.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <utility>

namespace mbusd {

folder::folder() {
    std::string name = (std::filesystem::temp_directory_path() / "mbusd-store-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
}

folder::~folder() { std::filesystem::remove_all(path); }

store::post_function main_thread::post() {
    return [this](std::function<void()> what) {
        {
            const std::lock_guard held{lock_};
            posted_.push_back(std::move(what));
        }
        wake_.notify_one();
    };
}

bool main_thread::run(const std::function<bool()>& until) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    run_posted();
    while (!until()) {
        std::unique_lock held{lock_};
        if (!wake_.wait_until(held, limit, [this] { return !posted_.empty(); })) return false;
        held.unlock();
        run_posted();
    }
    return true;
}

void main_thread::run_posted() {
    for (;;) {
        std::unique_lock held{lock_};
        if (posted_.empty()) return;
        auto next = std::move(posted_.front());
        posted_.pop_front();
        held.unlock();
        next();
    }
}

store_lab::store_lab()
    : log(level::info, [this](level which, std::string_view, const std::vector<log_field>&) { ++lines[std::string{to_string(which)}]; }) {}

stored_client client_called(const std::string& name, char hash) {
    // Different names, different hashes: both are keys.
    auto token = name + std::string(32, hash);
    token.resize(32);
    return {.name = name, .token_hash = std::move(token), .rights = {}, .created_ms = 1, .expires_ms = 0};
}

std::map<std::string, stored_client> clients_in(store_lab& lab) {
    std::map<std::string, stored_client> out;
    store kept{{.file = lab.where.file()}, lab.thread.post(), lab.log};
    CHECK(kept.problem() == "");
    const auto read = load_clients(kept, [&](stored_client&& one) { out.emplace(one.name, std::move(one)); });
    CHECK(read.has_value());
    return out;
}

}  // namespace mbusd
