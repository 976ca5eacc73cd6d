#include "config/reload.hpp"

#include <fmt/format.h>

#include "config/key_table.hpp"

namespace mbusd {

reload_plan plan_reload(const settings& running, const config_reading& fresh) {
    reload_plan plan;
    plan.values = fresh.values;
    for (const auto& problem : fresh.problems) plan.refusals.push_back(problem.text);
    if (!plan.refusals.empty()) return plan;

    for (const auto& key : key_table()) {
        const auto before = value_text(key, running);
        const auto after = value_text(key, fresh.values);
        if (before == after) continue;
        if (key.reloadable) {
            plan.changes.push_back(fmt::format("{}: {} -> {}", key.name, before, after));
            continue;
        }
        const auto origin = fresh.origins.find(key.name);
        plan.refusals.push_back(fmt::format("{}: {} can't change from {} to {} while mbusd runs; undo it, or restart mbusd",
                                            origin == fresh.origins.end() ? "(now the default)" : origin->second,
                                            key.name, before, after));
    }
    if (!(running.rights == fresh.values.rights)) plan.changes.emplace_back("rights: the rules have changed");
    if (running.links != fresh.values.links) plan.changes.emplace_back("link: the links have changed");
    return plan;
}

}  // namespace mbusd
