#include "gateways/atom/feed_path.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "atom/documents.hpp"
#include "http/field_text.hpp"
#include "message/text.hpp"

namespace mbusd {

std::optional<feed_path> feed_path::parse(std::string_view encoded_path) {
    std::vector<std::string> parts;
    while (!encoded_path.empty()) {
        encoded_path.remove_prefix(1);  // the '/'
        const auto end = std::min(encoded_path.find('/'), encoded_path.size());
        auto part = http::percent_decoded(encoded_path.substr(0, end), false);
        if (!part || !mbus::text::is_utf8_without_controls(*part)) return std::nullopt;
        parts.push_back(std::move(*part));
        encoded_path.remove_prefix(end);
    }
    // "atom", node, item; a '/' at the end is one part more that is empty.
    if (parts.size() > 1 && parts.back().empty()) parts.pop_back();
    if (parts.empty() || parts.size() > 3 || parts.front() != "atom") return std::nullopt;
    if (std::ranges::any_of(parts, [](const auto& each) { return each.empty(); })) return std::nullopt;
    feed_path out;
    if (parts.size() > 1) out.node = std::move(parts[1]);
    if (parts.size() > 2) out.item = std::move(parts[2]);
    return out;
}

std::string feed_path::text() const {
    std::string out = "/atom/";
    out += atom::uri_encoded(node);
    if (!item.empty()) out += '/' + atom::uri_encoded(item);
    return out;
}

std::string feed_path::xmpp_uri(std::string_view domain) const {
    std::string out = "xmpp:pubsub.";
    out.append(domain).append("?;node=").append(atom::uri_encoded(node));
    if (!item.empty()) out.append(";item=").append(atom::uri_encoded(item));
    return out;
}

}  // namespace mbusd
