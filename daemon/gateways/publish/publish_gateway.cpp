// Credentials, tickets and streams; send.cpp has POST /send.
#include "gateways/publish/publish_gateway.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <mbus_json/message_json.hpp>

namespace mbusd {
namespace {

using mbus::errc;

constexpr std::string_view need_token =
    "this path needs a token: 'Authorization: Bearer TOKEN'; 'mbus client add NAME' makes one";
constexpr std::string_view need_ticket =
    "this path needs a token in 'Authorization: Bearer TOKEN' or, for an EventSource, ?ticket= from POST /events/ticket; "
    "'mbus client add NAME' makes a token";
constexpr std::string_view bad_token = "this token is unknown or was withdrawn; 'mbus client add NAME' makes a new one";
constexpr std::string_view bad_ticket = "this ticket is unknown or too old; POST /events/ticket gives a new one";

}  // namespace

publish_gateway::~publish_gateway() {
    for (const auto& [identity, one] : senders_) hub_.leave(one->handle);
    for (const auto& [id, one] : streams_) hub_.leave(one->handle());
}

void publish_gateway::add_paths(path_table& paths) {
    send_rules_ = &paths.add("/send", {.methods = {"POST"}}, [this](const call_pointer& call) { send(call); });
    paths.add("/events", {.methods = {"GET"}}, [this](const call_pointer& call) { events(call); });
    paths.add("/events/ticket", {.methods = {"POST"}, .body_octets_max = 1024}, [this](const call_pointer& call) { issue_ticket(call); });
    configuration_changed();
}

void publish_gateway::configuration_changed() {
    if (send_rules_ != nullptr) send_rules_->body_octets_max = hub_.configuration().capability.body_octets;
}

publish_gateway::identity_pointer publish_gateway::identify(const call_pointer& call) {
    if (const auto wait = call->blocked_for()) {
        call->too_many_failures(*wait);
        return nullptr;
    }
    const auto token = call->request().bearer();
    auto who = token ? clients_.find_client(*token) : nullptr;
    if (!who) {
        ++counters_.refused;
        call->unauthorized(token ? bad_token : need_token);
    }
    return who;
}

void publish_gateway::issue_ticket(const call_pointer& call) {
    auto who = identify(call);
    if (!who) return;
    const auto ticket = tickets_.issue(hub_.now(), std::move(who));
    if (ticket.empty()) {
        call->respond(call->problem(503, "limit", "too many tickets wait for their stream; try again in a minute").with("Retry-After", "60"));
        return;
    }
    call->respond(http_response::json(200, fmt::format("{{\"v\":1,\"ticket\":\"{}\",\"expires\":{}}}\n", ticket, ticket_patience.count()))
                      .with("Cache-Control", "no-store"));
}

void publish_gateway::events(const call_pointer& call) {
    const auto given = call->request().parameter("ticket");
    if (!given || call->request().bearer()) {
        if (!call->request().bearer() && !call->blocked_for()) {
            ++counters_.refused;
            call->unauthorized(need_ticket);
            return;
        }
        if (const auto who = identify(call)) open_stream(call, who, nullptr);
        return;
    }
    if (const auto wait = call->blocked_for()) return call->too_many_failures(*wait);
    auto* ticket = tickets_.find(hub_.now(), *given);
    if (ticket == nullptr) {
        ++counters_.refused;
        call->unauthorized(bad_ticket);
        return;
    }
    open_stream(call, ticket->who, ticket);
}

void publish_gateway::open_stream(const call_pointer& call, const identity_pointer& who, ticket_table::ticket* ticket) {
    const auto text = call->request().parameter("address");
    if (!text) return call->refuse(400, "bad-address", "name the entity to be: /events?address=(app:ui)");
    const auto wanted = mbus::address::parse_relaxed(*text);
    if (!wanted) return call->refuse(400, "bad-address", "address: " + mbus::describe(wanted.error()));
    if (auto no = who->rights->refuses_attach(*wanted)) return call->refuse(403, "forbidden", *no);
    const auto mine = std::ranges::count_if(streams_, [&](const auto& each) { return each.second->who().user.identity() == who->user.identity(); });
    if (static_cast<std::uint64_t>(mine) >= hub_.configuration().limits.sessions_per_user) {
        return call->refuse(503, "limit", "this client has as many streams as limits.sessions_per_user allows; close one");
    }
    std::string globs;
    for (const auto& [name, value] : call->request().query) {
        if (name == "command" && !value.empty()) globs += (globs.empty() ? "" : ",") + value;
    }
    // An EventSource that comes back may be faster than the news that it had gone.
    if (ticket != nullptr && ticket->stream != 0) end_stream(ticket->stream);
    auto stream = std::make_unique<event_stream>(who, std::move(globs), counters_.streams);
    const auto handle = hub_.join(*stream, *wanted, {});
    if (!handle) {
        const int status = handle.error().code == errc::conflict ? 409 : 503;
        return call->refuse(status, to_string(handle.error().code), handle.error().text);
    }
    const auto id = ++last_stream_;
    if (ticket != nullptr) {
        ticket->stream = id;
        ticket->until = mbus::mbws::never;
    }
    ++counters_.streams_opened;
    auto& opened = *streams_.emplace(id, std::move(stream)).first->second;
    call->on_closed([this, id, alive = std::weak_ptr{alive_}] {
        if (!alive.expired()) end_stream(id);
    });
    opened.begin(*call, *handle, hub_.entity(*handle)->address);
    if (!std::exchange(beating_, true)) beat();
}

void publish_gateway::end_stream(std::uint64_t id) {
    const auto found = streams_.find(id);
    if (found == streams_.end()) return;
    // Closing tells on_closed, which comes back here.
    const auto gone = std::move(found->second);
    streams_.erase(found);
    hub_.leave(gone->handle());
    gone->close();
    tickets_.stream_ended(hub_.now(), id);
}

void publish_gateway::end_streams_of(std::string_view identity) {
    tickets_.withdraw_of(identity);
    std::vector<std::uint64_t> theirs;
    for (const auto& [id, stream] : streams_) {
        if (stream->who().user.identity() == identity) theirs.push_back(id);
    }
    for (const auto id : theirs) end_stream(id);
}

// While there are streams.
void publish_gateway::beat() {
    after_(heartbeat, [this, alive = std::weak_ptr{alive_}] {
        if (alive.expired()) return;
        std::vector<std::uint64_t> all;
        for (const auto& [id, stream] : streams_) all.push_back(id);
        for (const auto id : all) {
            if (const auto found = streams_.find(id); found != streams_.end()) found->second->beat();
        }
        if (streams_.empty()) beating_ = false;
        else beat();
    });
}

}  // namespace mbusd
