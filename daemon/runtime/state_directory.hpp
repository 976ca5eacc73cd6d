// What the daemon remembers from one start to the next.
//
//     const state_directory state{values.state.directory};
//     const auto kept = state.broker_id(random_broker_id());
//     use(kept.id);
//     if (!kept.problem.empty()) log.notice("...", {{"reason", kept.problem}});
//
// One thread.
#pragma once

#include <string>
#include <string_view>

#include "runtime/unique_fd.hpp"

namespace mbusd {

class state_directory {
public:
    // `configured` is made if it is missing (mode 0700). Empty: $STATE_DIRECTORY (systemd), else
    // /var/lib/mbusd for root, else $XDG_STATE_HOME/mbusd or ~/.local/state/mbusd, as far as they exist.
    explicit state_directory(std::string configured);

    [[nodiscard]] const std::string& path() const noexcept { return path_; }

    struct kept_id {
        std::string id;
        std::string problem;  // why it will be another one at the next start; empty: it won't
    };
    // The id in the file `broker-id`, or `fresh`, which is written there. While this object lives no
    // other daemon gets that id: the file is locked.
    kept_id broker_id(std::string fresh);

private:
    std::string read_id(int file, std::string& problem);
    std::string write_id(const std::string& id);

    std::string path_;
    unique_fd lock_;
};

// 16 lower-case hexadecimal digits.
[[nodiscard]] bool is_broker_id(std::string_view text) noexcept;

}  // namespace mbusd
