#include "pubsub/subscription_options.hpp"

#include <algorithm>
#include <array>

namespace mbusd::pubsub {
namespace {

constexpr std::array<option_field, 2> fields{{
    {"pubsub#deliver", "Events are delivered", &subscription_options::deliver},
    {"pubsub#include_body", "Events hold their title as text for people", &subscription_options::include_body},
}};

fault invalid(std::string text) { return {"modify", "bad-request", "invalid-options", std::move(text)}; }

}  // namespace

std::span<const option_field> option_fields() noexcept { return fields; }

std::optional<fault> subscription_options::apply(const form_fields& asked) {
    auto fresh = *this;
    for (const auto& [name, values] : asked) {
        if (name == "FORM_TYPE") continue;
        const auto field = std::ranges::find(fields, name, &option_field::name);
        if (field == fields.end()) return invalid("subscriptions have no option " + name + "; get the form to see their options");
        if (values.empty() || values.front().empty()) continue;
        const auto flag = flag_from(values.front());
        if (values.size() > 1 || !flag) return invalid(name + " is true or false");
        fresh.*(field->member) = *flag;
    }
    *this = fresh;
    return std::nullopt;
}

}  // namespace mbusd::pubsub
