// Where log lines go: stderr, or the journal in its native protocol (one datagram per line, see
// systemd's JOURNAL_NATIVE_PROTOCOL). Spoken directly: libsystemd would cost more memory than the
// whole daemon's code for these forty lines.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <cstdlib>
#include <cstring>
#include <memory>

#include <fmt/format.h>

#include "runtime/log.hpp"
#include "runtime/unique_fd.hpp"

namespace mbusd {
namespace {

constexpr const char* journal_path = "/run/systemd/journal/socket";

// syslog(3) priorities.
constexpr std::array<int, 5> priorities{3, 4, 5, 6, 7};

// True when file descriptor 2 is the stream that JOURNAL_STREAM="device:inode" names.
bool stderr_is_journal() {
    const char* stream = std::getenv("JOURNAL_STREAM");
    struct stat found {};
    if (stream == nullptr || ::fstat(STDERR_FILENO, &found) != 0) return false;
    return fmt::format("{}:{}", found.st_dev, found.st_ino) == stream;
}

// KEY=value, or for values with line ends KEY, the length in 8 little-endian octets, and the value.
void append_journal_field(std::string& datagram, std::string_view key, std::string_view value) {
    datagram += key;
    if (value.find('\n') == std::string_view::npos) {
        datagram += '=';
    } else {
        datagram += '\n';
        for (unsigned shift = 0; shift < 64; shift += 8) {
            datagram += static_cast<char>((std::uint64_t{value.size()} >> shift) & 0xff);
        }
    }
    datagram += value;
    datagram += '\n';
}

std::string journal_datagram(level which, std::string_view message, const std::vector<log_field>& fields) {
    std::string datagram;
    append_journal_field(datagram, "MESSAGE", format_log_line(message, fields));
    append_journal_field(datagram, "PRIORITY", std::to_string(priorities[static_cast<std::size_t>(which)]));
    append_journal_field(datagram, "SYSLOG_IDENTIFIER", "mbusd");
    for (const auto& field : fields) {
        std::string key = "MBUSD_";
        for (const char c : field.key) key += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        append_journal_field(datagram, key, field.value);
    }
    return datagram;
}

void write_stderr(level which, std::string_view message, const std::vector<log_field>& fields) {
    const auto line = fmt::format("mbusd: {}: {}\n", to_string(which), format_log_line(message, fields));
    // Nobody is left to tell when stderr itself fails.
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

bool write_journal(int journal, level which, std::string_view message, const std::vector<log_field>& fields) {
    const auto datagram = journal_datagram(which, message, fields);
    return ::send(journal, datagram.data(), datagram.size(), MSG_NOSIGNAL) >= 0;
}

unique_fd connect_journal() {
    unique_fd journal{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::strncpy(name.sun_path, journal_path, sizeof name.sun_path - 1);
    if (journal && ::connect(journal.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0)
        journal.reset();
    return journal;
}

}  // namespace

log_sink default_log_sink() {
    if (!stderr_is_journal()) return write_stderr;
    auto journal = std::make_shared<unique_fd>(connect_journal());
    if (!*journal) return write_stderr;
    return [journal](level which, std::string_view message, const std::vector<log_field>& fields) {
        // A restarted journald has a new socket behind the old name.
        if (write_journal(journal->get(), which, message, fields)) return;
        *journal = connect_journal();
        if (!*journal || !write_journal(journal->get(), which, message, fields))
            write_stderr(which, message, fields);
    };
}

}  // namespace mbusd
