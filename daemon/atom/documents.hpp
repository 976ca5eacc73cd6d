// Feed and service documents (RFC 4287, section 4.1.1; RFC 5023, sections 8 and 10).
//
//     auto feed = feed_document({.id = ..., .title = ..., .updated_ms = ..., .author = ..., .self = ...});
//     feed.add(as_shown(entry, how));                // newest first
//     auto text = document_text(feed);               // with XML declaration
//
// Thread-safety: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "atom/entry.hpp"
#include "xml/element.hpp"

namespace mbusd::atom {

struct feed_facts {
    std::string id{};
    std::string title{};
    std::string subtitle{};   // empty: none
    std::uint64_t updated_ms = 0;
    person author{};
    std::string self{};       // URI of this part of the feed
    std::string first{};      // URI of its first part
    std::string next{};       // URI of the next part; empty: this is the last one
    std::string alternate{};  // its address in XMPP; empty: none
};
[[nodiscard]] xml::element feed_document(const feed_facts& facts);

struct collection {
    std::string href{};
    std::string title{};
};
[[nodiscard]] xml::element service_document(std::string_view workspace, const std::vector<collection>& collections);

[[nodiscard]] std::string document_text(const xml::element& root);

// `<XRD>` of /.well-known/host-meta and its JSON twin (RFC 6415; XEP-0156): where the WebSocket is.
[[nodiscard]] xml::element host_meta(std::string_view websocket_url);
[[nodiscard]] std::string host_meta_json(std::string_view websocket_url);

// "a%20b%2Fc": everything but unreserved characters is encoded (RFC 3986, section 2).
[[nodiscard]] std::string uri_encoded(std::string_view text);

}  // namespace mbusd::atom
