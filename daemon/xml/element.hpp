// An XML element as a value: name, attributes, children, with their namespaces resolved. Prefixes are
// not kept; the writer chooses its own.
//
//     element message{"jabber:client", "message"};
//     message.set("to", "ann@bus.example").add({"jabber:client", "body"}).add_text("hello");
//     if (const auto* body = message.child("jabber:client", "body")) show(body->text());
//
// Thread-safety: plain values. Depth is bounded by whoever builds the tree (reader.hpp), since copies
// and destructors follow it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace mbusd::xml {

// The namespace of xml:lang and xml:base.
inline constexpr std::string_view xml_namespace = "http://www.w3.org/XML/1998/namespace";

struct attribute {
    std::string space;  // empty: none, as for most attributes
    std::string name;
    std::string value;
    bool operator==(const attribute&) const = default;
};

struct node;

class element {
public:
    element() = default;
    element(std::string_view space, std::string_view name);

    [[nodiscard]] const std::string& space() const noexcept { return space_; }
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] bool is(std::string_view space, std::string_view name) const noexcept {
        return space_ == space && name_ == name;
    }

    // An attribute without namespace; nothing when it is absent.
    [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const noexcept;
    [[nodiscard]] std::optional<std::string_view> get(std::string_view space, std::string_view name) const noexcept;
    // Empty when it is absent.
    [[nodiscard]] std::string_view value_of(std::string_view name) const noexcept { return get(name).value_or(""); }
    [[nodiscard]] const std::vector<attribute>& attributes() const noexcept { return attributes_; }
    // Adds or replaces.
    element& set(std::string_view name, std::string_view value) { return set("", name, value); }
    element& set(std::string_view space, std::string_view name, std::string_view value);
    void remove(std::string_view name);

    [[nodiscard]] const std::vector<node>& children() const noexcept { return children_; }
    [[nodiscard]] std::vector<node>& children() noexcept { return children_; }
    // Appends, and returns the element where it stands now: valid until the next child is added.
    element& add(element child);
    element& add(std::string_view space, std::string_view name);
    element& add_text(std::string_view text);

    // The first child element of that name; null when there is none.
    [[nodiscard]] const element* child(std::string_view space, std::string_view name) const noexcept;
    [[nodiscard]] element* child(std::string_view space, std::string_view name) noexcept;
    // The first child element; null when there is none.
    [[nodiscard]] const element* first() const noexcept;
    // Child elements, text left out.
    [[nodiscard]] std::vector<const element*> elements() const;
    [[nodiscard]] std::vector<const element*> elements(std::string_view space, std::string_view name) const;
    // The text directly in this element, concatenated.
    [[nodiscard]] std::string text() const;

    bool operator==(const element& other) const;

private:
    std::string space_;
    std::string name_;
    std::vector<attribute> attributes_;
    std::vector<node> children_;
};

// Text, or an element.
struct node {
    std::variant<std::string, element> what;

    [[nodiscard]] const element* as_element() const noexcept { return std::get_if<element>(&what); }
    [[nodiscard]] element* as_element() noexcept { return std::get_if<element>(&what); }
    [[nodiscard]] const std::string* as_text() const noexcept { return std::get_if<std::string>(&what); }
    bool operator==(const node&) const = default;
};

// Not inside the class: a node is complete from here on.
inline element::element(std::string_view space, std::string_view name) : space_(space), name_(name) {}
inline element& element::add(std::string_view space, std::string_view name) { return add(element{space, name}); }

}  // namespace mbusd::xml
