// One message in the forms that its receivers want: commands, an opaque body, or nothing because of
// a receiver's command globs. Each form is prepared once, when the first receiver needs it.
//
//     message_forms forms{preparer, {.to = to, .from = from, .body = body}};
//     if (const auto* ready = forms.for_receiver(entity.type, entity.commands)) offer(*ready);
//
// Views in the content outlive the object. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "mbws/body.hpp"
#include "mbws/prepared_message.hpp"

namespace mbusd {

struct message_source {
    std::string_view to;
    std::string_view from;
    std::string_view type;           // empty: the body is commands
    std::string_view body;
    std::string_view first_command;  // of a command body
    std::uint64_t time = 0;          // ms since 1970
    std::optional<std::uint32_t> sequence{};  // of what came from the bus
    std::string_view interface{};             // likewise: where it was heard
    bool reliable = false;
    bool has_ping = false;           // mbus.ping is in it, which no client gets to see
    std::uint32_t ttl = 0;           // ms; 0: none
    std::uint64_t serial = 0;        // of this routing, never 0 again in the daemon's life
    std::string_view via{};          // of what came over a link: brokers passed
    std::string_view origin{};       // likewise: its id
};

class message_forms {
public:
    message_forms(mbus::mbws::message_preparer& preparer, const message_source& source)
        : preparer_(preparer), source_(source) {}
    // The same for the hot path: describe() is filled in before anything else is asked. (Filling in place
    // spares a copy of some 160 octets that the processor has just written piece by piece.)
    explicit message_forms(mbus::mbws::message_preparer& preparer) : preparer_(preparer) {}
    message_source& describe() noexcept { return source_; }
    message_forms(const message_forms&) = delete;
    message_forms& operator=(const message_forms&) = delete;

    // The form for a receiver that attached with media type `wanted` (empty: commands only) and
    // command globs; null when it does not want this message at all.
    const mbus::mbws::message_ref* for_receiver(std::string_view wanted, std::string_view globs);

    // The commands that travel on the bus; an opaque body as mbws.data. Errors: bad_value.
    mbus::result<std::string_view> commands();

    // The body of commands without mbus.ping, as clients get it.
    std::string_view for_clients();

    // What the message is, whatever its form.
    [[nodiscard]] const message_source& source() const noexcept { return source_; }
    // Tells this message from all others: the same for all receivers of one routing.
    [[nodiscard]] std::uint64_t serial() const noexcept { return source_.serial; }

    // False when nothing is left for clients: every command was mbus.ping.
    bool anything_for_clients();

private:
    bool any_command_fits(std::string_view globs);
    const mbus::mbws::message_ref* prepare_opaque();
    const mbus::mbws::message_ref* prepare_commands();
    void look_for_opaque();
    void strip_ping();

    mbus::mbws::message_preparer& preparer_;
    message_source source_;
    mbus::mbws::message_ref as_commands_;
    mbus::mbws::message_ref as_opaque_;
    std::optional<std::string> data_command_;           // of an opaque body
    std::optional<std::string> without_ping_;
    std::optional<mbus::mbws::opaque_body> decoded_;    // of a body that is mbws.data
    bool looked_for_opaque_ = false;
};

}  // namespace mbusd
