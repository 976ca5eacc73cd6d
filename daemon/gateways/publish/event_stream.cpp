#include "gateways/publish/event_stream.hpp"

#include <utility>

#include <fmt/format.h>
#include <mbus_json/message_json.hpp>

namespace mbusd {
namespace {

namespace json = mbus::json;

// The line of docs/json.md; empty for a message that has no such form.
std::string line_of(const message_source& source, std::string_view body) {
    json::message_record record;
    if (source.time != 0 && source.time <= json::timestamp_max) record.timestamp = source.time;
    record.interface = source.interface;
    record.sequence_number = source.sequence;
    record.type = source.reliable ? mbus::message_type::reliable : mbus::message_type::unreliable;
    if (auto from = mbus::address::parse(source.from)) record.source = std::move(*from);
    if (auto to = mbus::address::parse(source.to)) record.destination = std::move(*to);
    auto commands = mbus::parse_commands(body);
    if (!commands) return {};
    record.commands = std::move(*commands);
    auto line = json::format_message(record);
    return line ? std::move(*line) : std::string{};
}

}  // namespace

void event_stream::begin(exchange& call, mbus::protocol::entity_handle handle, const mbus::address& entity) {
    handle_ = handle;
    http_response head{.status = 200, .type = "text/event-stream"};
    // Nginx keeps what it proxies until a buffer is full, unless told.
    out_ = call.start_stream(std::move(head).with("Cache-Control", "no-store").with("X-Accel-Buffering", "no"));
    if (!out_) return;
    std::string first = R"(event: attached
data: {"v":1,"entity":)";
    json::append_address(first, entity);
    out_->write(first + "}\n\n");
}

acceptance event_stream::offer(mbus::mbws::time_point, local_entity&, message_forms& forms, const mbus::mbws::delivery&, delivery_ticket) {
    const auto* ready = forms.for_receiver({}, commands_);
    if (ready == nullptr || !out_) return acceptance::taken;  // its own filter
    const auto line = line_of(forms.source(), (*ready)->body());
    if (line.empty()) return acceptance::too_large;
    if (out_->waiting() + line.size() > events_waiting_octets_max) {
        if (forms.source().reliable) {
            ++counters_.refused;
            return acceptance::refused;
        }
        ++missed_;
        ++counters_.missed;
        return acceptance::dropped;
    }
    tell_missed();
    ++counters_.events;
    out_->write(fmt::format("id: {}\nevent: message\ndata: {}\n\n", ++last_id_, line));
    return acceptance::taken;
}

void event_stream::tell_missed() {
    if (missed_ == 0) return;
    out_->write(fmt::format("event: missed\ndata: {{\"v\":1,\"missed\":{}}}\n\n", std::exchange(missed_, 0)));
}

void event_stream::beat() {
    if (!out_ || out_->waiting() > events_waiting_octets_max) return;
    tell_missed();
    out_->write(":\n\n");
}

void event_stream::close() {
    if (auto out = std::exchange(out_, nullptr)) out->close();
}

}  // namespace mbusd
