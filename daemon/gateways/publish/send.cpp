// POST /send: one message of a client that has a token (docs/http-api.md).
#include <charconv>
#include <utility>

#include <fmt/format.h>
#include <mbus_json/message_json.hpp>
#include <mbus_json/request_json.hpp>

#include "gateways/publish/publish_gateway.hpp"
#include "http/field_text.hpp"

namespace mbusd {
namespace {

using mbus::errc;
using mbus::mbws::route_report;
using mbus::mbws::route_status;
namespace json = mbus::json;

// What is to be sent, whichever way it was written.
struct posted_message {
    std::optional<mbus::address> to;
    std::string type;  // empty: commands
    std::string body;
    bool reliable = false;
    std::uint32_t ttl = 0;
};

int status_of(errc code) noexcept {
    switch (code) {
    case errc::bad_address:
    case errc::bad_command:
    case errc::bad_value:
    case errc::syntax: return 400;
    case errc::forbidden: return 403;
    case errc::too_large: return 413;
    case errc::no_match:
    case errc::not_unique: return 422;
    case errc::not_acknowledged:
    case errc::left:
    case errc::expired: return 504;
    default: return 503;
    }
}

http_response refusal(int status, const mbus::error& why) {
    std::string body = R"({"v":1,"result":"refused","code":)";
    json::append_string(body, to_string(why.code));
    body += ",\"text\":";
    json::append_string(body, mbus::describe(why));
    if (why.offset != mbus::error::no_offset) body += fmt::format(",\"offset\":{}", why.offset);
    return http_response::json(status, body + "}\n").with("Cache-Control", "no-store");
}

mbus::result<bool> flag_of(const http_request& request, std::string_view name) {
    const auto given = request.parameter(name);
    if (!given || *given == "0" || *given == "false" || *given == "no") return false;
    if (given->empty() || *given == "1" || *given == "true" || *given == "yes") return true;
    return {errc::bad_value, fmt::format("{} is true or false", name)};
}

mbus::result<std::uint32_t> ttl_of(const http_request& request) {
    const auto given = request.parameter("ttl");
    if (!given) return std::uint32_t{0};
    std::uint32_t read = 0;
    const auto* end = given->data() + given->size();
    const auto done = std::from_chars(given->data(), end, read);
    if (done.ec == std::errc{} && done.ptr == end) return read;
    return {errc::bad_value, "ttl is a number of milliseconds"};
}

mbus::result<void> read_json(posted_message& into, std::string_view body) {
    auto read = json::parse_posted(body, json::request_members::with_address);
    if (!read) return std::move(read).error();
    auto text = mbus::format_commands(read->commands);
    if (!text) return std::move(text).error();
    into.body = std::move(*text);
    if (read->to) into.to = std::move(read->to);
    into.reliable |= read->reliable;
    if (read->ttl) into.ttl = *read->ttl;
    return {};
}

mbus::result<posted_message> read_posted(const http_request& request) {
    posted_message out;
    if (const auto to = request.parameter("to")) {
        auto read = mbus::address::parse_relaxed(*to);
        if (!read) return mbus::error{errc::bad_address, "to: " + read.error().text, read.error().offset};
        out.to = std::move(*read);
    }
    const auto reliable = flag_of(request, "reliable");
    if (!reliable) return reliable.error();
    out.reliable = *reliable;
    const auto ttl = ttl_of(request);
    if (!ttl) return ttl.error();
    out.ttl = *ttl;
    const auto type = request.header("Content-Type");
    const auto essence = http::lowered(http::trimmed(std::string_view{type}.substr(0, type.find(';'))));
    if (essence == "application/json") {
        if (auto done = read_json(out, request.body); !done) return std::move(done).error();
    } else {
        if (!essence.empty() && essence != "text/plain" && essence != "application/mbus") out.type = type;
        out.body = request.body;
    }
    if (!out.to) {
        return {errc::bad_address, "the receiver is missing: \"to\" in the JSON, or ?to=ADDRESS; \"()\" is everyone"};
    }
    return out;
}

}  // namespace

void publish_gateway::send(const call_pointer& call) {
    const auto who = identify(call);
    if (!who) return;
    const auto posted = read_posted(call->request());
    if (!posted) {
        ++counters_.refused;
        call->respond(refusal(status_of(posted.error().code), posted.error()));
        return;
    }
    const auto from = entity_of(who);
    if (!from) {
        ++counters_.refused;
        call->respond(refusal(503, from.error()));
        return;
    }
    const outgoing_message message{.from = *from, .to = posted->to->text(), .type = posted->type, .body = posted->body,
                                   .reliable = posted->reliable, .receipt_wanted = true, .ttl = posted->ttl};
    route_report report;
    const bool reliable = posted->reliable;
    const auto later = [this, call, reliable, alive = std::weak_ptr{alive_}](const route_report& how) {
        if (!alive.expired()) sent(call, reliable, how);
    };
    switch (hub_.send(hub_.now(), message, who->rights.get(), report, later)) {
    case route_status::refused: report.failed = true; [[fallthrough]];
    case route_status::routed: sent(call, reliable, report); break;
    case route_status::receipt_later:
    case route_status::take_over_later: break;
    }
}

void publish_gateway::sent(const call_pointer& call, bool reliable, const route_report& report) {
    if (report.failed) {
        ++counters_.refused;
        const int status = status_of(report.code);
        auto answer = refusal(status, {report.code, report.text});
        call->respond(status == 503 ? std::move(answer).with("Retry-After", "1") : std::move(answer));
        return;
    }
    ++counters_.sent;
    std::string body = fmt::format(R"({{"v":1,"result":"{}","matched":{})", reliable ? "acknowledged" : "sent", report.matched);
    if (reliable) {
        body += ",\"entity\":";
        if (const auto entity = mbus::address::parse(report.entity)) json::append_address(body, *entity);
        else body += "null";
        body += fmt::format(",\"tried\":{},\"took\":{}", report.tried, report.took);
    }
    call->respond(http_response::json(200, body + "}\n").with("Cache-Control", "no-store"));
}

// Receivers see who it was: (app:mbusd client:NAME module:send).
mbus::result<mbus::protocol::entity_handle> publish_gateway::entity_of(const identity_pointer& who) {
    const auto& user = who->user;
    const auto identity = user.identity();
    auto& place = senders_[identity];
    if (place && hub_.entity(place->handle) != nullptr) {
        place->used = hub_.now();
        place->speak_for(who);
        return place->handle;
    }
    auto address = mbus::address::parse("(app:mbusd module:send)").value();
    if (auto named = address.with("client", user.client.empty() ? user.name : user.client)) address = std::move(*named);
    auto made = std::make_unique<sender>(identity + " over HTTP", who);
    auto handle = hub_.join(*made, address, {});
    if (!handle) {
        senders_.erase(identity);
        return handle;
    }
    made->handle = *handle;
    made->used = hub_.now();
    place = std::move(made);
    if (!std::exchange(sweeping_, true)) leave_idle();
    return handle;
}

void publish_gateway::leave_idle() {
    after_(sender_idle, [this, alive = std::weak_ptr{alive_}] {
        if (alive.expired()) return;
        std::erase_if(senders_, [this](const auto& each) {
            if (hub_.now() - each.second->used < sender_idle) return false;
            hub_.leave(each.second->handle);
            return true;
        });
        if (senders_.empty()) sweeping_ = false;
        else leave_idle();
    });
}

}  // namespace mbusd
