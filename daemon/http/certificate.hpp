// The gateway's certificate, read anew when its files change.
//
//     certificate mine{io, "cert.pem", "key.pem", log};    // throws one sentence
//     auto stream = make_tls_server_stream(io, std::move(socket), mine.current());
//     mine.reload();                                       // SIGHUP; a file that changes does it by itself
//
// A new certificate that is no good is logged, and the old one stays. The folders of the files are
// watched by inotify, so that a renewal by rename or by symbolic link is seen. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "http/tls.hpp"
#include "runtime/log.hpp"

namespace mbusd {

class certificate {
public:
    certificate(boost::asio::io_context& context, std::string certificate_file, std::string key_file, logger& log);
    certificate(const certificate&) = delete;
    certificate& operator=(const certificate&) = delete;

    [[nodiscard]] const tls_context& current() const noexcept { return current_; }

    // Reads the files, or others from now on. False: the old certificate stays.
    bool reload();
    bool reload(std::string certificate_file, std::string key_file);
    void close();

private:
    // What tells that a file is another one, or was written.
    struct file_state {
        std::uint64_t device = 0;
        std::uint64_t number = 0;
        std::int64_t seconds = 0;
        std::int64_t nanoseconds = 0;
        std::int64_t octets = -1;
        bool operator==(const file_state&) const = default;
    };
    static file_state look(const std::string& file);

    void watch();
    void wait();
    void something_changed();
    void check_files();
    bool take(const std::string& certificate_file, const std::string& key_file);

    boost::asio::posix::stream_descriptor events_;
    boost::asio::steady_timer settle_;
    std::string certificate_file_;
    std::string key_file_;
    logger& log_;
    tls_context current_;
    file_state certificate_state_;
    file_state key_state_;
    std::vector<int> watches_;
    bool settling_ = false;
    bool closed_ = false;
};

}  // namespace mbusd
