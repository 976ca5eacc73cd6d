#include "router/request_reply.hpp"

#include <charconv>
#include <string_view>
#include <utility>

namespace mbusd {
namespace {

using mbus::value;

value property(std::string_view name, std::string text) { return value{value::list{value{name}, value{std::move(text)}}}; }

std::string text_of(const value& what) {
    if (const auto* text = what.get_if<std::string>()) return *text;
    if (const auto* word = what.get_if<mbus::symbol>()) return word->name;
    if (const auto* number = what.get_if<std::int64_t>()) return std::to_string(*number);
    return {};
}

// The text beside `name` in `(("ID" "7") ("RPC-STATUS" "OK"))`.
std::string property_of(const value& head, std::string_view name) {
    const auto* pairs = head.get_if<value::list>();
    if (pairs == nullptr) return {};
    for (const auto& each : *pairs) {
        const auto* pair = each.get_if<value::list>();
        if (pair != nullptr && pair->size() == 2 && text_of(pair->front()) == name) return text_of(pair->back());
    }
    return {};
}

}  // namespace

mbus::result<std::string> request_text(std::uint64_t id, const mbus::command& question) {
    const mbus::command asked{question.name, {value{value::list{property("ID", std::to_string(id)), property("RPC-TYPE", "UNICAST")}},
                                              value{value::list(question.arguments.begin(), question.arguments.end())}}};
    auto text = mbus::format_commands({&asked, 1});
    if (!text) return mbus::error{mbus::errc::bad_command, std::move(text).error().text};
    return text;
}

std::string reply_name(const mbus::command& question) { return question.name + ".return"; }

std::optional<std::uint64_t> answered_request(const mbus::command& what) {
    if (what.arguments.empty()) return std::nullopt;
    const auto written = property_of(what.arguments.front(), "ID");
    std::uint64_t id = 0;
    const auto [end, fault] = std::from_chars(written.data(), written.data() + written.size(), id);
    return fault == std::errc{} && end == written.data() + written.size() ? std::optional{id} : std::nullopt;
}

request_reply reply_of(const mbus::command& answer) {
    request_reply out;
    if (answer.arguments.empty()) return out;
    out.status = property_of(answer.arguments.front(), "RPC-STATUS");
    const auto* body = answer.arguments.size() > 1 ? answer.arguments[1].get_if<value::list>() : nullptr;
    if (body == nullptr) return out;
    const auto* verdict = !body->empty() ? body->front().get_if<value::list>() : nullptr;
    const auto* results = body->size() > 1 ? (*body)[1].get_if<value::list>() : nullptr;
    if (verdict == nullptr || results == nullptr || verdict->size() < 2) {
        out.results = *body;
        return out;
    }
    out.code = text_of((*verdict)[1]);
    if (verdict->size() > 2) out.text = text_of((*verdict)[2]);
    out.results = *results;
    return out;
}

}  // namespace mbusd
