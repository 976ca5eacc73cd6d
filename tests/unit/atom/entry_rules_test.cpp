// What an entry must hold (RFC 4287, section 4.1.2). [xmpp 92] [xmpp 93]
#include "atom_lab.hpp"

#include "atom/entry_rules.hpp"

using namespace atom_test;
using mbusd::atom::entry_fault;

namespace {

std::string fault_of(std::string_view more) { return entry_fault(entry(more)).value_or(""); }

std::string fault_of_whole(std::string_view inside) {
    return entry_fault(parse("<entry xmlns='http://www.w3.org/2005/Atom'>" + std::string{inside} + "</entry>")).value_or("");
}

}  // namespace

TEST_CASE("an entry with id, title and updated is one, also without author and content") {
    CHECK(fault_of("") == "");
    CHECK(fault_of("\n <summary>s</summary>\n <author><name>Ann</name></author>\n") == "");
}

TEST_CASE("id, title and updated are there exactly once, and the sentence says which is not") {
    CHECK(fault_of_whole("<id>urn:x:1</id><updated>2026-11-21T06:00:00Z</updated>") == "an entry has exactly one title; this one has none");
    CHECK(fault_of_whole("<title>t</title><updated>2026-11-21T06:00:00Z</updated>") == "an entry has exactly one id; this one has none");
    CHECK(fault_of_whole("<title>t</title><id>urn:x:1</id>") == "an entry has exactly one updated; this one has none");
    CHECK(fault_of("<title>again</title>") == "an entry has exactly one title; this one has 2");
    CHECK(fault_of("<content>a</content><content>b</content>") == "an entry has at most one content; this one has 2");
}

TEST_CASE("ids are IRIs and dates are dates") {
    CHECK(fault_of_whole("<id>no iri</id><title/><updated>2026-11-21T06:00:00Z</updated>").find("the id of an entry is an IRI") == 0);
    CHECK(fault_of_whole("<id>urn:x:1</id><title/><updated>today</updated>").find("the updated is a date such as") == 0);
    CHECK(fault_of("<published>2026-02-30T06:00:00Z</published>").find("the published is a date") == 0);
}

TEST_CASE("text constructs are of type text, html or xhtml and hold what their type says (s3.1)") {
    CHECK(fault_of("<summary type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>a <b>b</b></div></summary>") == "");
    CHECK(fault_of("<summary type='html'>a &lt;b&gt;b&lt;/b&gt;</summary>") == "");
    CHECK(fault_of("<summary type='html'>a <b>b</b></summary>").find("escape the markup") != std::string::npos);
    CHECK(fault_of("<summary type='xhtml'>plain</summary>").find("exactly one div") != std::string::npos);
    CHECK(fault_of("<summary type='text/plain'>a</summary>").find("it may be text, html or xhtml") != std::string::npos);
    CHECK(fault_of("<rights>a<b/></rights>").find("text only") != std::string::npos);
}

TEST_CASE("content is text, markup, one XML element, Base64, or somewhere else (s4.1.3.3)") {
    CHECK(fault_of("<content type='application/xml'><a xmlns='urn:a'/></content>") == "");
    CHECK(fault_of("<content type='image/svg+xml'><a/><b/></content>").find("one element") != std::string::npos);
    CHECK(fault_of("<content type='text/csv'>a,b</content>") == "");
    CHECK(fault_of("<content type='text/csv'><a/></content>").find("holds no elements") != std::string::npos);
    CHECK(fault_of("<content type='image/png'>aGFsbG8=</content><summary>s</summary>") == "");
    CHECK(fault_of("<content type='image/png'>aGFsbG8=</content>").find("has a summary") != std::string::npos);
    CHECK(fault_of("<content type='image/png'>no!</content><summary/>").find("in Base64") != std::string::npos);
    CHECK(fault_of("<content src='http://a.example/b' type='audio/ogg'/><summary>s</summary>") == "");
    CHECK(fault_of("<content src='http://a.example/b'>x</content><summary/>").find("is empty") != std::string::npos);
    CHECK(fault_of("<content type='nonsense'>x</content>").find("the type of content") != std::string::npos);
    CHECK(fault_of("<content type='multipart/mixed'>x</content>").find("the type of content") != std::string::npos);
}

TEST_CASE("people have a name, links a href, categories a term") {
    CHECK(fault_of("<author><email>a@b.example</email></author>") == "the author has exactly one name; this one has none");
    CHECK(fault_of("<contributor><name>a</name><email>nobody</email></contributor>").find("has no '@'") != std::string::npos);
    CHECK(fault_of("<link rel='related'/>").find("attribute href") != std::string::npos);
    CHECK(fault_of("<link rel='' href='x'/>").find("attribute rel") != std::string::npos);
    CHECK(fault_of("<link href='a' type='text/html'/><link href='b' type='TEXT/html'/>").find("same type and hreflang") != std::string::npos);
    CHECK(fault_of("<link href='a' type='text/html'/><link href='b' type='text/html' hreflang='de'/>") == "");
    CHECK(fault_of("<category/>").find("attribute term") != std::string::npos);
}

TEST_CASE("foreign markup is nobody's fault (s6), text between elements is") {
    CHECK(fault_of("<x:mood xmlns:x='urn:x'>fine<x:y/></x:mood>") == "");
    CHECK(fault_of("stray words").find("text between them") != std::string::npos);
}

TEST_CASE("a feed, or an entry of another namespace, is no entry") {
    CHECK(entry_fault(parse("<feed xmlns='http://www.w3.org/2005/Atom'/>"))->find("expected one element entry") == 0);
    CHECK(entry_fault(parse("<entry/>"))->find("without a namespace") != std::string::npos);
    CHECK(fault_of("<entry/>") == "an entry can't hold another entry");
}
