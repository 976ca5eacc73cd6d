#include <mbus/payload.hpp>

namespace mbus {

payload::payload(std::span<const command> several) {
    auto text = format_commands(several);
    if (text) body_ = std::move(*text);
    else status_ = std::move(text.error());
}

payload::payload(const command& one) {
    if (auto written = append_command(body_, one); !written) status_ = std::move(written.error());
}

payload::payload(std::string_view name, std::vector<value> arguments)
    : payload(command{std::string{name}, std::move(arguments)}) {}

payload payload::opaque(std::string type, std::string octets) {
    payload made;
    made.body_ = std::move(octets);
    made.type_ = std::move(type);
    if (made.type_.empty()) made.status_ = {errc::bad_argument, "an opaque body needs a media type, for instance text/plain"};
    return made;
}

}  // namespace mbus
