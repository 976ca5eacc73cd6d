// The refusals of the service, each in one place: the table of XEP-0060's errors with sentences for
// people. Thread-safety: pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "pubsub/types.hpp"

namespace mbusd::pubsub::faults {

inline fault node_required() { return {"modify", "bad-request", "nodeid-required", "name the node in the attribute node"}; }
inline fault no_node(std::string_view node) {
    return {"cancel", "item-not-found", {}, "there is no node " + std::string{node} + "; create it first"};
}
inline fault no_item(std::string_view id) { return {"cancel", "item-not-found", {}, "the node has no item " + std::string{id}}; }
inline fault node_exists(std::string_view node) {
    return {"cancel", "conflict", {}, "the node " + std::string{node} + " exists already; choose another id"};
}
inline fault not_owner(std::string_view node) {
    return {"auth", "forbidden", {}, "only an owner of " + std::string{node} + " may do that"};
}
inline fault guest(std::string_view what) {
    return {"auth", "forbidden", {}, "a guest may not " + std::string{what} + "; log in with an account"};
}
inline fault id_too_long(std::string_view what, std::size_t most) {
    return {"modify", "not-acceptable", {}, "the id of the " + std::string{what} + " has at most " + std::to_string(most) + " octets"};
}
inline fault too_many(std::string_view what) {
    return {"wait", "resource-constraint", {}, "there are as many " + std::string{what} + " as are allowed; remove some"};
}
inline fault closed() { return {"cancel", "not-allowed", "closed-node", "only who is on the node's list may do that; ask an owner"}; }
inline fault outcast() { return {"auth", "forbidden", {}, "an owner of the node has shut you out"}; }
inline fault not_subscribed_reader() {
    return {"auth", "not-authorized", "not-subscribed", "subscribe first; an owner has to approve it"};
}
inline fault may_not_publish(std::string_view node) {
    return {"auth", "forbidden", {}, "you may not publish to " + std::string{node} + "; ask an owner to make you a publisher"};
}
inline fault payload_too_big(std::size_t most) {
    return {"modify", "not-acceptable", "payload-too-big", "a payload has at most " + std::to_string(most) + " octets"};
}
inline fault precondition(std::string_view field) {
    return {"cancel", "conflict", "precondition-not-met", "the node's " + std::string{field} + " is another"};
}
inline fault item_required() { return {"modify", "bad-request", "item-required", "name the item by its id"}; }
inline fault jid_required() { return {"modify", "bad-request", "jid-required", "name the subscriber in the attribute jid"}; }
inline fault foreign_jid() {
    return {"modify", "bad-request", "invalid-jid", "only your own address, bare or full, may be subscribed"};
}
inline fault pending() {
    return {"auth", "not-authorized", "pending-subscription", "an owner has not decided about your subscription yet"};
}
inline fault not_subscribed() { return {"cancel", "unexpected-request", "not-subscribed", "there is no such subscription"}; }
inline fault last_owner() {
    return {"modify", "not-acceptable", {}, "the node would have no owner; make somebody else an owner first"};
}
inline fault bad_list(std::string_view what) { return {"modify", "bad-request", {}, std::string{what}}; }

}  // namespace mbusd::pubsub::faults
