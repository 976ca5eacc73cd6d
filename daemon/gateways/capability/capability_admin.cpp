// What `mbus cap` asks the daemon (docs/daemon-commands.md).
#include <algorithm>
#include <string>
#include <utility>

#include "gateways/capability/capability_paths.hpp"

namespace mbusd {
namespace {

using mbus::value;

value pair(std::string_view key, value what) { return value::list{value{key}, std::move(what)}; }
value number(std::uint64_t what) { return value{static_cast<std::int64_t>(what)}; }

value row_of(const capability& grant) {
    value::list row{pair("id", grant_id(grant.hash)), pair("entity", grant.entity), pair("commands", grant.commands),
                    pair("created-ms", number(grant.created_ms)), pair("durable", grant.stored), pair("session", number(grant.session))};
    if (grant.expires_ms != 0) row.push_back(pair("expires-ms", number(grant.expires_ms)));
    if (grant.uses_left) row.push_back(pair("uses-left", number(*grant.uses_left)));
    if (grant.last_used_ms != 0) row.push_back(pair("used-ms", number(grant.last_used_ms)));
    return row;
}

administration_outcome list(capability_authority& authority, const value::list& arguments) {
    std::vector<std::pair<std::uint64_t, value>> rows;
    authority.for_each([&](const capability& grant) { rows.emplace_back(grant.created_ms, row_of(grant)); });
    std::ranges::stable_sort(rows, {}, [](const auto& row) { return row.first; });
    const auto* asked = arguments.empty() ? nullptr : arguments.front().get_if<std::int64_t>();
    const auto from = asked != nullptr && *asked > 0 ? static_cast<std::size_t>(*asked) : 0;
    const auto end = std::min(rows.size(), from + page_entries_max);
    value::list page;
    for (auto i = from; i < end; ++i) page.push_back(std::move(rows[i].second));
    return {true, true, "",
            {pair("total", number(rows.size())), pair("next", number(end < rows.size() ? end : 0)), pair("grants", std::move(page))}};
}

administration_outcome revoke(capability_authority& authority, const value::list& arguments) {
    const auto* id = arguments.empty() ? nullptr : arguments.front().get_if<std::string>();
    if (id == nullptr) return {false, true, "mbusd.grant-revoke takes the id of a grant as text; 'mbus cap ls' shows it", {},
                                      mbus::errc::bad_command};
    if (!authority.withdraw_id(*id)) return {false, true, "there is no capability URL with the id " + *id + "; 'mbus cap ls' lists them", {}, mbus::errc::not_found};
    return {true, true, "", {}};
}

}  // namespace

void add_capability_requests(administration& requests, capability_authority& authority) {
    const auto guarded = [&authority](auto perform) {
        return [&authority, perform](const value::list& arguments, const granted_rights& rights) -> administration_outcome {
            if (auto no = rights.refuses_administer()) return {false, true, std::move(*no), {}};
            return perform(authority, arguments);
        };
    };
    requests.add_part("grants", guarded(list));
    requests.add_part("grant-revoke", guarded(revoke));
}

}  // namespace mbusd
