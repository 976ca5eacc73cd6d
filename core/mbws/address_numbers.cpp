#include "mbws/address_numbers.hpp"

namespace mbus::mbws {

std::uint64_t address_names::id_of(std::string_view text) {
    if (text.empty()) return 0;
    for (const auto& each : recent_) {
        if (each.text == text) return each.id;
    }
    return look_up(text);
}

std::uint64_t address_names::look_up(std::string_view text) {
    auto& place = recent_[next_recent_];
    next_recent_ = (next_recent_ + 1) % recent_.size();
    place.text = text;
    if (ids_.size() >= names_max) ids_.clear();
    const auto [known, fresh] = ids_.try_emplace(place.text, last_id_ + 1);
    if (fresh) ++last_id_;
    place.id = known->second;
    return place.id;
}

const char* heard_addresses::resolve(frame_view& frame, key text, key number) {
    if (!frame.has(number)) return nullptr;
    const std::uint64_t which = frame.integer(number);
    if (which >= size_) return "a number for an address that this side did not offer to remember";
    if (texts_.empty()) texts_.resize(size_);
    std::string& known = texts_[which];
    if (frame.has(text)) {
        if (frame.text(text).empty()) return "an empty address has a number";
        if (frame.text(text).size() > numbered_address_max) return "an address of more than 1024 octets has a number";
        known = frame.text(text);
        return nullptr;
    }
    if (known.empty()) return "a number that no address was given";
    frame.set(text, std::string_view{known});
    return nullptr;
}

}  // namespace mbus::mbws
