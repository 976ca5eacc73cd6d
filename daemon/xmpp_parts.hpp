// XMPP in the daemon: the gateway at /xmpp, and the services of its domain, bus.DOMAIN and pubsub.DOMAIN.
// Put together for gateways.cpp.
//
//     xmpp_parts parts{context, hub, accounts, &feeds, turns, log};   // after the router has its bus
//     parts.add_paths(paths);
//     parts.stop_accepting();   // shutdown: every session ends with system-shutdown
//     parts.close();
//
// One thread. Everything passed in outlives the object.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include <boost/asio/io_context.hpp>

#include <mbus/value.hpp>

#include "http/path_table.hpp"
#include "router/router.hpp"
#include "router/turn.hpp"
#include "runtime/log.hpp"

namespace mbusd {

class account_table;
class feed_home;
class metric_page;

class xmpp_parts {
public:
    // `feeds` may be null: there is no publish-subscribe then.
    xmpp_parts(boost::asio::io_context& context, router& hub, account_table& accounts, feed_home* feeds, turn_queue& turns, logger& log);
    ~xmpp_parts();
    xmpp_parts(const xmpp_parts&) = delete;
    xmpp_parts& operator=(const xmpp_parts&) = delete;

    void add_paths(path_table& paths);
    void add_metrics(metric_page& page) const;
    // For mbusd.status and mbusd.counters.
    void add_status(mbus::value::list& into) const;
    void add_counters(mbus::value::list& into) const;
    // The account was removed or has a new password (user_identity::identity()).
    void end_sessions_of(std::string_view identity);
    void stop_accepting();
    void close();
    [[nodiscard]] std::size_t connections() const noexcept;

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace mbusd
