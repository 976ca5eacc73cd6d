// The participants of one measurement, each in a process of its own.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace bench {

class crew {
public:
    crew() = default;
    ~crew() { dismiss(); }
    crew(const crew&) = delete;
    crew& operator=(const crew&) = delete;

    // Forks a process that does `work` and ends; a fault is printed with the name.
    pid_t hire(const std::string& name, const std::function<void()>& work);
    // Throws when one of them has ended.
    void check() const;
    // Waits until `done` says so; throws when it takes longer than `limit`, or when one of them ends.
    void await(const std::function<bool()>& done, const char* what,
               std::chrono::milliseconds limit = std::chrono::seconds{10}) const;
    // Ends them all.
    void dismiss() noexcept;

private:
    std::vector<pid_t> members_;
};

}  // namespace bench
