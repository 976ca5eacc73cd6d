// Reading XML within limits (RFC 6120, section 11).
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "xml/reader.hpp"

using namespace mbusd::xml;

namespace {

fault_kind kind_of(std::string_view text, const limits& within = {}) {
    document_reader reader{within};
    return reader.read(text) ? fault_kind::none : reader.fault().kind;
}

element read(std::string_view text) {
    document_reader reader;
    auto got = reader.read(text);
    REQUIRE_MESSAGE(got, reader.fault().text);
    return std::move(*got);
}

std::string nested(std::size_t depth) {
    std::string out;
    for (std::size_t i = 0; i < depth; ++i) out += "<a>";
    for (std::size_t i = 0; i < depth; ++i) out += "</a>";
    return out;
}

}  // namespace

TEST_CASE("namespaces are resolved, prefixes forgotten") {
    const auto got = read("<s:open xmlns:s='urn:one' to=\"x\" s:k='v'><c xmlns='urn:two'/><s:d/></s:open>");
    CHECK(got.is("urn:one", "open"));
    CHECK(got.value_of("to") == "x");
    CHECK(got.get("urn:one", "k") == "v");
    CHECK(got.child("urn:two", "c") != nullptr);
    CHECK(got.child("urn:one", "d") != nullptr);
    CHECK(got.child("", "c") == nullptr);
}

TEST_CASE("entities, references, CDATA and characters beyond the BMP arrive as they were meant") {
    const auto got = read("<b>&lt;&amp;&gt;&quot;&apos; &#x1F600;&#233;<![CDATA[<x>&]]></b>");
    CHECK(got.text() == "<&>\"' \xF0\x9F\x98\x80\xC3\xA9<x>&");
}

TEST_CASE("an XML declaration is accepted, mixed content kept in order") {
    const auto got = read("<?xml version='1.0'?><p>one <b>two</b> three</p>");
    REQUIRE(got.children().size() == 3);
    CHECK(*got.children()[0].as_text() == "one ");
    CHECK(got.children()[1].as_element()->text() == "two");
    CHECK(got.text() == "one  three");
}

TEST_CASE("what is not one well-formed element is refused") {
    for (const auto* text : {"", " ", "<a>", "<a></b>", "<a/><b/>", "<a/>x", "x", "<a b='1' b='2'/>", "<a b=1/>", "<p:a/>",
                             "<a>\x01</a>", "<a>\xFF</a>", "<a>&#0;</a>"}) {
        CAPTURE(text);
        CHECK(kind_of(text) == fault_kind::not_well_formed);
    }
}

TEST_CASE("DTD, foreign entity, comment and processing instruction are refused") {
    for (const auto* text : {"<!DOCTYPE a><a/>", "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "<a>&nbsp;</a>", "<a><!-- c --></a>",
                             "<a><?php ?></a>"}) {
        CAPTURE(text);
        CHECK(kind_of(text) == fault_kind::restricted);
    }
}

TEST_CASE("comments can be allowed, entities never") {
    const limits within{.comments = true};
    CHECK(kind_of("<a><!-- c --><?x y?></a>", within) == fault_kind::none);
    CHECK(kind_of("<!DOCTYPE a><a/>", within) == fault_kind::restricted);
}

TEST_CASE("limits hold exactly") {
    CHECK(kind_of(nested(100)) == fault_kind::none);
    CHECK(kind_of(nested(101)) == fault_kind::too_large);
    CHECK(kind_of(nested(20000)) == fault_kind::too_large);
    std::string attributes = "<a";
    for (int i = 0; i < 1000; ++i) attributes += " b" + std::to_string(i) + "=''";
    CHECK(kind_of(attributes + "/>") == fault_kind::none);
    CHECK(kind_of(attributes + " c=''/>") == fault_kind::too_large);
    CHECK(kind_of("<a>" + std::string(300000, 'x') + "</a>") == fault_kind::too_large);
    CHECK(kind_of("<" + std::string(2000, 'x') + "/>") == fault_kind::too_large);
    CHECK(kind_of("<a><b/><b/></a>", {.elements = 2}) == fault_kind::too_large);
}

TEST_CASE("short prefixes of long namespaces can't make a small text a large tree") {
    std::string text = "<a xmlns:p='" + std::string(1000, 'n') + "'>";
    for (int i = 0; i < 2000; ++i) text += "<p:b/>";
    CHECK(kind_of(text + "</a>") == fault_kind::too_large);
    CHECK(kind_of(text + "</a>", {.names_octets = 4 * 1024 * 1024}) == fault_kind::none);
}

TEST_CASE("a reader goes on after a fault, and a fault says where") {
    document_reader reader;
    CHECK_FALSE(reader.read("<a><b></a>"));
    CHECK(reader.fault().text.find("octet") != std::string::npos);
    CHECK(reader.read("<a/>"));
    CHECK(reader.fault().kind == fault_kind::none);
}

TEST_CASE("a stream gives its root, each child and its end, however it is divided") {
    const std::string text = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
                             "to='x'><message to='y'><body>hi</body></message> <iq id='1'/></stream:stream>";
    for (std::size_t cut = 1; cut < text.size(); ++cut) {
        stream_reader reader;
        std::vector<std::string> seen;
        const auto handle = [&](stream_event what, element part) {
            seen.push_back(std::to_string(static_cast<int>(what)) + ' ' + part.name());
            if (part.name() == "message") CHECK(part.child("jabber:client", "body")->text() == "hi");
        };
        REQUIRE(reader.feed(std::string_view{text}.substr(0, cut), handle));
        REQUIRE(reader.feed(std::string_view{text}.substr(cut), handle));
        CHECK(seen == std::vector<std::string>{"0 stream", "1 message", "1 iq", "2 "});
    }
}

TEST_CASE("a stream knows whether it was cut inside an element or a tag") {
    for (const auto& [text, whole] : std::vector<std::pair<std::string, bool>>{
             {"<s>", true}, {"<s><a/>", true}, {"<s><a/> \n", true}, {"<s><a></a>", true}, {"<s><a/></s>", true},
             {"<s><a>", false}, {"<s><a", false}, {"<s><a/><", false}, {"<s><a><b/>", false}, {"<s>x", false}}) {
        CAPTURE(text);
        stream_reader reader;
        REQUIRE(reader.feed(text, [](stream_event, element) {}));
        CHECK(reader.between_children() == whole);
    }
}

TEST_CASE("the octets of a stream are limited for each child, and the stream may begin anew") {
    stream_reader reader{{.octets = 100}};
    int children = 0;
    const auto handle = [&](stream_event what, element) { children += what == stream_event::child; };
    REQUIRE(reader.feed("<s>", handle));
    for (int i = 0; i < 100; ++i) REQUIRE(reader.feed("<message>" + std::string(60, 'x') + "</message>", handle));
    CHECK(children == 100);
    CHECK(reader.between_children());
    CHECK(reader.feed("<message>", handle));
    CHECK_FALSE(reader.between_children());
    CHECK_FALSE(reader.feed(std::string(100, 'x'), handle));
    CHECK(reader.fault().kind == fault_kind::too_large);
    reader.restart();
    CHECK(reader.feed("<s><a/>", handle));
    CHECK(children == 101);
}
