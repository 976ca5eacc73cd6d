// Which resource a path below /atom/ names: the service, a node's feed, or one entry. Node and item ids
// stand percent-encoded in it, so that any of them can.
//
//     auto what = feed_path::parse("/atom/a%2Fb/1");   // node "a/b", item "1"
//     auto path = what->text();                        // "/atom/a%2Fb/1"
//
// Thread-safety: plain values.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mbusd {

struct feed_path {
    std::string node{};  // empty: the service document
    std::string item{};  // empty: the feed

    // Nothing for what can't name anything: too many parts, no UTF-8, control characters.
    [[nodiscard]] static std::optional<feed_path> parse(std::string_view encoded_path);
    [[nodiscard]] std::string text() const;
    // "xmpp:pubsub.bus.example?;node=news;item=1" (RFC 5122; XEP-0060, section 12.22).
    [[nodiscard]] std::string xmpp_uri(std::string_view domain) const;
};

}  // namespace mbusd
