// Session files: whatever is read can be written and read again, in the strict form, to the same keys.
#include "protocol/session_config.hpp"

#include "fuzz.hpp"
#include "protocol/envelope.hpp"

using namespace mbus::protocol;

namespace {

// Error texts go to logs and terminals.
void check_text(const std::string& text) {
    for (const char c : text) fuzz::require(c >= ' ' && c <= '~', "texts are printable ASCII");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::text_of(data, size);
    for (const bool lenient : {false, true}) {
        auto read = parse_session_config(text, {.allow_short_hash_key = lenient, .strict = !lenient});
        if (!read) {
            check_text(read.error().text);
            continue;
        }
        for (const auto& warning : read->warnings) check_text(warning);
        const auto again = parse_session_config(format_session_config(*read),
                                                {.allow_short_hash_key = true, .strict = true});
        fuzz::require(again.has_value(), "what is written can be read");
        fuzz::require(again->hash_key == read->hash_key && again->cipher_key == read->cipher_key,
                      "keys survive");
        fuzz::require(again->group == read->group && again->port == read->port &&
                          again->scope == read->scope && again->broadcast == read->broadcast,
                      "settings survive");
        (void)envelope::create(*read);
    }
    return 0;
}
