// Feeds, service documents, host-meta.
#include "atom_lab.hpp"

#include "atom/documents.hpp"
#include "atom/names.hpp"

using namespace atom_test;
using namespace mbusd::atom;

TEST_CASE("a feed has id, title, updated, author and its links (RFC 4287 s4.1.1) [xmpp 86]") {
    const auto feed = feed_document({.id = "http://h/atom/n", .title = "News & more", .updated_ms = 0, .author = {"ann", "xmpp:ann@h"},
                                     .self = "http://h/atom/n", .next = "http://h/atom/n?before=7"});
    const auto text = document_text(feed);
    CHECK(text.starts_with("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">"));
    const auto again = parse(text);
    for (const char* name : {"id", "title", "updated", "author"}) CHECK(again.elements(atom_namespace, name).size() == 1);
    CHECK(again.child(atom_namespace, "title")->text() == "News & more");
    const auto links = again.elements(atom_namespace, "link");
    REQUIRE(links.size() == 2);
    CHECK(links[0]->value_of("rel") == "self");
    CHECK(links[1]->value_of("rel") == "next");
}

TEST_CASE("a service document names its collections and what they take (RFC 5023 s8) [xmpp 85]") {
    const auto service = service_document("Feeds", {{"http://h/atom/n", "News"}});
    const auto* space = service.child(app_namespace, "workspace");
    REQUIRE(space != nullptr);
    CHECK(space->child(atom_namespace, "title")->text() == "Feeds");
    const auto* row = space->child(app_namespace, "collection");
    REQUIRE(row != nullptr);
    CHECK(row->value_of("href") == "http://h/atom/n");
    CHECK(row->child(atom_namespace, "title")->text() == "News");
    CHECK(row->child(app_namespace, "accept")->text() == "application/atom+xml;type=entry");
}

TEST_CASE("host-meta names the WebSocket, or nothing (XEP-0156) [xmpp 97]") {
    CHECK(document_text(host_meta("wss://h/xmpp")).find("<Link rel=\"urn:xmpp:alt-connections:websocket\" href=\"wss://h/xmpp\"/>") != std::string::npos);
    CHECK(host_meta_json("wss://h/xmpp") == "{\"links\":[{\"rel\":\"urn:xmpp:alt-connections:websocket\",\"href\":\"wss://h/xmpp\"}]}\n");
    CHECK(host_meta_json("") == "{\"links\":[]}\n");
}

TEST_CASE("parts of URIs are encoded but for unreserved characters (RFC 3986 s2.3)") {
    CHECK(uri_encoded("a-b_c.d~1") == "a-b_c.d~1");
    CHECK(uri_encoded("a b/c?#%\xC3\xA4") == "a%20b%2Fc%3F%23%25%C3%A4");
}
