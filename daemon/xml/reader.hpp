// Reads XML into elements, within limits that are checked before anything is built.
//
//     document_reader reader{limits};
//     if (auto got = reader.read(text)) handle(*got); else answer(reader.fault());
//
//     stream_reader stream{limits};                    // a document that comes in pieces
//     stream.feed(text, [&](stream_event what, element part) { ... });
//
// No DTD, no entities but the five predefined ones and character references, and, unless the limits
// say otherwise, no comments and processing instructions (RFC 6120, section 11.1). Not thread-safe.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "xml/element.hpp"

namespace mbusd::xml {

// RFC 6120, section 13.12 asks for limits; a stanza of 10000 octets must pass.
struct limits {
    std::size_t octets = 262144;      // of one document, or of one child of a stream
    std::size_t depth = 100;          // trees are walked by recursion
    std::size_t attributes = 1000;    // of all elements of a document together
    std::size_t elements = 10000;
    std::size_t name_octets = 1024;   // of a name with its namespace
    // Of all names with their namespaces: a prefix is short in the text, and its namespace long in the tree.
    std::size_t names_octets = 1024 * 1024;
    bool comments = false;            // skip comments and processing instructions instead of refusing them
};

enum class fault_kind : unsigned char {
    none,
    not_well_formed,
    restricted,  // DTD, comment, processing instruction, foreign entity
    too_large,   // one of the limits
};

struct fault {
    fault_kind kind = fault_kind::none;
    std::string text{};      // for people: what, and where
    std::size_t offset = 0;  // octets into the text
};

class document_reader {
public:
    explicit document_reader(const limits& within = {});
    ~document_reader();
    document_reader(const document_reader&) = delete;
    document_reader& operator=(const document_reader&) = delete;

    // The one element of the text; nothing: fault().
    std::optional<element> read(std::string_view text);
    [[nodiscard]] const mbusd::xml::fault& fault() const noexcept;

private:
    class machine;
    std::unique_ptr<machine> machine_;
    friend class stream_reader;
};

enum class stream_event : unsigned char {
    opened,  // the root's start tag; the element has no children
    child,   // a whole child of the root
    closed,  // the root's end tag
};

// A document whose root stays open: the older framing of XMPP over WebSocket.
class stream_reader {
public:
    using handler = std::function<void(stream_event what, element part)>;

    explicit stream_reader(const limits& within = {});
    ~stream_reader();
    stream_reader(const stream_reader&) = delete;
    stream_reader& operator=(const stream_reader&) = delete;

    // False: fault(); nothing more can be read. `handle` may not call the reader.
    bool feed(std::string_view text, const handler& handle);
    // True when what was fed last ended between elements, not inside one or inside a tag.
    [[nodiscard]] bool between_children() const noexcept;
    [[nodiscard]] const mbusd::xml::fault& fault() const noexcept;
    // Another document follows, as after SASL.
    void restart();

private:
    std::unique_ptr<document_reader::machine> machine_;
    bool blank_rest_ = true;
};

}  // namespace mbusd::xml
