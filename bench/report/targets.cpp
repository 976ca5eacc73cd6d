#include "report/targets.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "report/format.hpp"

namespace bench {
namespace {

enum class against : std::uint8_t {
    row,        // so many times the result of another row
    best_peer,  // of the best peer of the work
    value,      // a number in the result's own unit
};

struct target {
    const char* id;  // of mbusd's row
    const char* figure;
    bool at_least;  // else at most
    against what;
    const char* other;  // against::row: the subject beside it
    double factor;
    const char* unit = "";  // against::value
    bool no_loss = false;
};

// Now and then a buffer grows; no message does that by itself.
constexpr double no_allocation = 0.001;
// One read and one write of each connection; the counters are read one after the other, hence the hundredth.
constexpr double one_a_look = 1.01;

constexpr target targets[] = {
    {"local-1-1/mbusd", "rate", true, against::row, "relay", 0.4},
    {"local-1-1/mbusd", "rate", true, against::row, "nats", 2.5},
    {"local-1-16/mbusd", "rate", true, against::row, "relay", 0.4},
    {"local-1-16/mbusd", "rate", true, against::best_peer, "", 3},
    {"local-1k/mbusd", "rate", true, against::row, "relay", 0.5},
    {"round-trip-one-core/mbusd", "p50", false, against::row, "relay", 1.3},
    {"loopback-1-1/mbusd-sha1", "rate", true, against::value, "", 1.2e6, "/s", true},
    {"veth-1-1/mbusd-sha1", "rate", true, against::value, "", 0.8e6, "/s", true},
    {"veth-round-trip-one-core/mbusd-sha1", "p50", false, against::row, "relays-single", 1.3},
    {"local-1-1/mbusd-reliable", "rate", true, against::value, "", 0.3e6, "/s", true},
    {"discovery/mbusd", "p50", false, against::value, "", 3, "ms"},
    {"websocket-100/mbusd", "rate", true, against::row, "nats", 2},
    {"idle/mbusd", "resident, 1000 clients", false, against::value, "", 12, "MB"},
    {"growth-entities/mbusd-1000", "cpu server", false, against::row, "mbusd-1", 1.2},
    {"growth-addresses/mbusd-10000", "cpu server", false, against::row, "mbusd-1", 1.2},
    {"local-1-1/mbusd", "allocations", false, against::value, "", no_allocation},
    {"local-1-1/mbusd-windowed", "allocations", false, against::value, "", no_allocation},
    {"local-1-1/mbusd-reliable", "allocations", false, against::value, "", no_allocation},
    {"local-1-16/mbusd", "allocations", false, against::value, "", no_allocation},
    {"veth-1-1/mbusd-sha1", "allocations", false, against::value, "", no_allocation},
    {"websocket-100/mbusd", "allocations", false, against::value, "", no_allocation},
    {"local-1-1/mbusd", "reads per look", false, against::value, "", one_a_look},
    {"local-1-1/mbusd", "writes per look", false, against::value, "", one_a_look},
};

const row* find(const std::vector<row>& rows, std::string_view id) {
    const auto at = std::ranges::find(rows, id, &row::id);
    return at == rows.end() ? nullptr : &*at;
}

const figure* figure_of(const row* from, std::string_view name) {
    if (from == nullptr) return nullptr;
    const auto at = std::ranges::find(from->figures, name, &figure::name);
    return at == from->figures.end() ? nullptr : &*at;
}

const row* best_peer(const std::vector<row>& rows, std::string_view work, std::string_view name, bool most) {
    const row* best = nullptr;
    for (const auto& each : rows) {
        if (each.what != kind::peer || each.work_id() != work || figure_of(&each, name) == nullptr) continue;
        if (best == nullptr || (figure_of(&each, name)->value > figure_of(best, name)->value) == most)
            best = &each;
    }
    return best;
}

const row* other_of(const std::vector<row>& rows, const target& one) {
    const std::string_view id = one.id;
    const auto work = id.substr(0, id.find('/'));
    if (one.what == against::best_peer) return best_peer(rows, work, one.figure, one.at_least);
    return find(rows, std::string{work} + "/" + one.other);
}

judgement judge_one(const std::vector<row>& rows, const target& one) {
    const auto* const ours = find(rows, one.id);
    const auto* const result = figure_of(ours, one.figure);
    const std::string bound = one.at_least ? "at least " : "at most ";
    judgement out;
    out.work = ours != nullptr ? ours->work + ", " + ours->subject : one.id;
    if (ours != nullptr && !ours->figures.empty() && ours->figures.front().name != one.figure)
        out.work += std::string{": "} + one.figure;
    double limit = one.factor;
    std::string beside;
    if (one.what == against::value) {
        out.must = bound + formatted({"", one.factor, one.unit});
    } else {
        const auto* const other = other_of(rows, one);
        const auto* const its = figure_of(other, one.figure);
        out.must = bound + number(one.factor) + " x " +
                   (other != nullptr                 ? other->subject
                    : one.what == against::best_peer ? "the best peer"
                                                     : one.other);
        if (its == nullptr || result == nullptr) return out;
        limit = one.factor * its->value;
        beside =
            number(result->value / its->value) + " x: " + formatted(*result) + " beside " + formatted(*its);
    }
    if (result == nullptr) return out;
    out.found = beside.empty() ? formatted(*result) : beside;
    const auto lost = one.no_loss ? ours->value("lost").value_or(0) : 0;
    if (one.no_loss) {
        out.must += ", no loss";
        out.found += lost > 0 ? ", " + number(lost) + " lost" : ", none lost";
    }
    const bool good = one.at_least ? result->value >= limit : result->value <= limit;
    out.how = good && lost == 0 ? verdict::reached : verdict::missed;
    return out;
}

}  // namespace

std::string_view to_string(verdict which) noexcept {
    constexpr auto words = std::to_array<std::string_view>({"reached", "missed", "not measured"});
    return words.at(static_cast<std::size_t>(which));
}

std::vector<judgement> judge(const std::vector<row>& rows) {
    std::vector<judgement> out;
    for (const auto& each : targets) out.push_back(judge_one(rows, each));
    return out;
}

}  // namespace bench
