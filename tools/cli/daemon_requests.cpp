#include "cli/daemon_requests.hpp"

namespace mbus::tools {
namespace {

using namespace std::chrono_literals;

// The daemon is on this host and answers from memory.
constexpr std::chrono::milliseconds age_limit = 1s;

std::string_view host_of(const address& whom) {
    const auto id = whom.find("id").value_or("");
    const auto at = id.rfind('@');
    return at == std::string_view::npos ? std::string_view{} : id.substr(at + 1);
}

// Daemons of links may have the same host part: every host calls itself 127.0.0.1 on a bus that
// stays on it.
result<std::vector<address>> own_daemons(session& bus, entity& me, std::chrono::milliseconds limit) {
    auto found = bus.await(bus.bus().peers("(app:mbusd module:mbusd)"), limit);
    if (!found) return std::move(found).error();
    std::vector<address> out;
    for (auto& one : *found) {
        if (host_of(one.address) == host_of(me.address())) out.push_back(std::move(one.address));
    }
    if (out.empty()) return {errc::not_found, "the daemon's own entity (app:mbusd module:mbusd) is not on the bus"};
    return out;
}

}  // namespace

result<address> own_daemon(session& bus, entity& me, std::chrono::milliseconds limit) {
    auto found = own_daemons(bus, me, limit);
    if (!found) return std::move(found).error();
    return std::move(found->front());
}

result<value::list> ask_daemon(session& bus, entity& me, std::string_view question, std::chrono::milliseconds limit,
                               value::list arguments) {
    auto daemons = own_daemons(bus, me, limit);
    if (!daemons) return std::move(daemons).error();
    error failure;
    for (const auto& daemon : *daemons) {
        auto answer = bus.await(me.request(daemon, command{std::string{question}, arguments}, limit), limit);
        if (answer) return std::move(answer->results);
        failure = std::move(answer).error();
        // The one that means us answers, or says what right we lack.
        if (failure.text.find("only programs of its own host") == std::string::npos) break;
    }
    if (failure.code == errc::remote_failed && failure.text.find("refused") != std::string::npos) failure.code = errc::forbidden;
    if (failure.code == errc::remote_failed && failure.text.find("exists already") != std::string::npos) failure.code = errc::conflict;
    return failure;
}

result<void> each_row(session& bus, entity& me, std::string_view question, std::string_view list,
                      std::chrono::milliseconds limit, const std::function<bool(const value::list& row)>& visit) {
    std::int64_t from = 0;
    for (;;) {
        const auto page = ask_daemon(bus, me, question, limit, {value{from}});
        if (!page) return page.error();
        for (const auto& one : list_at(*page, list)) {
            const auto* row = one.get_if<value::list>();
            if (row != nullptr && !visit(*row)) return {};
        }
        // Never back: a list that changes meanwhile must not be a circle.
        const auto next = number_at(*page, "next").value_or(0);
        if (next <= from) return {};
        from = next;
    }
}

std::optional<std::chrono::milliseconds> daemon_age(session& bus, entity& me) {
    const auto status = ask_daemon(bus, me, "mbusd.status", age_limit);
    if (!status) return std::nullopt;
    const auto age = number_at(*status, "uptime-ms");
    return age ? std::optional{std::chrono::milliseconds{*age}} : std::nullopt;
}

const value* value_at(const value::list& pairs, std::string_view name) noexcept {
    for (const auto& one : pairs) {
        const auto* pair = one.get_if<value::list>();
        if (pair == nullptr || pair->size() < 2) continue;
        const auto* key = pair->front().get_if<std::string>();
        if (key != nullptr && *key == name) return &(*pair)[1];
    }
    return nullptr;
}

std::optional<std::int64_t> number_at(const value::list& pairs, std::string_view name) noexcept {
    const auto* found = value_at(pairs, name);
    const auto* number = found != nullptr ? found->get_if<std::int64_t>() : nullptr;
    return number != nullptr ? std::optional{*number} : std::nullopt;
}

std::string text_at(const value::list& pairs, std::string_view name) {
    const auto* found = value_at(pairs, name);
    const auto* text = found != nullptr ? found->get_if<std::string>() : nullptr;
    return text != nullptr ? *text : std::string{};
}

const value::list& list_at(const value::list& pairs, std::string_view name) noexcept {
    static const value::list none;
    const auto* found = value_at(pairs, name);
    const auto* list = found != nullptr ? found->get_if<value::list>() : nullptr;
    return list != nullptr ? *list : none;
}

}  // namespace mbus::tools
