#include <mbus/events.hpp>

#include <utility>

namespace mbus {

const std::vector<command>& received_message::commands() const {
    if (!std::exchange(taken_apart_, true) && type.empty()) {
        // The daemon has checked every body that it hands on.
        if (auto those = parse_commands(body)) commands_ = std::move(*those);
    }
    return commands_;
}

void received_message::set_commands(std::vector<command> those) {
    commands_ = std::move(those);
    taken_apart_ = true;
}

}  // namespace mbus
