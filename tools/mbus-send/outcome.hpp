// What became of one message, for people and as JSON.
//
// Thread-safety: plain values and pure functions.
#pragma once

#include <optional>
#include <string>

#include <mbus/events.hpp>
#include <mbus/result.hpp>

#include "cli/exit_code.hpp"

namespace mbus::tools {

struct send_outcome {
    address to;
    bool reliable = false;
    std::optional<std::uint32_t> matched{};  // unreliable
    std::optional<delivery> delivered{};     // reliable
    std::optional<error> failure{};

    [[nodiscard]] bool nobody() const noexcept {
        return failure ? failure->code == errc::no_match : (matched && *matched == 0);
    }
    [[nodiscard]] exit_code status() const noexcept;
};

// {"v":1,"ok":true,"type":"R","dst":{..},"entity":{..},"tried":1,"took":3}
// {"v":1,"ok":true,"type":"U","dst":{..},"matched":2}
// {"v":1,"ok":false,"type":"R","dst":{..},"code":"no-match","text":".."}
[[nodiscard]] std::string outcome_json(const send_outcome& outcome);

// "acknowledged by (app:b id:..) after 1 transmission, 3 ms"
[[nodiscard]] std::string outcome_text(const send_outcome& outcome);

}  // namespace mbus::tools
