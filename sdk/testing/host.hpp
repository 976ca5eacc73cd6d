// A host of the in-process bus: mbusd in miniature. The engine of RFC 3259, and the broker's side of
// the client protocol for each connection; no rights, no queues, no capability URLs.
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "mbws/broker_connection.hpp"
#include "mbws/broker_session.hpp"
#include "mbws/frame_reader.hpp"
#include "pipe.hpp"
#include "protocol/node.hpp"

namespace mbus::testing::detail {

class world;

class host final : public mbws::session_host, public protocol::node_events {
public:
    host(world& owner, std::string name, std::uint16_t port);
    host(const host&) = delete;
    host& operator=(const host&) = delete;
    ~host();

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

    // Null when the daemon is not running.
    std::shared_ptr<pipe> accept();
    void receive(std::string_view datagram, std::uint16_t from_port);
    // True when something happened.
    bool turn();
    [[nodiscard]] mbws::time_point next_deadline() const;

    void start();
    void kill();
    void break_connections();

    bool plugged = true;

private:
    class client;  // one connection

    // Who gets what the engine delivers to an entity.
    struct place {
        mbws::broker_session* session = nullptr;
        std::uint32_t slot = 0;
        auto operator<=>(const place&) const = default;
    };
    struct watcher {
        place where;
        mbus::address pattern;
    };
    struct open_send {
        mbws::broker_session* session = nullptr;
        std::uint64_t number = 0;
        std::uint32_t matched = 0;
    };

    // mbws::session_host
    result<mbws::opened_session> open(mbws::time_point now, const mbws::connect_request& request) override;
    result<mbws::attached> attach(mbws::time_point now, mbws::broker_session& session,
                                  const mbws::attach_request& request) override;
    void detach(mbws::time_point now, mbws::broker_session& session, const mbws::attachment& what) override;
    result<std::uint32_t> watch(mbws::time_point now, mbws::broker_session& session,
                                const mbws::watch_request& request) override;
    void unwatch(mbws::broker_session& session, const mbws::watch_request& what) override;
    mbws::route_status route(mbws::time_point now, mbws::broker_session& session, const mbws::routed_message& what,
                             mbws::route_report& report) override;
    result<mbws::granted> grant(mbws::time_point now, mbws::broker_session& session,
                                const mbws::grant_request& request) override;
    result<void> revoke(mbws::time_point now, mbws::broker_session& session, std::string_view url) override;
    void room(mbws::broker_session& session) override;
    void ended(mbws::time_point now, mbws::broker_session& session, mbws::end_reason why) override;

    // protocol::node_events
    bool deliver(protocol::entity_handle to, const std::shared_ptr<const protocol::inbound>& what) override;
    void observed(const std::shared_ptr<const protocol::inbound>& what) override;
    void sent(const protocol::send_report& report) override;
    void peer_changed(const protocol::peer_view& peer, protocol::peer_state state) override;

    bool offer(const place& to, const protocol::inbound& what, bool monitor);
    void tell_watchers(const mbus::address& who, mbws::entity_state state);
    void drain();
    void make_node();
    [[nodiscard]] std::string make_token();

    world& world_;
    std::string name_;
    std::uint16_t port_;
    mbws::session_settings settings_;
    std::unique_ptr<protocol::node> node_;  // null while the daemon is not running
    mbws::message_preparer preparer_;
    std::vector<std::unique_ptr<client>> clients_;
    std::map<std::string, std::unique_ptr<mbws::broker_session>> sessions_;  // by token
    std::vector<std::unique_ptr<mbws::broker_session>> ended_;
    std::unordered_map<std::uint32_t, place> entities_;  // by handle
    std::vector<watcher> monitors_;
    std::vector<watcher> watchers_;
    std::map<protocol::send_token, open_send> sends_;
    std::optional<protocol::send_report> sent_at_once_;  // while route() is on the stack
    bool routing_ = false;
    std::uint64_t last_id_ = 0;
};

}  // namespace mbus::testing::detail
