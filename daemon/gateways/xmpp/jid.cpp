#include "gateways/xmpp/jid.hpp"

#include <algorithm>

#include "message/text.hpp"

namespace mbusd::xmpp {
namespace {

std::string lowered(std::string_view text) {
    std::string out{text};
    std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return out;
}

bool fits(std::string_view part) noexcept {
    return !part.empty() && part.size() <= jid_part_octets_max && mbus::text::is_utf8_without_controls(part);
}

}  // namespace

std::optional<jid> jid::parse(std::string_view text) {
    jid out;
    if (const auto slash = text.find('/'); slash != std::string_view::npos) {
        const auto resource = text.substr(slash + 1);
        if (!fits(resource)) return std::nullopt;
        out.resource = resource;
        text = text.substr(0, slash);
    }
    if (const auto at = text.find('@'); at != std::string_view::npos) {
        const auto local = text.substr(0, at);
        if (!fits(local) || local.find_first_of("\"&'/:<>@ ") != std::string_view::npos) return std::nullopt;
        out.local = lowered(local);
        text = text.substr(at + 1);
    }
    if (!fits(text) || text.find_first_of("\"&'/<>@ ") != std::string_view::npos) return std::nullopt;
    out.domain = lowered(text);
    return out;
}

}  // namespace mbusd::xmpp
