// The configuration of a node (XEP-0060, section 8.2 and 16.4.4), and the form fields that show and
// change it.
//
//     node_config config;
//     if (auto no = config.apply({{"pubsub#max_items", {"10"}}})) refuse(*no);   // all or nothing
//     for (const auto& field : config_fields()) show(field.name, field.values(config));
//
// Thread-safety: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pubsub/types.hpp"

namespace mbusd::pubsub {

enum class access_model : std::uint8_t { open, authorize, whitelist };
enum class publish_model : std::uint8_t { publishers, subscribers, open };
enum class last_item : std::uint8_t { never, on_sub, on_sub_and_presence };

// What one node keeps at most, and what max_items = "max" means.
inline constexpr std::uint64_t items_max = 10000;
// Title, description and type; they are shown in lists.
inline constexpr std::size_t config_text_octets_max = 1024;

// As they come from a form: name without type, every value.
using form_fields = std::vector<std::pair<std::string, std::vector<std::string>>>;

struct node_config {
    std::string title{};
    std::string description{};
    std::string type{"http://www.w3.org/2005/Atom"};
    access_model access = access_model::open;
    publish_model publish = publish_model::publishers;
    last_item send_last = last_item::never;
    std::uint64_t max_items = 100;
    bool max_items_is_max = false;  // "max" was asked: said so again
    bool persist_items = true;
    bool deliver_notifications = true;
    bool deliver_payloads = true;
    bool include_body = true;       // for clients that show messages and know no events
    bool notify_delete = true;
    bool notify_retract = true;
    std::string notification_type{"headline"};  // or "normal"

    // Changes what the fields name; a field without value or with an empty one where text makes no sense
    // leaves it. Nothing is changed when one is refused. FORM_TYPE is skipped.
    std::optional<fault> apply(const form_fields& fields);
    // The first field that is not as the configuration is: for publish-options.
    [[nodiscard]] std::optional<std::string> differs_from(const form_fields& fields) const;

    bool operator==(const node_config&) const = default;
};

// One field of the form, in its order.
struct config_field {
    std::string_view name;   // "pubsub#title"
    std::string_view type;   // of XEP-0004: "text-single", "boolean", "list-single"
    std::string_view label;
    std::span<const std::string_view> options{};  // list-single
    std::string (*value)(const node_config&) = nullptr;
    bool (*set)(node_config&, const std::string&) = nullptr;  // false: no such value
};

[[nodiscard]] std::span<const config_field> config_fields() noexcept;

// A boolean of a form or an attribute (XEP-0004): "1", "0", "true", "false".
[[nodiscard]] std::optional<bool> flag_from(std::string_view text) noexcept;

}  // namespace mbusd::pubsub
