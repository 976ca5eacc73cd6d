// What links to daemons of tests have in common: virtual time, and octets that wait for the client. A Daemon has
// `now`, `to_client` and `broken`. What is written goes where the test's own link says.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>

#include "link.hpp"

namespace mbus::detail {

template <class Daemon>
class virtual_link : public link {
public:
    explicit virtual_link(Daemon& daemon) : daemon_(daemon) {}

    clock::time_point now() override { return daemon_.now; }
    std::uint64_t random() override { return 1; }
    io_outcome read(std::span<char> into) override {
        if (daemon_.broken) return {0, true};
        const auto count = std::min(into.size(), daemon_.to_client.size());
        std::copy_n(daemon_.to_client.begin(), count, into.begin());
        daemon_.to_client.erase(0, count);
        return {count, false};
    }
    void watch_output(bool) override {}
    // Nothing comes by itself, so time passes.
    void wait(clock::time_point until) override {
        if (daemon_.to_client.empty() && !daemon_.broken) daemon_.now = std::max(daemon_.now, until);
    }
    int fd() override { return -1; }
    void wake_at(clock::time_point) override {}

protected:
    Daemon& daemon_;
};

}  // namespace mbus::detail
