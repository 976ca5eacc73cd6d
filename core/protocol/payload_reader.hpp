// Takes the payload of a message apart: all commands are checked before any has an effect (trap
// S13), the engine's own ones are noted, and the text is written anew where it has to be: for
// applications as a strict reader takes it, for the bus in the RFC's form or the legacy dialect.
//
// Reused for every message; views are valid until the payload or the reader changes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <mbus/command.hpp>
#include <mbus/result.hpp>

namespace mbus::protocol {

class payload_reader {
public:
    // Errors: bad_command with the offset. Nothing else may be asked then.
    result<void> read(std::string_view payload, dialect reading);
    // The same for one command that was read before and has its strict form (dialect::rfc), is not one of mbus.* and has
    // nothing around it; its name has so many octets.
    void take_bare(std::string_view command, std::size_t name_octets);

    [[nodiscard]] std::size_t commands() const noexcept { return views_.size(); }  // all of them
    [[nodiscard]] bool has_hello() const noexcept { return hello_; }
    [[nodiscard]] bool has_bye() const noexcept { return bye_; }
    [[nodiscard]] bool has_ping() const noexcept { return ping_; }
    [[nodiscard]] bool has_waiting() const noexcept { return waiting_; }
    [[nodiscard]] bool has_go() const noexcept { return go_; }
    [[nodiscard]] bool has_mbus_command() const noexcept { return mbus_; }
    // Commands that are ignored: wrong parameters (trap M4), names nobody defined (trap M5).
    [[nodiscard]] std::size_t malformed() const noexcept { return malformed_; }
    [[nodiscard]] std::size_t unknown() const noexcept { return unknown_; }

    // What applications get: all but hello, bye, ping and what is ignored.
    [[nodiscard]] std::size_t kept() const noexcept { return kept_; }
    [[nodiscard]] std::string_view first_kept() const noexcept { return first_kept_; }
    // Their text, line ends between and at the end; verbatim when nothing had to change.
    void write_kept(std::string& out) const;

    // All commands as they go to the bus, each with its line end. Errors: as format_commands.
    [[nodiscard]] result<void> write_all(std::string& out, dialect writing) const;

private:
    struct seen_command {
        command_view view;
        bool kept;
    };
    void begin(std::string_view payload, dialect reading) noexcept;
    // An mbus.* command: what it is, and whether applications get it.
    bool keep_mbus(const command_view& what, dialect reading);
    bool keep_condition(const command_view& what, dialect reading, bool& seen);

    std::string_view payload_;
    dialect reading_ = dialect::rfc;
    std::vector<seen_command> views_;
    std::size_t kept_ = 0;
    std::size_t malformed_ = 0;
    std::size_t unknown_ = 0;
    std::string_view first_kept_;
    bool rewrite_ = false;
    bool mbus_ = false;
    bool hello_ = false;
    bool bye_ = false;
    bool ping_ = false;
    bool waiting_ = false;
    bool go_ = false;
};

}  // namespace mbus::protocol
