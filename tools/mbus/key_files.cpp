#include "mbus/key_files.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>
#include <mbus_json/message_json.hpp>

#include "config/session_file.hpp"

namespace mbus::tools {
namespace {

std::string environment(const char* name) {
    const char* held = std::getenv(name);
    return held != nullptr ? held : "";
}

error system_error(const std::string& path, const char* what) {
    return {errc::bad_config, fmt::format("{}: can't {}: {}", path, what, std::strerror(errno))};
}

}  // namespace

result<std::string> own_key_file() {
    if (auto named = environment("MBUS"); !named.empty()) return named;
    const auto home = environment("HOME");
    if (home.empty()) return {errc::bad_config, "neither $MBUS nor $HOME is set; name the file: mbus key new FILE"};
    return home + "/.mbus";
}

result<std::string> key_file_in_use() { return mbusd::find_session_file(mbusd::session_file_search::from_environment()); }

std::string describe_key(const protocol::session_config& config) {
    auto text = fmt::format("{}, {}, scope {}", protocol::to_string(config.hash), protocol::to_string(config.cipher),
                            protocol::to_string(config.scope));
    if (config.broadcast) text += ", address BROADCAST";
    else if (config.group) text += fmt::format(", address {}", *config.group);
    return text + fmt::format(", port {}", config.port);
}

std::string key_json(const std::string& path, const protocol::session_config& config) {
    std::string line = R"({"v":1,"file":)";
    json::append_string(line, path);
    line += fmt::format(R"(,"hash":"{}","cipher":"{}","scope":"{}","address":)", protocol::to_string(config.hash),
                        protocol::to_string(config.cipher), protocol::to_string(config.scope));
    if (config.broadcast) line += "\"BROADCAST\"";
    else if (config.group) json::append_string(line, *config.group);
    else line += "null";
    return line + fmt::format(R"(,"port":{},"fingerprint":"{}"}})", config.port, protocol::key_fingerprint(config));
}

bool is_modern(const protocol::session_config& config) noexcept {
    return config.hash == protocol::hash_algorithm::hmac_sha256_128;
}

result<void> save_key_file(const std::string& path, const protocol::session_config& config, bool replace) {
    if (!replace) {
        auto done = mbusd::write_session_file(path, config);
        if (!done && done.error().code == errc::conflict) return {errc::conflict, fmt::format("{} exists already and is kept; --force replaces it", path)};
        return done;
    }
    const auto fresh = fmt::format("{}.new-{}", path, getpid());
    if (auto done = mbusd::write_session_file(fresh, config); !done) return done;
    if (std::rename(fresh.c_str(), path.c_str()) == 0) return {};
    const auto failure = system_error(path, "replace it");
    unlink(fresh.c_str());
    return failure;
}

result<std::string> read_key_text(const std::string& path) {
    const int fd = path == "-" ? dup(STDIN_FILENO) : open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return system_error(path, "read it");
    std::string text;
    std::array<char, 4096> buffer{};
    ssize_t got = 0;
    while ((got = read(fd, buffer.data(), buffer.size())) > 0 && text.size() <= protocol::session_file_octets_max) {
        text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    const auto failure = got < 0 ? system_error(path, "read it") : error{};
    close(fd);
    if (got < 0) return failure;
    if (text.size() > protocol::session_file_octets_max) {
        return {errc::bad_config, fmt::format("{}: longer than {} octets; that is no key file", path, protocol::session_file_octets_max)};
    }
    return text;
}

}  // namespace mbus::tools
