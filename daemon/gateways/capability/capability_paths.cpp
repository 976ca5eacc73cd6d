#include "gateways/capability/capability_paths.hpp"

#include <charconv>
#include <utility>

#include <fmt/format.h>
#include <mbus_json/message_json.hpp>

#include "http/field_text.hpp"

namespace mbusd {
namespace {

using mbus::errc;
namespace json = mbus::json;

constexpr std::string_view cap_path = "/cap/";
constexpr std::chrono::minutes sweep_period{1};

// Answers are for the caller alone, and the URL that they answer to is a secret.
http_response secret(http_response answer) {
    return std::move(answer).with("Cache-Control", "no-store").with("Referrer-Policy", "no-referrer");
}

http_response refusal(int status, std::string_view code, std::string_view text, std::size_t offset = mbus::error::no_offset) {
    std::string body = R"({"v":1,"result":"refused","code":)";
    json::append_string(body, code);
    body += ",\"text\":";
    json::append_string(body, text);
    if (offset != mbus::error::no_offset) body += fmt::format(",\"offset\":{}", offset);
    return secret(http_response::json(status, body + "}\n"));
}

void append_entity(std::string& body, std::string_view address) {
    body += ",\"entity\":";
    if (const auto who = mbus::address::parse(address)) json::append_address(body, *who);
    else body += "null";
}

std::string uses_text(const std::optional<std::uint64_t>& uses) { return uses ? std::to_string(*uses) : "null"; }

// What a message that could not be queued means for who posted it.
int status_of(errc code) noexcept {
    switch (code) {
    case errc::too_large: return 413;
    case errc::bad_command:
    case errc::bad_value: return 400;
    case errc::overflow:
    case errc::rate:
    case errc::limit:
    case errc::shutting_down: return 503;
    default: return 502;
    }
}

http_response queued_answer(std::string_view entity, const std::optional<std::uint64_t>& uses_left) {
    std::string body = R"({"v":1,"result":"queued")";
    append_entity(body, entity);
    return secret(http_response::json(202, body + ",\"uses_left\":" + uses_text(uses_left) + "}\n"));
}

http_response reply_answer(const call_outcome& how, std::string_view entity, mbus::mbws::time_point now, mbus::mbws::time_point since) {
    std::string body = R"({"v":1,"result":"replied")";
    append_entity(body, entity);
    body += fmt::format(",\"ok\":{},\"status\":", how.reply.status == "OK");
    json::append_string(body, how.reply.status);
    body += ",\"code\":";
    json::append_string(body, how.reply.code);
    body += ",\"text\":";
    json::append_string(body, how.reply.text);
    body += ",\"results\":";
    if (!json::append_value(body, how.reply.results)) body += "null";
    body += fmt::format(",\"took\":{}}}\n", std::chrono::duration_cast<std::chrono::milliseconds>(now - since).count());
    return secret(http_response::json(200, std::move(body)));
}

http_response no_reply_answer(std::string_view entity, std::chrono::seconds waited) {
    std::string body = R"({"v":1,"result":"no-reply","delivered":true)";
    append_entity(body, entity);
    body += ",\"code\":\"timed-out\",\"text\":";
    json::append_string(body, fmt::format("the message is in the client's queue, but no reply came within {} s", waited.count()));
    return secret(http_response::json(504, body + "}\n"));
}

}  // namespace

std::optional<std::chrono::seconds> preferred_wait(std::string_view prefer, std::uint64_t most) {
    std::optional<std::chrono::seconds> out;
    static_cast<void>(http::any_item(prefer, [&](std::string_view item) {
        const auto equals = item.find('=');
        if (equals == std::string_view::npos || !http::same_word(http::trimmed(item.substr(0, equals)), "wait")) return false;
        auto written = http::trimmed(item.substr(equals + 1));
        written = http::trimmed(written.substr(0, written.find(';')));
        if (written.size() >= 2 && written.front() == '"' && written.back() == '"') written = written.substr(1, written.size() - 2);
        std::uint64_t seconds = 0;
        const auto read = std::from_chars(written.data(), written.data() + written.size(), seconds);
        const bool huge = read.ec == std::errc::result_out_of_range;
        if (read.ptr != written.data() + written.size() || (read.ec != std::errc{} && !huge)) return false;
        if (huge || seconds > most) seconds = most;
        if (seconds > 0) out = std::chrono::seconds{seconds};
        return true;
    }));
    return out;
}

void capability_gateway::add_paths(path_table& paths) {
    rules_ = &paths.add(cap_path, {.methods = {"GET", "POST"}, .body_octets_max = 0, .pages = foreign_pages::allowed},
                        [this](const call_pointer& call) { handle(call); });
    configuration_changed();
}

void capability_gateway::configuration_changed() {
    if (rules_ != nullptr) rules_->body_octets_max = hub_.configuration().capability.body_octets;
}

void capability_gateway::start() {
    after_(sweep_period, [this, alive = std::weak_ptr{alive_}] {
        if (alive.expired()) return;
        authority_.sweep();
        start();
    });
}

void capability_gateway::not_found(const call_pointer& call) {
    ++counters_.unknown;
    call->respond(refusal(404, "not-found", "there is no such capability URL"));
}

void capability_gateway::handle(const call_pointer& call) {
    const std::string_view path = call->request().path;
    auto* grant = authority_.find(path.substr(std::min(path.size(), cap_path.size())));
    if (grant == nullptr) return not_found(call);
    if (const auto wait = grant->rate.take(hub_.now(), hub_.configuration().capability.rate_per_second)) {
        ++counters_.refused_rate;
        call->respond(refusal(429, "rate", fmt::format("this URL takes {} requests a second; try again in {} s",
                                                       hub_.configuration().capability.rate_per_second, wait->count()))
                          .with("Retry-After", std::to_string(wait->count())));
        return;
    }
    if (call->request().method == "POST") post(call, *grant);
    else describe(call, *grant);
}

void capability_gateway::describe(const call_pointer& call, const capability& grant) {
    std::string body = R"({"v":1,"commands":[)";
    bool first = true;
    static_cast<void>(http::any_item(grant.commands.empty() ? std::string_view{"*"} : std::string_view{grant.commands}, [&](std::string_view glob) {
        if (!std::exchange(first, false)) body += ',';
        json::append_string(body, glob);
        return false;
    }));
    body += "],\"expires\":";
    if (grant.expires_ms != 0) json::append_string(body, json::format_timestamp(grant.expires_ms));
    else body += "null";
    body += ",\"uses_left\":" + uses_text(grant.uses_left);
    append_entity(body, grant.entity);
    body += R"(,"transports":[{"transport":"http","method":"POST","content_types":["application/json","text/plain","application/mbus","*/*"])";
    body += fmt::format(",\"body_octets_max\":{}", hub_.configuration().capability.body_octets);
    body += R"(},{"transport":"mbws","address":)";
    json::append_string(body, grant.entity);
    call->respond(secret(http_response::json(200, body + "}]}\n")));
}

void capability_gateway::post(const call_pointer& call, capability& grant) {
    const auto& limits = hub_.configuration().capability;
    auto posted = read_posted_body(call->request().header("Content-Type"), call->request().body);
    if (!posted) {
        ++counters_.refused_body;
        call->respond(refusal(400, to_string(posted.error().code), mbus::describe(posted.error()), posted.error().offset));
        return;
    }
    const auto* entity = grant.handle != 0 ? hub_.entity(static_cast<mbus::protocol::entity_handle>(grant.handle)) : nullptr;
    auto globs = std::string_view{grant.commands};
    auto forbidden = posted->first_forbidden(globs);
    if (!forbidden && entity != nullptr && posted->type.empty()) {
        globs = entity->commands;  // what its own attach does not take would be filtered out on the way
        forbidden = posted->first_forbidden(globs);
    }
    if (forbidden) {
        ++counters_.refused_command;
        const auto* hint = posted->type.empty() ? "" : "; commands need 'Content-Type: application/json' or 'text/plain'";
        call->respond(refusal(403, "forbidden", fmt::format("this URL does not take the command {}; it takes {}{}", *forbidden, globs, hint)));
        return;
    }
    auto wait = posted->question ? preferred_wait(call->request().header("Prefer"), limits.wait_seconds_max) : std::nullopt;
    if (wait && desk_.waiting() >= limits.waiting) {
        call->respond(refusal(503, "limit", "as many requests wait for a reply as capability.waiting allows; try again").with("Retry-After", "1"));
        return;
    }
    if (grant.stored && !hub_.store_problem().empty()) {
        ++counters_.undeliverable;
        call->respond(refusal(503, "internal", hub_.store_problem()).with("Retry-After", "5"));
        return;
    }
    const auto since = hub_.now();
    const auto left = authority_.take_use(grant);
    const std::string to = grant.entity;  // the grant may go meanwhile
    desk_.deliver(to, *posted, wait, [this, call, wait, since, left, hash = grant.hash, to](const call_outcome& how) {
        switch (how.what) {
        case call_outcome::stage::refused:
            authority_.give_use_back(hash);
            undeliverable(call, how.report);
            return;
        case call_outcome::stage::queued:
            authority_.use_done(hash);
            ++counters_.queued;
            if (!wait) call->respond(queued_answer(to, left));
            return;
        case call_outcome::stage::replied:
            ++counters_.replied;
            call->respond(reply_answer(how, to, hub_.now(), since).with("Preference-Applied", fmt::format("wait={}", wait->count())));
            return;
        case call_outcome::stage::no_reply:
            ++counters_.unanswered;
            call->respond(no_reply_answer(to, *wait).with("Preference-Applied", fmt::format("wait={}", wait->count())));
            return;
        }
    });
}

void capability_gateway::undeliverable(const call_pointer& call, const mbus::mbws::route_report& report) {
    // Its session has ended, or did not come back after a restart.
    if (report.code == errc::no_match || report.code == errc::left) return not_found(call);
    ++counters_.undeliverable;
    const int status = status_of(report.code);
    auto answer = refusal(status, to_string(report.code), report.text);
    call->respond(status == 503 ? std::move(answer).with("Retry-After", "1") : std::move(answer));
}

}  // namespace mbusd
