// Writing XML that parses by itself.
#include <doctest/doctest.h>

#include <rapidcheck.h>

#include <string>

#include "xml/reader.hpp"
#include "xml/writer.hpp"

using namespace mbusd::xml;

namespace {

// Text of characters that XML and its writers trip over.
rc::Gen<std::string> texts() {
    return rc::gen::map(rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(std::vector<std::string>{
                            "a", " ", "<", ">", "&", "\"", "'", "\n", "\t", "\r", "]]>", "\xC3\xA9", "\xF0\x9F\x98\x80"})),
                        [](const std::vector<std::string>& pieces) {
                            std::string out;
                            for (const auto& each : pieces) out += each;
                            return out;
                        });
}

element random_element(int depth) {
    const auto spaces = rc::gen::elementOf(std::vector<std::string>{"", "urn:a", "urn:b&c", "jabber:client"});
    element out{*spaces, *rc::gen::elementOf(std::vector<std::string>{"x", "y", "message"})};
    const auto attributes = *rc::gen::inRange(0, 4);
    for (int i = 0; i < attributes; ++i) {
        out.set(*rc::gen::elementOf(std::vector<std::string>{"", "urn:a", "urn:q", std::string{xml_namespace}}),
                i % 2 == 0 ? "lang" : "base", *texts());
    }
    const auto children = depth == 0 ? 0 : *rc::gen::inRange(0, 4);
    for (int i = 0; i < children; ++i) {
        if (*rc::gen::arbitrary<bool>()) out.add_text(*texts());
        else out.add(random_element(depth - 1));
    }
    return out;
}

}  // namespace

TEST_CASE("the default namespace is declared where it changes, not where it is inherited") {
    element message{"jabber:client", "message"};
    message.set("to", "a'b").add("jabber:client", "body").add_text("1 < 2");
    message.add("urn:x", "y");
    CHECK(to_text(message) == "<message xmlns=\"jabber:client\" to=\"a&apos;b\"><body>1 &lt; 2</body><y xmlns=\"urn:x\"/></message>");
    CHECK(to_text(message, {.inherited = "jabber:client"}).starts_with("<message to="));
}

TEST_CASE("a child without namespace inside one with is told apart") {
    element outer{"urn:a", "outer"};
    outer.add("", "inner");
    CHECK(to_text(outer) == "<outer xmlns=\"urn:a\"><inner xmlns=\"\"/></outer>");
}

TEST_CASE("the outermost element may have a prefix, its children have not") {
    element features{"http://etherx.jabber.org/streams", "features"};
    features.add("urn:ietf:params:xml:ns:xmpp-bind", "bind");
    CHECK(to_text(features, {.prefix = "stream"}) ==
          "<stream:features xmlns:stream=\"http://etherx.jabber.org/streams\"><bind xmlns=\"urn:ietf:params:xml:ns:xmpp-bind\"/></stream:features>");
    CHECK(to_text(features, {.prefix = "stream", .prefix_declared = true}).starts_with("<stream:features><bind"));
    CHECK(to_text(element{"urn:f", "close"}, {.blank_before_slash = true}) == "<close xmlns=\"urn:f\" />");
}

TEST_CASE("what XML 1.0 can't hold becomes the replacement character") {
    element body{"", "b"};
    body.add_text(std::string_view{"a\0b\x1F\xEF\xBF\xBE", 7});
    CHECK(to_text(body) == "<b>a\xEF\xBF\xBD" "b\xEF\xBF\xBD\xEF\xBF\xBD</b>");
}

TEST_CASE("whatever is written is read as the same element") {
    CHECK(rc::check("write, then read", [] {
        const auto what = random_element(3);
        document_reader reader;
        const auto text = to_text(what);
        const auto got = reader.read(text);
        RC_ASSERT(got.has_value());
        RC_ASSERT(*got == what);
    }));
}
