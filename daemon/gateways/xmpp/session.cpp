#include "gateways/xmpp/session.hpp"

#include <utility>

#include "gateways/xmpp/namespaces.hpp"

namespace mbusd::xmpp {
namespace {

constexpr std::string_view request = "<r xmlns=\"urn:xmpp:sm:3\"/>";

}  // namespace

bool session::send_text(std::string stanza) {
    if (stream_ == nullptr && !queue.enabled()) return true;  // it is ending
    if (stream_ != nullptr) stream_->send(stanza);
    if (!queue.enabled()) return true;
    const bool room = queue.sent(std::move(stanza));
    if (stream_ != nullptr && ++since_request_ >= request_after) {
        since_request_ = 0;
        stream_->send(std::string{request});
    }
    return room;
}

void session::send_again() {
    if (stream_ == nullptr) return;
    for (const auto& each : queue.waiting()) stream_->send(each);
    since_request_ = 0;
    if (!queue.waiting().empty()) stream_->send(std::string{request});
}

}  // namespace mbusd::xmpp
