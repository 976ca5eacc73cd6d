#include "pubsub/node_config.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace mbusd::pubsub {
namespace {

constexpr std::array<std::string_view, 3> access_models{"open", "authorize", "whitelist"};
constexpr std::array<std::string_view, 3> publish_models{"publishers", "subscribers", "open"};
constexpr std::array<std::string_view, 3> last_items{"never", "on_sub", "on_sub_and_presence"};
constexpr std::array<std::string_view, 2> message_types{"headline", "normal"};

bool set_text(std::string& into, const std::string& value) {
    if (value.size() > config_text_octets_max) return false;
    into = value;
    return true;
}

template <std::string node_config::*Member>
bool set_text_of(node_config& to, const std::string& value) {
    return set_text(to.*Member, value);
}

template <std::string node_config::*Member>
std::string text_of(const node_config& from) {
    return from.*Member;
}

template <bool node_config::*Member>
bool set_flag(node_config& to, const std::string& value) {
    const auto flag = flag_from(value);
    if (flag) to.*Member = *flag;
    return flag.has_value();
}

template <bool node_config::*Member>
std::string flag_of(const node_config& from) {
    return from.*Member ? "1" : "0";
}

template <auto Member, const auto& Names>
bool set_choice(node_config& to, const std::string& value) {
    const auto found = std::ranges::find(Names, value);
    if (found == Names.end()) return false;
    using type = std::remove_reference_t<decltype(to.*Member)>;
    to.*Member = static_cast<type>(found - Names.begin());
    return true;
}

template <auto Member, const auto& Names>
std::string choice_of(const node_config& from) {
    return std::string{Names[static_cast<std::size_t>(from.*Member)]};
}

bool set_max_items(node_config& to, const std::string& value) {
    if (value == "max") {
        to.max_items = items_max;
        to.max_items_is_max = true;
        return true;
    }
    std::uint64_t number = 0;
    const auto* end = value.data() + value.size();
    const auto [stopped, fault] = std::from_chars(value.data(), end, number);
    if (fault != std::errc{} || stopped != end || number == 0 || number > items_max) return false;
    to.max_items = number;
    to.max_items_is_max = false;
    return true;
}

std::string max_items_of(const node_config& from) {
    return from.max_items_is_max ? "max" : std::to_string(from.max_items);
}

bool set_message_type(node_config& to, const std::string& value) {
    if (std::ranges::find(message_types, value) == message_types.end()) return false;
    to.notification_type = value;
    return true;
}

constexpr std::array<config_field, 14> fields{{
    {"pubsub#title", "text-single", "A short name", {}, text_of<&node_config::title>, set_text_of<&node_config::title>},
    {"pubsub#description", "text-single", "What is published here", {}, text_of<&node_config::description>,
     set_text_of<&node_config::description>},
    {"pubsub#type", "text-single", "Namespace of the payload", {}, text_of<&node_config::type>, set_text_of<&node_config::type>},
    {"pubsub#access_model", "list-single", "Who may subscribe and read", access_models,
     choice_of<&node_config::access, access_models>, set_choice<&node_config::access, access_models>},
    {"pubsub#publish_model", "list-single", "Who may publish", publish_models,
     choice_of<&node_config::publish, publish_models>, set_choice<&node_config::publish, publish_models>},
    {"pubsub#max_items", "text-single", "How many items are kept, or max", {}, max_items_of, set_max_items},
    {"pubsub#persist_items", "boolean", "Items are kept", {}, flag_of<&node_config::persist_items>,
     set_flag<&node_config::persist_items>},
    {"pubsub#send_last_published_item", "list-single", "When the newest item is sent unasked", last_items,
     choice_of<&node_config::send_last, last_items>, set_choice<&node_config::send_last, last_items>},
    {"pubsub#deliver_notifications", "boolean", "Subscribers are told of changes", {},
     flag_of<&node_config::deliver_notifications>, set_flag<&node_config::deliver_notifications>},
    {"pubsub#deliver_payloads", "boolean", "Notifications hold the payload", {}, flag_of<&node_config::deliver_payloads>,
     set_flag<&node_config::deliver_payloads>},
    {"pubsub#include_body", "boolean", "Notifications say the title as text", {}, flag_of<&node_config::include_body>,
     set_flag<&node_config::include_body>},
    {"pubsub#notification_type", "list-single", "Type of the messages that notify", message_types,
     text_of<&node_config::notification_type>, set_message_type},
    {"pubsub#notify_delete", "boolean", "Subscribers are told when the node is deleted", {},
     flag_of<&node_config::notify_delete>, set_flag<&node_config::notify_delete>},
    {"pubsub#notify_retract", "boolean", "Subscribers are told when items are removed", {},
     flag_of<&node_config::notify_retract>, set_flag<&node_config::notify_retract>},
}};

const config_field* find_field(std::string_view name) noexcept {
    const auto found = std::ranges::find(fields, name, &config_field::name);
    return found == fields.end() ? nullptr : &*found;
}

// Converse submits every field, lists and numbers with an empty value: "unchanged".
bool says_nothing(const config_field& field, const std::vector<std::string>& values) noexcept {
    if (values.empty()) return true;
    if (!values.front().empty()) return false;
    return field.type != "text-single" || field.set == set_max_items;
}

}  // namespace

std::span<const config_field> config_fields() noexcept { return fields; }

std::optional<bool> flag_from(std::string_view text) noexcept {
    if (text == "1" || text == "true") return true;
    if (text == "0" || text == "false") return false;
    return std::nullopt;
}

std::optional<fault> node_config::apply(const form_fields& asked) {
    node_config fresh = *this;
    for (const auto& [name, values] : asked) {
        if (name == "FORM_TYPE") continue;
        const auto* field = find_field(name);
        if (field == nullptr) {
            return fault{"modify", "not-acceptable", {}, "this service has no field " + name + "; get the form to see its fields"};
        }
        if (says_nothing(*field, values)) continue;
        if (values.size() > 1 || !field->set(fresh, values.front())) {
            return fault{"modify", "not-acceptable", {}, "this service does not take that value of " + name};
        }
    }
    *this = std::move(fresh);
    return std::nullopt;
}

std::optional<std::string> node_config::differs_from(const form_fields& asked) const {
    node_config wanted = *this;
    for (const auto& [name, values] : asked) {
        if (name == "FORM_TYPE") continue;
        const auto* field = find_field(name);
        if (field == nullptr || values.size() != 1 || !field->set(wanted, values.front())) return name;
        if (field->value(wanted) != field->value(*this)) return name;
    }
    return std::nullopt;
}

}  // namespace mbusd::pubsub
