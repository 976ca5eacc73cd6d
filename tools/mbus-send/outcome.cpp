#include "mbus-send/outcome.hpp"

#include <fmt/format.h>
#include <mbus_json/message_json.hpp>

#include "cli/text.hpp"

namespace mbus::tools {
namespace {

std::string nobody_text(const address& to) {
    return fmt::format("nobody matched {}; who is there: mbus peers; wait for it: --wait-for 1", to.text());
}

}  // namespace

exit_code send_outcome::status() const noexcept {
    if (nobody()) return exit_code::nobody_matched;
    return failure ? exit_code_of(failure->code) : exit_code::ok;
}

std::string outcome_json(const send_outcome& outcome) {
    const bool ok = outcome.status() == exit_code::ok;
    std::string out = fmt::format(R"({{"v":1,"ok":{},"type":"{}","dst":)", ok, outcome.reliable ? 'R' : 'U');
    json::append_address(out, outcome.to);
    if (outcome.matched) out += fmt::format(",\"matched\":{}", *outcome.matched);
    if (outcome.delivered) {
        out += ",\"entity\":";
        json::append_address(out, outcome.delivered->by);
        out += fmt::format(",\"tried\":{},\"took\":{}", outcome.delivered->tried, outcome.delivered->took.count());
    }
    if (!ok) {
        out += fmt::format(",\"code\":\"{}\",\"text\":", to_string(outcome.nobody() ? errc::no_match : outcome.failure->code));
        json::append_string(out, outcome_text(outcome));
    }
    return out + "}";
}

std::string outcome_text(const send_outcome& outcome) {
    if (outcome.nobody()) return nobody_text(outcome.to);
    if (outcome.failure) {
        const auto& failure = *outcome.failure;
        return failure.text.empty() ? fmt::format("{} for {}", to_string(failure.code), outcome.to.text()) : failure.text;
    }
    if (outcome.delivered) {
        const auto& by = *outcome.delivered;
        return fmt::format("acknowledged by {} after {} transmission{}, {} ms", by.by.text(), by.tried, plural(by.tried), by.took.count());
    }
    if (outcome.matched) return fmt::format("sent to {}: {} match{}", outcome.to.text(), *outcome.matched, *outcome.matched == 1 ? "" : "es");
    return fmt::format("sent to {}", outcome.to.text());
}

}  // namespace mbus::tools
