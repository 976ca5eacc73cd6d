// What the daemon asks of its process: sockets handed over by the service manager, signals,
// randomness, limits.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "runtime/unique_fd.hpp"

namespace mbusd {

// A listening socket that was opened before we started (sd_listen_fds(3)).
struct inherited_socket {
    unique_fd fd;
    std::string name;  // FileDescriptorName= of the socket unit; "unknown" if it has none
};

// Takes over what LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES announce, sets close-on-exec and removes
// the variables. Call it once, before anything else opens files.
[[nodiscard]] std::vector<inherited_socket> take_inherited_sockets();

// The same with the variables' values given; `first` is the number of the first descriptor.
[[nodiscard]] std::vector<inherited_socket> inherited_sockets(std::string_view listen_pid,
                                                              std::string_view listen_fds,
                                                              std::string_view names, int first = 3);

// SIGTERM and SIGINT call `stop` (a second one ends the process at once, with 128 + its number);
// SIGHUP calls `reload`. SIGPIPE is ignored.
class signal_watch {
public:
    signal_watch(boost::asio::io_context& context, std::function<void(int signal)> stop,
                 std::function<void()> reload);
    void close();

private:
    void wait();

    boost::asio::signal_set signals_;
    std::function<void(int)> stop_;
    std::function<void()> reload_;
    bool stopping_ = false;
    bool closed_ = false;
};

// 64 bits from the kernel's generator. Throws std::system_error when there is none.
[[nodiscard]] std::uint64_t random_seed();

// Raises the soft limit of open files to the hard limit, at most `wanted`; returns what holds now.
std::uint64_t raise_open_files(std::uint64_t wanted = 65536);

}  // namespace mbusd
