// Messages of an XMPP client into the reader, and stanzas through the bus's commands and the data forms:
// what is read can be written, and reads the same again (RFC 7395; docs/xmpp.md).
#include <string>

#include "fuzz.hpp"
#include "gateways/xmpp/bus_commands.hpp"
#include "gateways/xmpp/jid.hpp"
#include "xml/reader.hpp"
#include "xml/writer.hpp"

namespace {

using namespace mbusd;

void check_commands(const xml::element& message) {
    const auto commands = xmpp::commands_in(message);
    if (!commands) return;
    xml::element again{"jabber:client", "message"};
    xmpp::add_commands(again, *commands);
    const auto back = xmpp::commands_in(again);
    fuzz::require(back && *back == *commands, "commands come back from their XML as they were");
}

void check_whole(std::string_view text) {
    xml::document_reader reader;
    auto got = reader.read(text);
    if (!got) return;
    check_commands(*got);
    if (const auto to = got->get("to")) {
        if (const auto whom = xmpp::jid::parse(*to)) fuzz::require(xmpp::jid::parse(whom->full()) == whom, "a JID that is read can be read again");
    }
    const auto written = xml::to_text(*got);
    xml::document_reader larger{{.octets = written.size(), .attributes = 100'000, .elements = 100'000, .name_octets = 1 << 20}};
    const auto back = larger.read(written);
    fuzz::require(back && *back == *got, "an element comes back from its text as it was");
}

// The older framing: one document that comes in pieces, wherever it is cut.
void check_stream(std::string_view text, std::size_t cut) {
    for (const auto at : {std::size_t{0}, cut}) {
        xml::stream_reader reader{{.octets = 4096}};
        const auto ignore = [](xml::stream_event, const xml::element&) {};
        if (reader.feed(text.substr(0, at), ignore)) reader.feed(text.substr(at), ignore);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const auto text = fuzz::text_of(data + 1, size - 1);
    check_whole(text);
    check_stream(text, data[0] % (text.size() + 1));
    return 0;
}
