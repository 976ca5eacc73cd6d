#include "document.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include <boost/json/basic_parser_impl.hpp>

#include <mbus_json/message_json.hpp>

namespace mbus::json {
namespace {

namespace bj = boost::json;

// Builds a `node` from the parser's events. Open arrays and objects wait in `open_`.
struct builder {
    // The sizes are bounded by text_octets_max before parsing starts.
    static constexpr std::size_t max_object_size = text_octets_max;
    static constexpr std::size_t max_array_size = text_octets_max;
    static constexpr std::size_t max_key_size = text_octets_max;
    static constexpr std::size_t max_string_size = text_octets_max;

    struct level {
        node container;
        std::string key;  // of the member that comes next
    };

    std::vector<level> open;
    node root;
    std::string text;            // of the string, key or number that is being read
    const char* refused = nullptr;

    bool add(node&& what) {
        if (open.empty()) {
            root = std::move(what);
        } else if (auto* items = std::get_if<node::array>(&open.back().container.held)) {
            items->push_back(std::move(what));
        } else {
            auto& members = std::get<node::object>(open.back().container.held);
            members.push_back({std::move(open.back().key), std::move(what)});
            open.back().key.clear();
        }
        return true;
    }

    bool close() {
        node done = std::move(open.back().container);
        open.pop_back();
        return add(std::move(done));
    }

    bool number(bj::string_view rest) {
        text.append(rest.data(), rest.size());
        return add(node{node::number{std::exchange(text, {})}});
    }

    bool on_document_begin(bj::error_code&) { return true; }
    bool on_document_end(bj::error_code&) { return true; }
    bool on_object_begin(bj::error_code&) {
        open.push_back({node{node::object{}}, {}});
        return true;
    }
    bool on_object_end(std::size_t, bj::error_code&) { return close(); }
    bool on_array_begin(bj::error_code&) {
        open.push_back({node{node::array{}}, {}});
        return true;
    }
    bool on_array_end(std::size_t, bj::error_code&) { return close(); }
    bool on_key_part(bj::string_view part, std::size_t, bj::error_code&) {
        text.append(part.data(), part.size());
        return true;
    }
    bool on_key(bj::string_view rest, std::size_t, bj::error_code& failure) {
        text.append(rest.data(), rest.size());
        const auto& members = std::get<node::object>(open.back().container.held);
        if (std::ranges::any_of(members, [&](const member& one) { return one.name == text; })) {
            refused = "a member name that has not occurred before";
            failure = bj::error::syntax;
            return false;
        }
        // Objects of the mapping have ten members at most; more would make this check quadratic.
        if (members.size() >= object_members_max) {
            refused = "at most 64 members in an object";
            failure = bj::error::syntax;
            return false;
        }
        open.back().key = std::exchange(text, {});
        return true;
    }
    bool on_string_part(bj::string_view part, std::size_t, bj::error_code&) {
        text.append(part.data(), part.size());
        return true;
    }
    bool on_string(bj::string_view rest, std::size_t, bj::error_code&) {
        text.append(rest.data(), rest.size());
        return add(node{std::exchange(text, {})});
    }
    bool on_number_part(bj::string_view part, bj::error_code&) {
        text.append(part.data(), part.size());
        return true;
    }
    bool on_int64(std::int64_t, bj::string_view rest, bj::error_code&) { return number(rest); }
    bool on_uint64(std::uint64_t, bj::string_view rest, bj::error_code&) { return number(rest); }
    bool on_double(double, bj::string_view rest, bj::error_code&) { return number(rest); }
    bool on_bool(bool truth, bj::error_code&) { return add(node{truth}); }
    bool on_null(bj::error_code&) { return add(node{node::null{}}); }
    bool on_comment_part(bj::string_view, bj::error_code&) { return true; }
    bool on_comment(bj::string_view, bj::error_code&) { return true; }

    static constexpr std::size_t object_members_max = 64;
};

error syntax_error(std::string expected, std::size_t offset) {
    return {errc::syntax, "expected " + std::move(expected), offset};
}

// What the parser's code means to a reader.
std::string expectation(const bj::error_code& failure) {
    switch (static_cast<bj::error>(failure.value())) {
        case bj::error::incomplete: return "more JSON: the text ends too early";
        case bj::error::too_deep: return "fewer levels of nesting";
        case bj::error::illegal_leading_surrogate:
        case bj::error::illegal_trailing_surrogate:
        case bj::error::expected_utf16_escape: return "a complete surrogate pair";
        default: break;
    }
    return "JSON (" + failure.message() + ")";
}

}  // namespace

std::string_view node::kind() const noexcept {
    static constexpr std::string_view names[] = {"null", "true or false", "a number",
                                                 "a string", "an array", "an object"};
    return names[held.index()];
}

result<node> parse_document(std::string_view text) {
    if (text.size() > text_octets_max) {
        return {errc::too_large, "the JSON text has " + std::to_string(text.size()) + " octets, the limit is " +
                                     std::to_string(text_octets_max)};
    }
    bj::parse_options options;
    options.max_depth = document_depth_max;
    bj::basic_parser<builder> parser{options};
    bj::error_code failure;
    const auto used = parser.write_some(false, text.data(), text.size(), failure);
    if (failure) {
        const auto* refused = parser.handler().refused;
        return syntax_error(refused != nullptr ? std::string{refused} : expectation(failure), used);
    }
    const auto rest = text.find_first_not_of(" \t\r\n", used);
    if (rest != std::string_view::npos) return syntax_error("the end of the text", rest);
    return std::move(parser.handler().root);
}

}  // namespace mbus::json
