#include "feeds/request_form.hpp"

#include <utility>

namespace mbusd {
namespace {

using mbus::symbol;
using mbus::value;

value pair(const char* key, value what) { return value::list{value{key}, std::move(what)}; }

}  // namespace

std::optional<request_form> request_of(const mbus::command& what) {
    if (what.arguments.size() != 2 || what.name.ends_with(".return")) return std::nullopt;
    const auto* head = what.arguments[0].get_if<value::list>();
    const auto* arguments = what.arguments[1].get_if<value::list>();
    if (head == nullptr || arguments == nullptr) return std::nullopt;
    for (const auto& each : *head) {
        const auto* entry = each.get_if<value::list>();
        if (entry == nullptr || entry->size() != 2) continue;
        const auto* key = entry->front().get_if<std::string>();
        if (key != nullptr && *key == "ID") return request_form{(*entry)[1], *arguments};
    }
    return std::nullopt;
}

mbus::command answer_to(const std::string& name, const mbus::value& id, request_result result) {
    const auto code = result.known ? result.code : mbus::errc::not_found;
    const char* status = result.ok ? "OK" : result.known ? "FAILED" : "UNKNOWN";
    value::list head{pair("ID", id), pair("RPC-STATUS", status)};
    value::list tail{value::list{symbol{result.ok ? "OK" : "FAILED"}, symbol{result.ok ? "OK" : std::string{to_string(code)}},
                                 value{std::move(result.text)}},
                     std::move(result.results)};
    return {name + ".return", {std::move(head), std::move(tail)}};
}

}  // namespace mbusd
