// The Atom Publishing Protocol (RFC 5023) in front of publish-subscribe.
#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "atom/names.hpp"
#include "gateways/atom/atom_gateway.hpp"
#include "gateways/atom/host_meta.hpp"
#include "http/field_text.hpp"
#include "support/fake_exchange.hpp"
#include "xml/reader.hpp"

using namespace mbusd;
using http_test::fake_exchange;

namespace {

constexpr std::string_view base = "http://127.0.0.1:8407";
const std::string entry_text =
    "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:uuid:1225c695-cfb8-4ebb-aaaa-80da344efa6a</id><title>Dawn</title>"
    "<updated>2026-11-21T06:00:00Z</updated><content>c</content></entry>";

// ann and bob have tokens "ann" and "bob"; ann's password is "secret".
struct people final : client_directory {
    std::shared_ptr<const peer_identity> find_client(std::string_view token) override {
        if (token != "ann" && token != "bob") return nullptr;
        return find_named(token);
    }
    std::shared_ptr<const peer_identity> find_named(std::string_view name) override {
        auto out = std::make_shared<peer_identity>();
        out->user.client = name;
        return out;
    }
};

struct heard final : pubsub::listener {
    void notify(std::string_view, const pubsub::event&) override {}
    void changed(const pubsub::event& what) override {
        if (what.what == pubsub::event::kind::published) lines.push_back((what.fresh ? "new " : "again ") + what.item_id);
        if (what.what == pubsub::event::kind::retracted) lines.push_back("gone " + what.item_id);
    }
    void approval_wanted(const std::vector<std::string>&, const pubsub::subscription&) override {}
    std::vector<std::string> lines;
};

struct atom_lab {
    atom_lab() {
        feeds.add(events);
        gateway.use_passwords([this](std::string_view name, std::string_view password) {
            return name == "ann" && password == "secret" ? clients.find_client("ann") : nullptr;
        });
        gateway.add_paths(web.paths);
        add_host_meta(web.paths);
        values.xmpp.enabled = true;
        REQUIRE(feeds.nodes().create({"ann@bus.example"}, "news", {{"pubsub#title", {"News"}}}));
    }
    ~atom_lab() { feeds.forget(events); }

    std::shared_ptr<fake_exchange> call(std::string method, std::string path, std::string body = {}, std::vector<header_field> headers = {},
                                        std::string_view token = "ann") {
        if (!token.empty()) headers.push_back({"Authorization", "Bearer " + std::string{token}});
        http_request request;
        request.method = std::move(method);
        request.headers = std::move(headers);
        request.body = std::move(body);
        request.client = "127.0.0.1";
        if (const auto query = path.find('?'); query != std::string::npos) {
            request.query = *http::query_pairs(std::string_view{path}.substr(query + 1));
            path.resize(query);
        }
        request.encoded_path = path;
        request.path = *http::percent_decoded(path, false);
        auto out = web.call(std::move(request));
        REQUIRE(out->answer);
        return out;
    }
    std::shared_ptr<fake_exchange> post(std::string body = entry_text, std::vector<header_field> headers = {}, std::string path = "/atom/news") {
        headers.push_back({"Content-Type", "application/atom+xml;type=entry"});
        return call("POST", std::move(path), std::move(body), std::move(headers));
    }
    std::shared_ptr<fake_exchange> put(const std::string& path, std::string body, std::vector<header_field> headers = {}) {
        headers.push_back({"Content-Type", "application/atom+xml"});
        return call("PUT", path, std::move(body), std::move(headers));
    }
    static std::string path_of(const std::shared_ptr<fake_exchange>& made) { return made->header("Location").substr(base.size()); }
    static xml::element parsed(const std::shared_ptr<fake_exchange>& answer) {
        xml::document_reader reader;
        auto out = reader.read(answer->body());
        REQUIRE_MESSAGE(out, answer->body());
        return *out;
    }

    settings values;
    std::uint64_t now = 1'700'000'000'000;
    logger log{level::error};
    turn_queue turns{[](const std::function<void()>& run) { run(); }};
    store kept{{}, [](const std::function<void()>& run) { run(); }, log};
    feed_home feeds{{.domain = "bus.example"}, kept, turns, [](std::chrono::milliseconds, const std::function<void()>&) {}, [this] { return ++now; }, log};
    heard events;
    people clients;
    atom_gateway gateway{feeds, clients, [this]() -> const settings& { return values; }, [](std::size_t n) { return std::string(n, 'r'); }};
    http_test::path_caller web;
};

std::vector<std::string> links_of(const xml::element& in, std::string_view rel) {
    std::vector<std::string> out;
    for (const auto* each : in.elements(atom::atom_namespace, "link")) {
        if (each->value_of("rel") == rel) out.emplace_back(each->value_of("href"));
    }
    return out;
}

}  // namespace

TEST_CASE("the service document lists the feeds (RFC 5023 s8) [xmpp 85]") {
    atom_lab lab;
    const auto got = lab.call("GET", "/atom/", {}, {}, {});
    CHECK(got->status() == 200);
    CHECK(got->answer->type == "application/atomsvc+xml");
    const auto root = atom_lab::parsed(got);
    const auto* row = root.child(atom::app_namespace, "workspace")->child(atom::app_namespace, "collection");
    REQUIRE(row != nullptr);
    CHECK(row->value_of("href") == std::string{base} + "/atom/news");
    CHECK(lab.call("GET", "/atom/", {}, {{"If-None-Match", got->header("ETag")}}, {})->status() == 304);
    CHECK(lab.call("GET", "/atom", {}, {}, {})->status() == 308);
}

TEST_CASE("POST makes an entry, with what its author left out, and an event (RFC 5023 s9.2) [xmpp 87] [xmpp 88]") {
    atom_lab lab;
    const auto made = lab.post("<entry xmlns='http://www.w3.org/2005/Atom'><title>t</title></entry>", {{"Slug", "A Day"}});
    CHECK(made->status() == 201);
    CHECK(made->header("Location") == std::string{base} + "/atom/news/a-day");
    CHECK(made->header("Content-Location") == made->header("Location"));
    const auto entry = atom_lab::parsed(made);
    CHECK(entry.child(atom::atom_namespace, "id")->text().starts_with("urn:uuid:"));
    CHECK(entry.child(atom::atom_namespace, "author")->child(atom::atom_namespace, "name")->text() == "ann");
    CHECK(links_of(entry, "edit") == std::vector<std::string>{made->header("Location")});
    CHECK(links_of(entry, "alternate") == std::vector<std::string>{"xmpp:pubsub.bus.example?;node=news;item=a-day"});
    CHECK(lab.post(entry_text, {{"Slug", "A Day"}})->header("Location") == std::string{base} + "/atom/news/a-day-2");
    CHECK(lab.events.lines == std::vector<std::string>{"new a-day", "new a-day-2"});
}

TEST_CASE("GET of a member has type and ETag, and 304 for who knows it (RFC 9110 s13.1.2) [xmpp 89]") {
    atom_lab lab;
    const auto made = lab.post();
    const auto got = lab.call("GET", atom_lab::path_of(made));
    CHECK(got->status() == 200);
    CHECK(got->answer->type == "application/atom+xml;type=entry");
    CHECK(got->header("ETag") == made->header("ETag"));
    CHECK(got->body() == made->body());
    const auto same = lab.call("GET", atom_lab::path_of(made), {}, {{"If-None-Match", "W/" + got->header("ETag")}});
    CHECK(same->status() == 304);
    CHECK(same->body().empty());
}

TEST_CASE("PUT with the current ETag changes the entry, with an old one nothing (RFC 5023 s9.5) [xmpp 90]") {
    atom_lab lab;
    const auto made = lab.post();
    const auto path = atom_lab::path_of(made);
    const std::string next =
        "<entry xmlns='http://www.w3.org/2005/Atom'><title>Noon</title><id>urn:other:1</id><updated>2026-11-21T12:00:00Z</updated></entry>";
    const auto changed = lab.put(path, next, {{"If-Match", made->header("ETag")}});
    CHECK(changed->status() == 200);
    CHECK(changed->header("ETag") != made->header("ETag"));
    CHECK(atom_lab::parsed(changed).child(atom::atom_namespace, "id")->text() == "urn:uuid:1225c695-cfb8-4ebb-aaaa-80da344efa6a");
    const auto stale = lab.put(path, entry_text, {{"If-Match", made->header("ETag")}});
    CHECK(stale->status() == 412);
    CHECK(lab.call("DELETE", path, {}, {{"If-Match", made->header("ETag")}})->status() == 412);
    CHECK(lab.call("GET", path)->header("ETag") == changed->header("ETag"));
    REQUIRE(lab.events.lines.size() == 2);
    CHECK(lab.events.lines[1].starts_with("again "));
}

TEST_CASE("what was shown can be sent back as it is, and stays the same entry") {
    atom_lab lab;
    const auto made = lab.post();
    const auto again = lab.put(atom_lab::path_of(made), made->body());
    CHECK(again->status() == 200);
    const auto entry = atom_lab::parsed(again);
    CHECK(links_of(entry, "edit").size() == 1);
    CHECK(links_of(entry, "alternate").size() == 1);
    CHECK(entry.elements(atom::app_namespace, "edited").size() == 1);
}

TEST_CASE("DELETE retracts; then there is nothing at any place [xmpp 91]") {
    atom_lab lab;
    const auto path = atom_lab::path_of(lab.post());
    CHECK(lab.call("DELETE", path)->status() == 204);
    CHECK(lab.call("GET", path)->status() == 404);
    CHECK(lab.call("DELETE", path)->status() == 404);
    CHECK(lab.put(path, entry_text)->status() == 404);
    CHECK(atom_lab::parsed(lab.call("GET", "/atom/news")).child(atom::atom_namespace, "entry") == nullptr);
    CHECK(lab.events.lines.back().starts_with("gone "));
}

TEST_CASE("a feed has what a feed needs, newest first, and comes in parts that repeat nothing [xmpp 86] [xmpp 94]") {
    atom_lab lab;
    lab.values.atom.page_entries = 3;
    for (int i = 0; i < 8; ++i) lab.post(entry_text, {{"Slug", "e" + std::to_string(i)}});
    std::vector<std::string> seen;
    std::string path = "/atom/news";
    for (int parts = 0; !path.empty() && parts < 5; ++parts) {
        const auto got = lab.call("GET", path, {}, {}, {});
        REQUIRE(got->status() == 200);
        CHECK(got->answer->type == "application/atom+xml;type=feed");
        const auto feed = atom_lab::parsed(got);
        for (const char* name : {"id", "title", "updated", "author"}) CHECK(feed.elements(atom::atom_namespace, name).size() == 1);
        CHECK(links_of(feed, "self") == std::vector<std::string>{std::string{base} + path});
        for (const auto* each : feed.elements(atom::atom_namespace, "entry")) {
            CHECK(each->elements(atom::app_namespace, "edited").size() == 1);
            seen.push_back(links_of(*each, "edit").at(0).substr(base.size()));
        }
        const auto next = links_of(feed, "next");
        path = next.empty() ? std::string{} : next[0].substr(base.size());
        // What is new meanwhile does not shift the rest.
        if (parts == 0) lab.post(entry_text, {{"Slug", "late"}});
    }
    CHECK(seen == std::vector<std::string>{"/atom/news/e7", "/atom/news/e6", "/atom/news/e5", "/atom/news/e4", "/atom/news/e3", "/atom/news/e2",
                                           "/atom/news/e1", "/atom/news/e0"});
    CHECK(lab.call("GET", "/atom/news?before=x")->status() == 400);
}

TEST_CASE("bad bodies are refused with the reason, and change nothing [xmpp 92]") {
    atom_lab lab;
    CHECK(lab.post("<entry")->status() == 400);
    CHECK(lab.post("")->status() == 400);
    CHECK(lab.post("<!DOCTYPE entry [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><entry xmlns='http://www.w3.org/2005/Atom'>&x;</entry>")->status() == 400);
    CHECK(lab.post("<feed xmlns='http://www.w3.org/2005/Atom'/>")->status() == 400);
    CHECK(lab.post("<note/>")->status() == 422);
    const auto untitled = lab.post("<entry xmlns='http://www.w3.org/2005/Atom'/>");
    CHECK(untitled->status() == 422);
    CHECK(untitled->body().find("exactly one title") != std::string::npos);
    std::string deep = "<entry xmlns='http://www.w3.org/2005/Atom'><title>t</title>";
    for (int i = 0; i < 20000; ++i) deep += "<a>";
    CHECK(lab.post(deep)->status() == 400);
    CHECK(lab.call("POST", "/atom/news", entry_text, {{"Content-Type", "text/plain"}})->status() == 415);
    CHECK(lab.call("POST", "/atom/news", entry_text, {{"Content-Type", "application/atom+xml"}})->status() == 201);
    CHECK(lab.events.lines.size() == 1);
}

TEST_CASE("foreign markup, XHTML and every character survive [xmpp 93]") {
    atom_lab lab;
    const auto made = lab.post(
        "<?xml version='1.0'?><!-- a comment --><entry xmlns='http://www.w3.org/2005/Atom' xml:lang='de'><title>\xC3\xA4\xF0\x9F\x98\x80</title>"
        "<m:mood xmlns:m='urn:m' m:how='fine'>a&lt;b<m:x/></m:mood>"
        "<content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>a <b>b</b> c</div></content></entry>");
    REQUIRE(made->status() == 201);
    const auto entry = atom_lab::parsed(lab.call("GET", atom_lab::path_of(made)));
    CHECK(entry.child(atom::atom_namespace, "title")->text() == "\xC3\xA4\xF0\x9F\x98\x80");
    CHECK(entry.get(xml::xml_namespace, "lang") == "de");
    const auto* mood = entry.child("urn:m", "mood");
    REQUIRE(mood != nullptr);
    CHECK(mood->get("urn:m", "how") == "fine");
    CHECK(mood->text() == "a<b");
    CHECK(entry.child(atom::atom_namespace, "content")->child(atom::xhtml_namespace, "div")->text() == "a  c");
}

TEST_CASE("methods that a path does not take get 405 with Allow; writing needs credentials [xmpp 95]") {
    atom_lab lab;
    const auto wrong = lab.call("POST", "/atom/", entry_text);
    CHECK(wrong->status() == 405);
    CHECK(wrong->header("Allow") == "GET, HEAD, OPTIONS");
    CHECK(lab.call("DELETE", "/atom/news")->header("Allow") == "GET, HEAD, POST, OPTIONS");
    CHECK(lab.call("POST", "/atom/news/i")->header("Allow") == "GET, HEAD, PUT, DELETE, OPTIONS");
    const auto stranger = lab.call("POST", "/atom/news", entry_text, {}, {});
    CHECK(stranger->status() == 401);
    CHECK(stranger->header("WWW-Authenticate").starts_with("Bearer"));
    CHECK(stranger->failed_credentials == 0);
    const auto unknown = lab.call("GET", "/atom/news", {}, {}, "nobody");
    CHECK(unknown->status() == 401);
    CHECK(unknown->failed_credentials == 1);
    CHECK(lab.call("POST", "/atom/news", entry_text, {{"Content-Type", "application/atom+xml"}}, "bob")->status() == 403);
    CHECK(lab.post(entry_text, {}, "/atom/other")->status() == 404);
    lab.values.atom.auto_create = true;
    CHECK(lab.post(entry_text, {}, "/atom/other")->status() == 201);
}

TEST_CASE("passwords of accounts are taken where nobody can listen") {
    atom_lab lab;
    const auto basic = [&](std::string client, std::string credentials) {
        http_request request;
        request.method = "GET";
        request.path = request.encoded_path = "/atom/news";
        request.headers = {{"Authorization", "Basic " + credentials}};
        request.client = std::move(client);
        return lab.web.call(std::move(request))->status();
    };
    CHECK(basic("127.0.0.1", "YW5uOnNlY3JldA==") == 200);                     // ann:secret
    CHECK(basic("::1", "YW5uQGJ1cy5leGFtcGxlOnNlY3JldA==") == 200);           // ann@bus.example:secret
    CHECK(basic("127.0.0.1", "YW5uOndyb25n") == 401);                         // ann:wrong
    CHECK(basic("127.0.0.1", "%%%") == 401);
    CHECK(basic("10.0.0.9", "YW5uOnNlY3JldA==") == 403);
}

TEST_CASE("a feed that is not open is not shown to strangers") {
    atom_lab lab;
    REQUIRE(lab.feeds.nodes().create({"ann@bus.example"}, "secret", {{"pubsub#access_model", {"whitelist"}}}));
    CHECK(lab.call("GET", "/atom/secret", {}, {}, {})->status() == 401);
    CHECK(lab.call("GET", "/atom/secret", {}, {}, "bob")->status() == 403);
    CHECK(lab.call("GET", "/atom/secret")->status() == 200);
    CHECK(lab.call("GET", "/atom/", {}, {}, "bob")->body().find("secret") == std::string::npos);
    lab.values.atom.anonymous_read = false;
    CHECK(lab.call("GET", "/atom/news", {}, {}, {})->status() == 401);
}

TEST_CASE("what was published elsewhere is in the feed, with an edit link [xmpp 96]") {
    atom_lab lab;
    xml::document_reader reader;
    REQUIRE(lab.feeds.nodes().publish({"ann@bus.example/x"}, "news", "a/b", *reader.read(entry_text), {}));
    const auto feed = atom_lab::parsed(lab.call("GET", "/atom/news"));
    const auto* entry = feed.child(atom::atom_namespace, "entry");
    REQUIRE(entry != nullptr);
    CHECK(links_of(*entry, "edit") == std::vector<std::string>{std::string{base} + "/atom/news/a%2Fb"});
    CHECK(lab.call("GET", "/atom/news/a%2Fb")->status() == 200);
    CHECK(lab.feeds.nodes().retract({"ann@bus.example/x"}, "news", "a/b", true));
    CHECK(lab.call("GET", "/atom/news/a%2Fb")->status() == 404);
}

TEST_CASE("host-meta names the WebSocket, for pages from anywhere (XEP-0156) [xmpp 97]") {
    atom_lab lab;
    const auto xrd = lab.call("GET", "/.well-known/host-meta", {}, {}, {});
    CHECK(xrd->body().find("href=\"ws://127.0.0.1:8407/xmpp\"") != std::string::npos);
    CHECK(xrd->header("Access-Control-Allow-Origin") == "*");
    CHECK(lab.call("GET", "/.well-known/host-meta.json", {}, {}, {})->body().find("urn:xmpp:alt-connections:websocket") != std::string::npos);
}
