#include "protocol/payload_reader.hpp"

#include <algorithm>

namespace mbus::protocol {
namespace {

constexpr std::string_view reserved_prefix = "mbus.";  // section 5.3: no profile may use it

bool has_no_parameters(std::string_view arguments) noexcept {
    return arguments.find_first_not_of(" \t", 1) == arguments.size() - 1;
}

}  // namespace

void payload_reader::begin(std::string_view payload, dialect reading) noexcept {
    payload_ = payload;
    reading_ = reading;
    views_.clear();
    kept_ = malformed_ = unknown_ = 0;
    first_kept_ = {};
    rewrite_ = mbus_ = hello_ = bye_ = ping_ = waiting_ = go_ = false;
}

void payload_reader::take_bare(std::string_view command, std::size_t name_octets) {
    begin(command, dialect::rfc);
    kept_ = 1;
    first_kept_ = command.substr(0, name_octets);
    views_.push_back({{first_kept_, command.substr(name_octets)}, true});
}

result<void> payload_reader::read(std::string_view payload, dialect reading) {
    begin(payload, reading);
    command_scanner scan{payload, reading};
    while (const auto* const next = scan.next()) {
        const bool reserved = next->name.starts_with(reserved_prefix);
        mbus_ = mbus_ || reserved;
        const bool kept = !reserved || keep_mbus(*next, reading);
        if (kept && kept_++ == 0) first_kept_ = next->name;
        views_.push_back({*next, kept});
    }
    rewrite_ = scan.needs_rewrite();
    if (scan.failed()) return scan.failure();
    return {};
}

bool payload_reader::keep_mbus(const command_view& what, dialect reading) {
    const auto name = what.name.substr(reserved_prefix.size());
    if (name == "waiting") return keep_condition(what, reading, waiting_);
    if (name == "go") return keep_condition(what, reading, go_);
    const bool quit = name == "quit";
    bool* const seen = name == "hello" ? &hello_ : name == "bye" ? &bye_ : name == "ping" ? &ping_ : nullptr;
    if (seen == nullptr && !quit) {
        ++unknown_;
        return false;
    }
    if (!has_no_parameters(what.arguments)) {
        ++malformed_;
        return false;
    }
    if (seen != nullptr) *seen = true;
    return quit;
}

// waiting and go carry exactly one symbol (sections 9.5 and 9.6); UCL writes a string (trap M3).
bool payload_reader::keep_condition(const command_view& what, dialect reading, bool& seen) {
    const auto parsed = parse_value(what.arguments, reading);
    const auto* const arguments = parsed ? parsed->get_if<value::list>() : nullptr;
    const bool one = arguments != nullptr && arguments->size() == 1;
    if (!one || !(arguments->front().is<symbol>() ||
                  (reading == dialect::legacy && arguments->front().is<std::string>()))) {
        ++malformed_;
        return false;
    }
    return seen = true;
}

void payload_reader::write_kept(std::string& out) const {
    out.clear();
    if (kept_ == views_.size() && !rewrite_) {
        out.assign(payload_);
        return;
    }
    for (const auto& each : views_)
        if (each.kept) out.append(each.view.name).append(each.view.arguments).append("\r\n");
    if (!rewrite_) return;
    const auto parsed = parse_commands(out, reading_);
    if (!parsed) return;  // not possible: every command was read before
    if (auto written = format_commands(*parsed)) out = std::move(*written);
}

result<void> payload_reader::write_all(std::string& out, dialect writing) const {
    out.clear();
    if (!rewrite_ && writing == dialect::rfc) {
        for (const auto& each : views_) out.append(each.view.name).append(each.view.arguments).append("\r\n");
        return {};
    }
    const auto parsed = parse_commands(payload_, reading_);
    if (!parsed) return parsed.error();
    auto written = format_commands(*parsed, writing);
    if (!written) return std::move(written).error();
    out = std::move(*written);
    return {};
}

}  // namespace mbus::protocol
