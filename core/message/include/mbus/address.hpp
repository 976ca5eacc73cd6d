// An Mbus address: a set of tag:value elements (RFC 3259, section 4).
//
//     auto player = mbus::address::parse("(app:player media:audio)");
//     player->answers_to(*mbus::address::parse("(media:audio)"));  // true
//
// An address is kept as its canonical text, elements sorted by octets, so that equality is one
// comparison, printing is free, and matching is one walk over two sorted texts.
// Thread-safety: a plain value, like std::string.
#pragma once

#include <compare>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <mbus/export.hpp>
#include <mbus/result.hpp>

namespace mbus {

inline constexpr std::size_t tag_octets_max = 32;            // RFC 3259, section 4
inline constexpr std::size_t address_value_octets_max = 64;  // RFC 3259, section 4
// The RFC sets no limit; real addresses have 2 to 8 elements, and matching is linear in them.
inline constexpr std::size_t address_elements_max = 32;

// One element, viewed inside an address that must outlive it.
struct address_element {
    std::string_view tag;    // 1 to 32 letters
    std::string_view value;  // 1 to 64 octets of 21-27, 2A-7E

    auto operator<=>(const address_element&) const = default;
};

class MBUS_API address {
public:
    address() = default;  // "()": every entity

    // Reads "(app:rat id:7-1@10.0.0.1)": blanks and tabs between elements and at the edges.
    // Fails with errc::bad_address and the offset of the offending octet.
    static result<address> parse(std::string_view text);

    // Like parse(), and also takes the elements without their parentheses: "app:rat media:audio".
    static result<address> parse_relaxed(std::string_view text);

    // Fails with errc::bad_address on a repeated tag or a tag or value outside the grammar.
    static result<address> from_elements(std::span<const address_element> elements);

    // The canonical text, for instance "(app:rat id:7-1@10.0.0.1)"; "()" when empty.
    [[nodiscard]] std::string_view text() const noexcept { return text_; }

    [[nodiscard]] bool empty() const noexcept { return text_.size() == 2; }

    // How many elements there are.
    [[nodiscard]] std::size_t size() const noexcept;

    // The value of the element `tag`, or nothing.
    [[nodiscard]] std::optional<std::string_view> find(std::string_view tag) const noexcept;

    // True when an entity with this address must process a message sent to `target`: every
    // element of `target` is in this address, octet for octet (RFC 3259, section 4).
    [[nodiscard]] bool answers_to(const address& target) const noexcept;

    // This address with the element added or replaced; same errors as from_elements().
    [[nodiscard]] result<address> with(std::string_view tag, std::string_view value) const;

    // This address with every element of `other` added or replaced.
    [[nodiscard]] result<address> merged(const address& other) const;

    // Walks the elements in canonical order.
    class iterator {
    public:
        using value_type = address_element;
        using difference_type = std::ptrdiff_t;
        using iterator_category = std::input_iterator_tag;
        using reference = address_element;
        using pointer = void;

        iterator() = default;
        explicit iterator(std::string_view rest) noexcept : rest_(rest) { split(); }
        address_element operator*() const noexcept;
        iterator& operator++() noexcept;
        iterator operator++(int) noexcept { auto old = *this; ++*this; return old; }
        bool operator==(const iterator& other) const noexcept { return rest_.size() == other.rest_.size(); }

    private:
        void split() noexcept;
        std::string_view rest_;     // what is left, this element first, without the parentheses
        std::size_t length_ = 0;    // octets of this element
    };

    [[nodiscard]] iterator begin() const noexcept {
        return iterator{std::string_view{text_}.substr(1, text_.size() - 2)};
    }
    [[nodiscard]] iterator end() const noexcept { return iterator{}; }

    bool operator==(const address&) const = default;
    auto operator<=>(const address& other) const noexcept { return text_ <=> other.text_; }

private:
    explicit address(std::string canonical) noexcept : text_(std::move(canonical)) {}

    std::string text_ = "()";
};

}  // namespace mbus

template <>
struct std::hash<mbus::address> {
    std::size_t operator()(const mbus::address& which) const noexcept {
        return std::hash<std::string_view>{}(which.text());
    }
};
