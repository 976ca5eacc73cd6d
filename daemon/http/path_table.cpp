#include "http/path_table.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace mbusd {
namespace {

bool fits(const path_table::endpoint& entry, std::string_view path) noexcept {
    const bool prefix = entry.path.size() > 1 && entry.path.back() == '/';
    return prefix ? path.starts_with(entry.path) : path == entry.path;
}

}  // namespace

endpoint_rules& path_table::add(std::string_view path, endpoint_rules rules, http_handler handle) {
    const auto taken = std::ranges::any_of(endpoints_, [&](const auto& each) { return each->path == path; });
    if (path.empty() || path.front() != '/' || taken) throw std::invalid_argument("a path is added once and begins with '/'");
    endpoints_.push_back(std::make_unique<endpoint>(endpoint{std::string{path}, std::move(rules), std::move(handle)}));
    return endpoints_.back()->rules;
}

const path_table::endpoint* path_table::find(std::string_view path) const noexcept {
    const endpoint* best = nullptr;
    for (const auto& each : endpoints_) {
        if (fits(*each, path) && (best == nullptr || each->path.size() > best->path.size())) best = each.get();
    }
    return best;
}

}  // namespace mbusd
