// A router_lab whose router has a real store, and a daemon that can be killed: what the router submits is
// held back until the test lets it be written.
//
//     kept_state disk;                        // the file of one host
//     auto lab = std::make_unique<durable_lab>(disk);   // a daemon
//     ...
//     lab->write(3);                          // three commits reach the disk
//     lab.reset();                            // killed: what was not written is lost
#pragma once

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "router_lab.hpp"
#include "store/store.hpp"

namespace router_test {

// A folder of its own, gone with the object.
class kept_state {
public:
    kept_state();
    ~kept_state();
    kept_state(const kept_state&) = delete;
    kept_state& operator=(const kept_state&) = delete;

    [[nodiscard]] std::string file() const { return (folder_ / "mbusd.db").string(); }

private:
    std::filesystem::path folder_;
};

class durable_lab {
public:
    explicit durable_lab(const kept_state& disk, std::string_view toml = {});
    ~durable_lab();

    // Lets up to `commits` of what waits be written, and tells the router.
    void write(std::size_t commits = 1);
    // Turns and commits until nothing waits.
    void settle();
    [[nodiscard]] std::size_t held() const noexcept { return held_.size(); }

    // A connection that asks for a durable session, or resumes one; its `connected` is taken.
    test_client& durable(std::string_view session = {}, std::uint64_t received = 0, std::uint32_t window = 256);

    std::uint64_t taken_over = 0;  // `received` in the last `connected` of durable()
    router_lab lab;

private:
    struct commit {
        mbusd::transaction changes;
        mbusd::journal::written_function done;
    };
    // What the worker posts, from its thread.
    std::mutex lock_;
    std::condition_variable came_;
    std::deque<std::function<void()>> posted_;
    std::deque<commit> held_;
    std::unique_ptr<mbusd::store> store_;
};

}  // namespace router_test
