#include "http/certificate.hpp"

#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <exception>
#include <filesystem>
#include <utility>

namespace mbusd {
namespace {

// Certificate and key are written one after the other.
constexpr std::chrono::milliseconds settle_time{300};

int new_events() { return ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC); }

}  // namespace

certificate::certificate(boost::asio::io_context& context, std::string certificate_file, std::string key_file, logger& log)
    : events_(context),
      settle_(context),
      certificate_file_(std::move(certificate_file)),
      key_file_(std::move(key_file)),
      log_(log),
      current_(tls_context::server(certificate_file_, key_file_)),
      certificate_state_(look(certificate_file_)),
      key_state_(look(key_file_)) {
    for (const auto& each : current_.warnings()) log_.warning(each);
    const int events = new_events();
    if (events < 0) {
        log_.warning("changes of the certificate are not noticed; send SIGHUP after a renewal",
                     {{"reason", "inotify has no more instances: raise fs.inotify.max_user_instances"}});
        return;
    }
    events_.assign(events);
    watch();
    wait();
}

certificate::file_state certificate::look(const std::string& file) {
    struct stat found{};
    if (::stat(file.c_str(), &found) != 0) return {};
    return {found.st_dev, found.st_ino, found.st_mtim.tv_sec, found.st_mtim.tv_nsec, found.st_size};
}

void certificate::watch() {
    if (!events_.is_open()) return;
    for (const int each : std::exchange(watches_, {})) ::inotify_rm_watch(events_.native_handle(), each);
    for (const auto& file : {certificate_file_, key_file_}) {
        auto folder = std::filesystem::path{file}.parent_path();
        if (folder.empty()) folder = ".";
        const int made = ::inotify_add_watch(events_.native_handle(), folder.c_str(),
                                             IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_ATTRIB | IN_ONLYDIR);
        if (made >= 0) {
            watches_.push_back(made);
        } else {
            log_.warning("changes of the certificate are not noticed; send SIGHUP after a renewal",
                         {{"folder", folder.string()}});
        }
    }
}

void certificate::wait() {
    events_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](const boost::system::error_code& fault) {
        if (fault || closed_) return;
        std::array<char, 4096> ignored;
        while (::read(events_.native_handle(), ignored.data(), ignored.size()) > 0) {
        }
        something_changed();
        wait();
    });
}

void certificate::something_changed() {
    if (std::exchange(settling_, true)) return;
    settle_.expires_after(settle_time);
    settle_.async_wait([this](const boost::system::error_code& gone) {
        settling_ = false;
        if (!gone && !closed_) check_files();
    });
}

// Other files of the folder may have changed as well; only ours matter.
void certificate::check_files() {
    const auto certificate_now = look(certificate_file_);
    const auto key_now = look(key_file_);
    if (certificate_now == certificate_state_ && key_now == key_state_) return;
    take(certificate_file_, key_file_);
}

bool certificate::reload() { return take(certificate_file_, key_file_); }

bool certificate::reload(std::string certificate_file, std::string key_file) {
    if (!take(certificate_file, key_file)) return false;
    const bool elsewhere = certificate_file != certificate_file_ || key_file != key_file_;
    certificate_file_ = std::move(certificate_file);
    key_file_ = std::move(key_file);
    if (elsewhere) watch();
    return true;
}

bool certificate::take(const std::string& certificate_file, const std::string& key_file) {
    certificate_state_ = look(certificate_file);
    key_state_ = look(key_file);
    try {
        auto fresh = tls_context::server(certificate_file, key_file);
        const bool another = fresh.fingerprint() != current_.fingerprint();
        current_ = std::move(fresh);
        if (!another) return true;
        for (const auto& each : current_.warnings()) log_.warning(each);
        log_.notice("the certificate was renewed", {{"valid_until", current_.valid_until()},
                                                    {"sha256", current_.fingerprint()}});
        return true;
    } catch (const std::exception& fault) {
        log_.error("the new certificate is not used, the old one stays", {{"reason", fault.what()}});
        return false;
    }
}

void certificate::close() {
    closed_ = true;
    boost::system::error_code ignored;
    events_.close(ignored);
    settle_.cancel();
}

}  // namespace mbusd
