#include "xml/element.hpp"

#include <algorithm>
#include <utility>

namespace mbusd::xml {

std::optional<std::string_view> element::get(std::string_view name) const noexcept { return get("", name); }

std::optional<std::string_view> element::get(std::string_view space, std::string_view name) const noexcept {
    for (const auto& each : attributes_) {
        if (each.name == name && each.space == space) return each.value;
    }
    return std::nullopt;
}

element& element::set(std::string_view space, std::string_view name, std::string_view value) {
    for (auto& each : attributes_) {
        if (each.name != name || each.space != space) continue;
        each.value = value;
        return *this;
    }
    attributes_.push_back({std::string{space}, std::string{name}, std::string{value}});
    return *this;
}

void element::remove(std::string_view name) {
    std::erase_if(attributes_, [&](const attribute& each) { return each.space.empty() && each.name == name; });
}

element& element::add(element child) {
    children_.push_back({std::move(child)});
    return *children_.back().as_element();
}

element& element::add_text(std::string_view text) {
    if (text.empty()) return *this;
    if (!children_.empty()) {
        if (auto* last = std::get_if<std::string>(&children_.back().what)) {
            last->append(text);
            return *this;
        }
    }
    children_.push_back({std::string{text}});
    return *this;
}

const element* element::child(std::string_view space, std::string_view name) const noexcept {
    for (const auto& each : children_) {
        if (const auto* found = each.as_element(); found != nullptr && found->is(space, name)) return found;
    }
    return nullptr;
}

element* element::child(std::string_view space, std::string_view name) noexcept {
    return const_cast<element*>(std::as_const(*this).child(space, name));
}

const element* element::first() const noexcept {
    for (const auto& each : children_) {
        if (const auto* found = each.as_element()) return found;
    }
    return nullptr;
}

std::vector<const element*> element::elements() const {
    std::vector<const element*> out;
    for (const auto& each : children_) {
        if (const auto* found = each.as_element()) out.push_back(found);
    }
    return out;
}

std::vector<const element*> element::elements(std::string_view space, std::string_view name) const {
    auto out = elements();
    std::erase_if(out, [&](const element* each) { return !each->is(space, name); });
    return out;
}

std::string element::text() const {
    std::string out;
    for (const auto& each : children_) {
        if (const auto* text = each.as_text()) out += *text;
    }
    return out;
}

bool element::operator==(const element& other) const {
    return space_ == other.space_ && name_ == other.name_ && attributes_.size() == other.attributes_.size() &&
           std::ranges::is_permutation(attributes_, other.attributes_) && children_ == other.children_;
}

}  // namespace mbusd::xml
