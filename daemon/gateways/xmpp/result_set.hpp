// Long lists page by page (XEP-0059).
//
//     const auto wish = page_wish_in(query, rows_max);
//     const auto page = page_of(wish, ids);             // nothing: the id that it names is not there
//     for (auto i = page->first; i < page->end; ++i) add(rows[i]);
//     if (wish.asked || page->size() < ids.size()) add_page(answer, *page, ids);
//
// Thread-safety: pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "xml/element.hpp"

namespace mbusd::xmpp {

struct page_wish {
    std::size_t max = 0;                 // rows, at most what the service gives
    std::optional<std::string> after{};  // the id of the row before the page
    std::optional<std::string> before{}; // the id of the row after it; empty: the last page
    bool asked = false;                  // there was a <set/>
};

struct page_range {
    std::size_t first = 0;
    std::size_t end = 0;
    [[nodiscard]] std::size_t size() const noexcept { return end - first; }
};

// Of the <set/> in `holder`. A <max/> that is no number counts as none.
[[nodiscard]] page_wish page_wish_in(const xml::element& holder, std::size_t most);
[[nodiscard]] std::optional<page_range> page_of(const page_wish& wish, std::span<const std::string> ids);
// <set/> with the first, the last and the number of all.
void add_page(xml::element& holder, const page_range& page, std::span<const std::string> ids);

}  // namespace mbusd::xmpp
