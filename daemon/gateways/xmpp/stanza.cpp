#include "gateways/xmpp/stanza.hpp"

#include "gateways/xmpp/namespaces.hpp"

namespace mbusd::xmpp {
namespace {

xml::element turned_around(const xml::element& request) {
    xml::element out{ns::client, request.name()};
    if (const auto id = request.get("id")) out.set("id", *id);
    if (const auto to = request.get("to")) out.set("from", *to);
    if (const auto from = request.get("from")) out.set("to", *from);
    return out;
}

}  // namespace

xml::element result_of(const xml::element& request) {
    auto out = turned_around(request);
    out.set("type", "result");
    return out;
}

xml::element error_of(const xml::element& request, const stanza_fault& what) {
    auto out = turned_around(request);
    out.set("type", "error");
    auto& error = out.add(ns::client, "error");
    error.set("type", what.type);
    error.add(ns::stanza_errors, what.condition);
    if (!what.text.empty()) {
        error.add(ns::stanza_errors, "text").set(xml::xml_namespace, "lang", "en").add_text(what.text);
    }
    if (!what.detail.empty()) {
        auto& detail = error.add(what.detail_space, what.detail);
        if (!what.feature.empty()) detail.set("feature", what.feature);
    }
    return out;
}

bool may_be_answered(const xml::element& stanza) noexcept {
    const auto type = stanza.value_of("type");
    return type != "error" && !(stanza.name() == "iq" && type == "result");
}

std::string_view asks(const xml::element& stanza) noexcept {
    if (stanza.name() != "iq") return {};
    const auto type = stanza.value_of("type");
    return type == "get" || type == "set" ? type : std::string_view{};
}

const xml::element* query(const xml::element& iq, std::string_view space, std::string_view name) noexcept {
    const auto* payload = iq.first();
    return payload != nullptr && payload->is(space, name) ? payload : nullptr;
}

}  // namespace mbusd::xmpp
