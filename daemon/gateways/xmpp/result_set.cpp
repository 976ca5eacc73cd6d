#include "gateways/xmpp/result_set.hpp"

#include <algorithm>
#include <charconv>

#include "gateways/xmpp/namespaces.hpp"

namespace mbusd::xmpp {

page_wish page_wish_in(const xml::element& holder, std::size_t most) {
    page_wish out{.max = most};
    const auto* set = holder.child(ns::result_sets, "set");
    if (set == nullptr) return out;
    out.asked = true;
    if (const auto* max = set->child(ns::result_sets, "max")) {
        const auto text = max->text();
        std::from_chars(text.data(), text.data() + text.size(), out.max);
        out.max = std::min(out.max, most);
    }
    if (const auto* after = set->child(ns::result_sets, "after")) out.after = after->text();
    if (const auto* before = set->child(ns::result_sets, "before")) out.before = before->text();
    return out;
}

std::optional<page_range> page_of(const page_wish& wish, std::span<const std::string> ids) {
    const auto count = ids.size();
    if (wish.before) {
        const auto at = std::ranges::find(ids, *wish.before);
        if (!wish.before->empty() && at == ids.end()) return std::nullopt;
        const auto end = wish.before->empty() ? count : static_cast<std::size_t>(at - ids.begin());
        return page_range{end - std::min(end, wish.max), end};
    }
    std::size_t first = 0;
    if (wish.after) {
        const auto at = std::ranges::find(ids, *wish.after);
        if (at == ids.end()) return std::nullopt;
        first = static_cast<std::size_t>(at - ids.begin()) + 1;
    }
    return page_range{first, std::min(count, first + wish.max)};
}

void add_page(xml::element& holder, const page_range& page, std::span<const std::string> ids) {
    auto& set = holder.add(ns::result_sets, "set");
    if (page.size() != 0) {
        set.add(ns::result_sets, "first").set("index", std::to_string(page.first)).add_text(ids[page.first]);
        set.add(ns::result_sets, "last").add_text(ids[page.end - 1]);
    }
    set.add(ns::result_sets, "count").add_text(std::to_string(ids.size()));
}

}  // namespace mbusd::xmpp
