// What a subscriber asks for (XEP-0060, section 6.3), and the form fields that show and change it.
//
//     subscription_options options;
//     if (auto no = options.apply({{"pubsub#deliver", {"0"}}})) refuse(*no);   // all or nothing
//
// Thread-safety: plain values.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "pubsub/node_config.hpp"

namespace mbusd::pubsub {

struct subscription_options {
    bool deliver = true;        // false: the subscription rests
    bool include_body = true;  // where the node says the title as text too

    // Changes what the fields name. Nothing is changed when one is refused. FORM_TYPE is skipped.
    std::optional<fault> apply(const form_fields& fields);

    bool operator==(const subscription_options&) const = default;
};

struct option_field {
    std::string_view name;  // all are boolean
    std::string_view label;
    bool subscription_options::*member;
};

[[nodiscard]] std::span<const option_field> option_fields() noexcept;

}  // namespace mbusd::pubsub
