#include "gateways/xmpp/forms.hpp"

#include "gateways/xmpp/namespaces.hpp"

namespace mbusd::xmpp {

pubsub::form_fields fields_of(const xml::element& form) {
    pubsub::form_fields out;
    for (const auto* field : form.elements(ns::forms, "field")) {
        std::vector<std::string> values;
        for (const auto* value : field->elements(ns::forms, "value")) values.push_back(value->text());
        out.emplace_back(field->value_of("var"), std::move(values));
    }
    return out;
}

bool cancels(const xml::element& form) { return form.value_of("type") == "cancel"; }

xml::element new_form(std::string_view type, std::string_view form_type) {
    xml::element out{ns::forms, "x"};
    out.set("type", type);
    add_field(out, "FORM_TYPE", "hidden", {}, form_type);
    return out;
}

xml::element& add_field(xml::element& form, std::string_view name, std::string_view type, std::string_view label,
                        std::string_view value) {
    auto& field = form.add(ns::forms, "field");
    field.set("var", name);
    if (!type.empty()) field.set("type", type);
    if (!label.empty()) field.set("label", label);
    field.add(ns::forms, "value").add_text(value);
    return field;
}

xml::element config_form(const pubsub::node_config& config) {
    auto out = new_form("form", "http://jabber.org/protocol/pubsub#node_config");
    for (const auto& each : pubsub::config_fields()) {
        auto& field = add_field(out, each.name, each.type, each.label, each.value(config));
        for (const auto option : each.options) {
            field.add(ns::forms, "option").add(ns::forms, "value").add_text(option);
        }
    }
    return out;
}

}  // namespace mbusd::xmpp
