#include "mbus/password.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "sasl/scram.hpp"

namespace mbus::tools {
namespace {

constexpr std::size_t salt_octets = 16;

// A terminal without echo, while this lives.
class silent_terminal {
public:
    silent_terminal() : fd_(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)) {
        if (fd_ < 0 || ::tcgetattr(fd_, &before_) != 0) return;
        auto silent = before_;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        silent.c_lflag |= ICANON | ISIG;
        silent_ = ::tcsetattr(fd_, TCSAFLUSH, &silent) == 0;
    }
    ~silent_terminal() {
        if (silent_) ::tcsetattr(fd_, TCSAFLUSH, &before_);
        if (fd_ >= 0) ::close(fd_);
    }
    silent_terminal(const silent_terminal&) = delete;
    silent_terminal& operator=(const silent_terminal&) = delete;

    [[nodiscard]] bool usable() const noexcept { return silent_; }
    [[nodiscard]] int fd() const noexcept { return fd_; }
    void say(std::string_view text) const {
        while (!text.empty()) {
            const auto written = ::write(fd_, text.data(), text.size());
            if (written <= 0) return;
            text.remove_prefix(static_cast<std::size_t>(written));
        }
    }

private:
    termios before_{};
    int fd_;
    bool silent_ = false;
};

// The first line, without its end.
result<std::string> line_of(int fd, const std::string& from) {
    std::string out;
    char octet = 0;
    while (true) {
        const auto got = ::read(fd, &octet, 1);
        if (got < 0 && errno == EINTR) return {errc::cancelled, "interrupted; no password was read"};
        if (got < 0) return {errc::bad_argument, fmt::format("{}: can't read it: {}", from, std::strerror(errno))};
        if (got == 0 || octet == '\n') break;
        out += octet;
        if (out.size() > password_octets_max) return {errc::bad_argument, fmt::format("{}: a password has at most {} octets", from, password_octets_max)};
    }
    if (out.ends_with('\r')) out.pop_back();
    if (out.empty()) return {errc::bad_argument, fmt::format("{}: the password is empty", from)};
    return out;
}

result<std::string> ask() {
    const silent_terminal terminal;
    if (!terminal.usable()) {
        return {errc::bad_argument, "there is no terminal to ask for the password; use --password-file FILE, or - for standard input"};
    }
    std::array<std::string, 2> given;
    const std::array<std::string_view, 2> prompts{"Password: ", "Once more: "};
    for (std::size_t i = 0; i < given.size(); ++i) {
        terminal.say(prompts.at(i));
        auto line = line_of(terminal.fd(), "terminal");
        terminal.say("\n");
        if (!line) return line;
        given.at(i) = std::move(*line);
    }
    if (given[0] != given[1]) return {errc::bad_argument, "the two passwords differ; nothing was changed"};
    return given[0];
}

value keys_of(mbusd::scram_hash hash, const char* mechanism, std::string_view password, std::string_view salt) {
    const auto keys = mbusd::make_scram_keys(hash, password, salt, mbusd::scram_iterations);
    return value::list{value{mechanism}, value{static_cast<std::int64_t>(keys.iterations)}, value{data{keys.salt}}, value{data{keys.stored_key}},
                       value{data{keys.server_key}}};
}

}  // namespace

result<std::string> read_password(const std::optional<std::string>& file) {
    if (!file) return ask();
    if (*file == "-") return line_of(STDIN_FILENO, "standard input");
    const int fd = ::open(file->c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return {errc::bad_argument, fmt::format("{}: can't read it: {}", *file, std::strerror(errno))};
    auto out = line_of(fd, *file);
    ::close(fd);
    return out;
}

result<value> login_keys(std::string_view password) {
    std::array<char, 2 * salt_octets> random{};
    if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) {
        return {errc::internal, "the kernel gives no random numbers"};
    }
    const std::string_view salts{random.data(), random.size()};
    return value{value::list{keys_of(mbusd::scram_hash::sha1, "SCRAM-SHA-1", password, salts.substr(0, salt_octets)),
                             keys_of(mbusd::scram_hash::sha256, "SCRAM-SHA-256", password, salts.substr(salt_octets))}};
}

}  // namespace mbus::tools
