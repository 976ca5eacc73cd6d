// The words of XEP-0060 as values: affiliations, subscriptions, items, events, and what can go wrong.
// Thread-safety: plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "xml/element.hpp"

namespace mbusd::pubsub {

enum class affiliation : std::uint8_t { none, member, publisher, owner, outcast };
enum class subscription_state : std::uint8_t { none, pending, subscribed };

[[nodiscard]] std::string_view to_string(affiliation what) noexcept;
[[nodiscard]] std::string_view to_string(subscription_state what) noexcept;
[[nodiscard]] std::optional<affiliation> affiliation_from(std::string_view text) noexcept;
[[nodiscard]] std::optional<subscription_state> subscription_state_from(std::string_view text) noexcept;

// Why something was refused: the words of an XMPP stanza error (RFC 6120, section 8.3) and of XEP-0060,
// which HTTP translates into a status. The views are literals.
struct fault {
    std::string_view type;         // "cancel", "modify", "auth"
    std::string_view condition;    // "item-not-found"
    std::string_view detail = {};  // condition of pubsub#errors: "closed-node"; empty: none
    std::string text = {};         // for people: what to do
    std::string_view feature = {}; // of the detail "unsupported"
};

// A value, or why there is none.
template <class T>
class outcome {
public:
    outcome(T value) : what_(std::in_place_index<0>, std::move(value)) {}
    outcome(fault why) : what_(std::in_place_index<1>, std::move(why)) {}

    explicit operator bool() const noexcept { return what_.index() == 0; }
    T& operator*() noexcept { return std::get<0>(what_); }
    const T& operator*() const noexcept { return std::get<0>(what_); }
    T* operator->() noexcept { return &std::get<0>(what_); }
    const T* operator->() const noexcept { return &std::get<0>(what_); }
    [[nodiscard]] const fault& error() const noexcept { return std::get<1>(what_); }

private:
    std::variant<T, fault> what_;
};

struct done {};

// Shared by the node, events under way and answers; never changed.
struct item {
    std::string id;
    std::shared_ptr<const xml::element> payload;
    std::string publisher;        // bare JID
    std::uint64_t order = 0;      // rises with every publish of the service; the newest is the highest
    std::uint64_t edited_ms = 0;  // since 1970
    std::size_t octets = 0;       // of the payload as text
};

struct affiliated {
    std::string node;
    std::string jid;  // bare
    pubsub::affiliation what = affiliation::none;
};

// One change of a node.
struct event {
    enum class kind : std::uint8_t { published, retracted, purged, deleted, configured, subscribed };
    kind what = kind::published;
    std::string node{};
    std::string item_id{};       // published, retracted
    std::shared_ptr<const item> entry{};  // published; retracted: as it was
    bool fresh = true;         // published: a new id, not a new version
    bool payload = true;       // published: deliver_payloads
    bool body = false;         // published: include_body
    std::string_view message_type = "headline";  // pubsub#notification_type
    subscription_state state = subscription_state::none;  // subscribed: the decision of an owner

    bool operator==(const event&) const = default;
};

// Who asks. The gateway has authenticated it.
struct requester {
    std::string jid;         // full, or bare for a client of HTTP
    bool guest = false;      // SASL ANONYMOUS: reads and subscribes, no more (XEP-0175)
};

// "ann@bus.example" of "ann@bus.example/x7".
[[nodiscard]] std::string_view bare_jid(std::string_view jid) noexcept;

}  // namespace mbusd::pubsub
