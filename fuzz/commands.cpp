// Payloads and whole messages: the scanner and the parser agree, and what is parsed survives being
// written and read again.
#include <mbus/command.hpp>
#include <mbus/message.hpp>

#include "fuzz.hpp"

namespace {

void payload(std::string_view text, mbus::dialect reading) {
    mbus::command_scanner scan{text, reading};
    std::size_t commands = 0;
    while (scan.next() != nullptr) ++commands;
    const auto parsed = mbus::parse_commands(text, reading);
    fuzz::require(parsed.has_value() != scan.failed(), "scanner and parser agree");
    if (!parsed) return;
    fuzz::require(parsed->size() == commands, "scanner and parser count the same");
    for (const auto writing : {mbus::dialect::rfc, mbus::dialect::legacy}) {
        const auto written = mbus::format_commands(*parsed, writing);
        fuzz::require(written.has_value(), "what is read can be written");
        const auto again = mbus::parse_commands(*written, writing);
        fuzz::require(again.has_value() && *again == *parsed, "what is written reads the same");
    }
}

void whole(std::string_view text, mbus::dialect reading) {
    (void)mbus::parse_header(text, reading);
    const auto parsed = mbus::parse_message(text, reading);
    if (!parsed) return;
    const auto written = mbus::format_message(*parsed);
    if (!written) {
        fuzz::require(written.error().code == mbus::errc::too_large,
                      "only size keeps a message from being written");
        return;
    }
    const auto again = mbus::parse_message(*written);
    fuzz::require(again.has_value() && *again == *parsed, "a message survives");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > mbus::datagram_octets_max) return 0;
    const auto text = fuzz::text_of(data, size);
    for (const auto reading : {mbus::dialect::rfc, mbus::dialect::legacy}) {
        payload(text, reading);
        whole(text, reading);
        (void)mbus::parse_value(text, reading);
    }
    (void)mbus::address::parse(text);
    (void)mbus::address::parse_relaxed(text);
    return 0;
}
