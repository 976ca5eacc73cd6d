#include "gateways/atom/entity_tag.hpp"

#include <cstdint>

#include <fmt/format.h>

#include "http/field_text.hpp"

namespace mbusd {

std::string entity_tag(const pubsub::item& of) { return fmt::format("\"{:x}-{:x}\"", of.order, of.edited_ms); }

std::string entity_tag(std::string_view document) {
    std::uint64_t hash = 0xCBF29CE484222325;  // FNV-1a
    for (const char c : document) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
    return fmt::format("\"{:x}-{:016x}\"", document.size(), hash);
}

bool lists_tag(std::string_view list, std::string_view tag, bool weakly) noexcept {
    return http::any_item(list, [&](std::string_view each) {
        each = http::trimmed(each);
        if (weakly && each.starts_with("W/")) each.remove_prefix(2);
        return each == tag || each == "*";
    });
}

}  // namespace mbusd
