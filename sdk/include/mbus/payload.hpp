// Where a message goes, and what is in it: the two arguments of every send.
//
//     entity.send("app:player", "player.play(\"song.mp3\" 3)");             // text of RFC 3259
//     entity.send("app:player", {"player.play", {"song.mp3", 3}});          // one command
//     entity.send("()", {mbus::command{"a.on", {}}, mbus::command{"b.off", {}}});
//     entity.send("app:viewer", mbus::payload::opaque("image/png", bytes));
//
// Neither ever throws for bad input: what is wrong comes back as the result of the send.
// Thread-safety: plain values.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mbus/address.hpp>
#include <mbus/command.hpp>
#include <mbus/export.hpp>
#include <mbus/result.hpp>
#include <mbus/value.hpp>

namespace mbus {

// An address or its text, with or without parentheses. A view: what it was made from outlives it.
class destination {
public:
    destination(const address& whom) noexcept : text_(whom.text()), parsed_(&whom) {}
    destination(std::string_view text) noexcept : text_(text) {}
    destination(const char* text) noexcept : text_(text) {}
    destination(const std::string& text) noexcept : text_(text) {}

    [[nodiscard]] std::string_view text() const noexcept { return text_; }
    [[nodiscard]] const address* parsed() const noexcept { return parsed_; }

private:
    std::string_view text_;
    const address* parsed_ = nullptr;
};

// The body of a message.
class MBUS_API payload {
public:
    payload() = default;  // a message without commands

    // Commands in the text of RFC 3259, one per line. Checked when the message is sent.
    payload(std::string_view text) : body_(text) {}
    payload(const char* text) : body_(text) {}
    payload(std::string text) : body_(std::move(text)) {}

    payload(const command& one);
    payload(std::string_view name, std::vector<value> arguments);
    payload(std::span<const command> several);
    payload(const std::vector<command>& several) : payload(std::span<const command>{several}) {}
    payload(std::initializer_list<command> several)
        : payload(std::span<const command>{several.begin(), several.size()}) {}

    // Octets that are not commands, with their media type. Entities that were attached with that
    // type get them as they are, all others the command mbws.data("TYPE" <BASE64>).
    [[nodiscard]] static payload opaque(std::string type, std::string octets);

    [[nodiscard]] const std::string& body() const noexcept { return body_; }
    [[nodiscard]] const std::string& type() const noexcept { return type_; }  // empty: commands
    // Why the commands have no text (a NaN, a NUL in a string, ...): errc::bad_value.
    [[nodiscard]] const result<void>& status() const noexcept { return status_; }

private:
    std::string body_;
    std::string type_;
    result<void> status_;
};

}  // namespace mbus
