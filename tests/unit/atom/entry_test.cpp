// What the server adds to entries, and takes away again (RFC 5023, sections 9 to 11).
#include "atom_lab.hpp"

#include "atom/entry.hpp"
#include "atom/entry_rules.hpp"
#include "atom/names.hpp"

using namespace atom_test;
using namespace mbusd::atom;

TEST_CASE("what the author left out is added, what is there stays") {
    auto bare = parse("<entry xmlns='http://www.w3.org/2005/Atom'><title>t</title></entry>");
    complete(bare, {.id = "urn:x:1", .updated_ms = 0, .author = {"ann", "xmpp:ann@bus.example"}});
    CHECK_FALSE(entry_fault(bare));
    CHECK(bare.child(atom_namespace, "id")->text() == "urn:x:1");
    CHECK(bare.child(atom_namespace, "author")->child(atom_namespace, "name")->text() == "ann");

    auto whole = entry("<author><name>Bea</name></author>");
    const auto before = whole;
    complete(whole, {.id = "urn:x:1", .updated_ms = 0, .author = {"ann", {}}});
    CHECK(whole == before);
}

TEST_CASE("an entry is shown with one edit link, app:edited and its address in XMPP, and comes back without them") {
    const auto stored = entry("<link rel='edit' href='http://elsewhere.example/'/><content>c</content><author><name>Bea</name></author>");
    const showing how{.edit = "http://h/atom/n/1", .edited_ms = 0, .alternate = "xmpp:p?;node=n;item=1", .author = {"ann", {}}};
    auto shown = as_shown(stored, how);
    CHECK_FALSE(entry_fault(shown));
    std::vector<std::string> links;
    for (const auto* each : shown.elements(atom_namespace, "link")) {
        links.push_back(std::string{each->value_of("rel")} + ' ' + std::string{each->value_of("href")});
    }
    CHECK(links == std::vector<std::string>{"alternate xmpp:p?;node=n;item=1", "edit http://h/atom/n/1"});
    CHECK(shown.elements(app_namespace, "edited").size() == 1);
    CHECK(shown.elements(atom_namespace, "author").size() == 1);

    without_showing(shown, how);
    CHECK(shown == entry("<content>c</content><author><name>Bea</name></author>"));
}

TEST_CASE("without content and alternate the member itself is the alternate (RFC 4287 s4.1.2)") {
    const auto shown = as_shown(entry(), {.edit = "http://h/1", .edited_ms = 0, .alternate = {}, .author = {"ann", {}}});
    const auto links = shown.elements(atom_namespace, "link");
    REQUIRE(links.size() == 2);
    CHECK(links[0]->value_of("rel") == "alternate");
    CHECK(shown.child(atom_namespace, "author") != nullptr);
}

TEST_CASE("a new version keeps the id of the entry (RFC 4287 s4.2.6)") {
    auto next = parse("<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:other</id></entry>");
    keep_id(next, entry());
    CHECK(next.child(atom_namespace, "id")->text() == "urn:uuid:1225c695-cfb8-4ebb-aaaa-80da344efa6a");
}

TEST_CASE("titles are one line of plain text, cut between characters") {
    const auto titled = [](std::string_view title) { return parse("<entry xmlns='http://www.w3.org/2005/Atom'>" + std::string{title} + "</entry>"); };
    CHECK(title_of(titled("<title> a\n  b </title>"), 100) == "a b");
    CHECK(title_of(titled("<title type='html'>a &lt;i&gt;b&lt;/i&gt;</title>"), 100) == "a b");
    CHECK(title_of(titled("<title type='html'>AT&amp;amp;T &amp;lt;b&gt; 1 &lt; 2 &amp;#233;&amp;#xe4;&amp;nbsp;&amp;hearts; &amp; &amp;#0;</title>"), 100) ==
          "AT&T <b> 1 < 2 \xC3\xA9\xC3\xA4 &hearts; & &#0;");
    CHECK(title_of(titled("<title type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>a <i>b</i></div></title>"), 100) == "a b");
    CHECK(title_of(titled("<title>\xC3\xA4\xC3\xB6</title>"), 3) == "\xC3\xA4");
    CHECK(title_of(titled(""), 3) == "");
}

TEST_CASE("an announcement is the title, and below it where to read on") {
    const auto with = [](const std::string& links) {
        return announcement_of(parse("<entry xmlns='http://www.w3.org/2005/Atom'><title>Rain</title>" + links + "</entry>"), 40);
    };
    CHECK(with("") == "Rain");
    CHECK(with("<link rel='self' href='http://a.example'/><link href='http://b.example'/>") == "Rain\nhttp://b.example");
    CHECK(with("<link rel='alternate' href='http://c.example/" + std::string(40, 'c') + "'/>") == "Rain");
}

TEST_CASE("a Slug becomes the last part of a path (RFC 5023 s9.7)") {
    CHECK(id_from_slug("A Day at the Sea!") == "a-day-at-the-sea");
    CHECK(id_from_slug("The Beach at S%C3%A8te") == "the-beach-at-s\xC3\xA8te");
    CHECK(id_from_slug("../../etc/passwd") == "etc-passwd");
    CHECK(id_from_slug("%FF") == "");
    CHECK(id_from_slug("%00%2F") == "");
    CHECK(id_from_slug(std::string(500, 'a')).size() == 64);
}

TEST_CASE("a made-up id is a UUID of version 4") {
    CHECK(uuid_urn(std::string(16, '\0')) == "urn:uuid:00000000-0000-4000-8000-000000000000");
    CHECK(uuid_urn(std::string(16, '\xFF')) == "urn:uuid:ffffffff-ffff-4fff-bfff-ffffffffffff");
}
