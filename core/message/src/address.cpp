#include <mbus/address.hpp>

#include <algorithm>

#include "message/text.hpp"

namespace mbus {
namespace {

using text::has;

error bad(std::size_t offset, std::string expected) {
    return {errc::bad_address, "expected " + std::move(expected), offset};
}

// The elements of one address while it is read: "tag:value" texts, kept sorted.
class element_list {
public:
    // Null when it went in; else what was expected. `tag` counts the octets before the colon.
    const char* insert(std::string_view element, std::size_t tag) noexcept {
        if (size_ == address_elements_max) return "at most 32 elements";
        // Tags hold letters only, so the order of "tag:" texts is the order of whole elements.
        const auto name = element.substr(0, tag + 1);
        std::size_t place = size_;
        while (place > 0 && at(place - 1) > element) --place;
        if (place < size_ && at(place).starts_with(name)) return "each tag once";
        if (place > 0 && at(place - 1).starts_with(name)) return "each tag once";
        std::copy_backward(elements_ + place, elements_ + size_, elements_ + size_ + 1);
        elements_[place] = {element.data(), element.size()};
        ++size_;
        return nullptr;
    }

    [[nodiscard]] std::string canonical() const {
        std::size_t octets = 2 + (size_ == 0 ? 0 : size_ - 1);
        for (std::size_t index = 0; index < size_; ++index) octets += elements_[index].size;
        std::string out;
        out.reserve(octets);
        out.push_back('(');
        for (std::size_t index = 0; index < size_; ++index) {
            if (index != 0) out.push_back(' ');
            out.append(at(index));
        }
        out.push_back(')');
        return out;
    }

private:
    struct piece {  // a string_view that costs nothing to leave uninitialised
        const char* data;
        std::size_t size;
    };
    [[nodiscard]] std::string_view at(std::size_t index) const noexcept {
        return {elements_[index].data, elements_[index].size};
    }

    piece elements_[address_elements_max];
    std::size_t size_ = 0;
};

// Octets of a well-formed element at the start of `rest`, and of its tag; or 0 and what was
// expected where.
std::size_t element_length(std::string_view rest, std::size_t& tag, std::size_t& at, const char*& expected) {
    tag = 0;
    while (tag < rest.size() && has(rest[tag], text::is_letter)) ++tag;
    if (tag == 0 || tag > tag_octets_max) {
        at = tag == 0 ? 0 : tag_octets_max;
        expected = tag == 0 ? "a tag of letters" : "a tag of at most 32 letters";
        return 0;
    }
    if (tag == rest.size() || rest[tag] != ':') {
        at = tag;
        expected = "':' after the tag";
        return 0;
    }
    std::size_t end = tag + 1;
    while (end < rest.size() && has(rest[end], text::is_address_octet)) ++end;
    const auto value = end - tag - 1;
    if (value == 0 || value > address_value_octets_max) {
        at = value == 0 ? end : tag + 1 + address_value_octets_max;
        expected = value == 0 ? "a value of printable ASCII after ':'" : "a value of at most 64 octets";
        return 0;
    }
    return end;
}

// True when `body` is what canonical() would make of it: most addresses on the wire come from
// senders that sort them, and then one walk is all the reading there is.
bool is_canonical(std::string_view body) noexcept {
    const char* at = body.data();
    const char* const end = at + body.size();
    std::string_view previous_tag;
    for (std::size_t elements = 0; at != end; ++elements) {
        const char* const tag = at;
        while (at != end && has(*at, text::is_letter)) ++at;
        const auto tag_octets = static_cast<std::size_t>(at - tag);
        if (tag_octets == 0 || tag_octets > tag_octets_max || at == end || *at != ':') return false;
        if (elements == address_elements_max) return false;
        const std::string_view tag_text{tag, tag_octets};
        if (previous_tag >= tag_text) return false;
        previous_tag = tag_text;
        const char* const value = ++at;
        while (at != end && has(*at, text::is_address_octet)) ++at;
        const auto value_octets = static_cast<std::size_t>(at - value);
        if (value_octets == 0 || value_octets > address_value_octets_max) return false;
        if (at == end) return true;
        if (*at != ' ' || ++at == end) return false;
    }
    return true;
}

// Reads elements up to the end of `body`; `base` is its offset in the text of the caller.
result<std::string> read_elements(std::string_view body, std::size_t base) {
    element_list elements;
    std::size_t at = 0;
    for (;;) {
        const auto blanks_from = at;
        while (at < body.size() && has(body[at], text::is_blank)) ++at;
        if (at == body.size()) return elements.canonical();
        if (at == blanks_from && at != 0) return bad(base + at, "a blank between elements");
        std::size_t tag = 0;
        std::size_t wrong = 0;
        const char* expected = nullptr;
        const auto length = element_length(body.substr(at), tag, wrong, expected);
        if (length == 0) return bad(base + at + wrong, expected);
        if (const char* const limit = elements.insert(body.substr(at, length), tag); limit != nullptr)
            return bad(base + at, limit);
        at += length;
    }
}

}  // namespace

result<address> address::parse(std::string_view text) {
    if (text.empty() || text.front() != '(') return bad(0, "'(' before the first element");
    if (text.size() < 2 || text.back() != ')') return bad(text.size(), "')' after the last element");
    const auto body = text.substr(1, text.size() - 2);
    if (is_canonical(body)) return address{std::string{text}};
    auto canonical = read_elements(body, 1);
    if (!canonical) return std::move(canonical).error();
    return address{std::move(*canonical)};
}

result<address> address::parse_relaxed(std::string_view text) {
    if (!text.empty() && text.front() == '(') return parse(text);
    auto canonical = read_elements(text, 0);
    if (!canonical) return std::move(canonical).error();
    return address{std::move(*canonical)};
}

result<address> address::from_elements(std::span<const address_element> elements) {
    std::string joined;
    for (const auto& element : elements) {
        if (!joined.empty()) joined.push_back(' ');
        const auto start = joined.size();
        joined.append(element.tag).append(1, ':').append(element.value);
        std::size_t tag = 0;
        std::size_t wrong = 0;
        const char* expected = nullptr;
        // Checked one by one, so that a blank inside a value can't make two elements of one.
        if (element_length(std::string_view{joined}.substr(start), tag, wrong, expected) != joined.size() - start)
            return error{errc::bad_address,
                         "expected a tag of 1 to 32 letters and a value of 1 to 64 printable octets without "
                         "blanks and parentheses, found '" + std::string{element.tag} + ":" +
                             std::string{element.value} + "'"};
    }
    return parse_relaxed(joined);
}

std::size_t address::size() const noexcept {
    return empty() ? 0 : 1 + static_cast<std::size_t>(std::ranges::count(text_, ' '));
}

std::optional<std::string_view> address::find(std::string_view tag) const noexcept {
    for (const auto element : *this)
        if (element.tag == tag) return element.value;
    return std::nullopt;
}

bool address::answers_to(const address& target) const noexcept {
    if (target.empty() || text_ == target.text_) return true;
    if (target.text_.size() >= text_.size()) return false;
    // Both are sorted: walk over our elements once, looking for the target's next one.
    std::string_view mine{text_.data() + 1, text_.size() - 2};
    std::string_view wanted{target.text_.data() + 1, target.text_.size() - 2};
    const auto split = [](std::string_view& rest) {
        const auto blank = rest.find(' ');
        const auto element = rest.substr(0, blank);
        rest = blank == std::string_view::npos ? std::string_view{} : rest.substr(blank + 1);
        return element;
    };
    auto next = split(wanted);
    while (!mine.empty()) {
        const auto element = split(mine);
        if (element == next) {
            if (wanted.empty()) return true;
            next = split(wanted);
        } else if (element > next) {
            return false;
        }
    }
    return false;
}

result<address> address::with(std::string_view tag, std::string_view value) const {
    const address_element added{tag, value};
    auto other = from_elements({&added, 1});
    if (!other) return other;
    return merged(*other);
}

result<address> address::merged(const address& other) const {
    std::string joined;
    const auto append = [&joined](address_element element) {
        if (!joined.empty()) joined.push_back(' ');
        joined.append(element.tag).append(1, ':').append(element.value);
    };
    for (const auto element : *this)
        if (!other.find(element.tag)) append(element);
    for (const auto element : other) append(element);
    return parse_relaxed(joined);
}

void address::iterator::split() noexcept {
    length_ = std::min(rest_.find(' '), rest_.size());
}

address_element address::iterator::operator*() const noexcept {
    const auto element = rest_.substr(0, length_);
    const auto colon = element.find(':');
    return {element.substr(0, colon), element.substr(colon + 1)};
}

address::iterator& address::iterator::operator++() noexcept {
    rest_ = length_ == rest_.size() ? std::string_view{} : rest_.substr(length_ + 1);
    split();
    return *this;
}

}  // namespace mbus
