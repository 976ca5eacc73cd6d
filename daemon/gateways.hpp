// The gateways together: one HTTP listener, its table of paths, and the parts that answer at them.
// Put together here, so that none of them knows another.
//
//     gateways doors{context, values, hub, turns, log};   // opens the sockets; throws one sentence
//     doors.start();
//     doors.reload(values);      // SIGHUP
//     doors.stop_accepting();    // shutdown: what is under way is finished
//     doors.close();             // gives up what is left
//
// Nothing is open unless gateway.enabled. One thread. Everything passed in outlives the object.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "config/settings.hpp"
#include "gateways/mbws/mbws_gateway.hpp"
#include "http/certificate.hpp"
#include "http/http_listener.hpp"
#include "http/path_table.hpp"
#include "http_parts.hpp"
#include "router/client_directory.hpp"
#include "router/router.hpp"
#include "router/turn.hpp"
#include "runtime/log.hpp"
#include "runtime/process.hpp"

namespace mbusd {

class account_table;
class atom_gateway;
class feed_home;
class link_table;
class metric_page;
class store;
class xmpp_parts;

// True when a socket that was handed over is the gateway's: TCP, or with a name that begins with
// "gateway" ("gateway-tls": with TLS).
[[nodiscard]] bool belongs_to_gateway(const inherited_socket& socket);

// The certificate that the settings name, read and put away: for mbusd --check. Returns warnings, throws
// std::runtime_error.
std::vector<std::string> check_gateway(const settings& values);

class gateways {
public:
    gateways(boost::asio::io_context& context, const settings& values, std::vector<inherited_socket> inherited,
             router& hub, turn_queue& turns, logger& log);
    ~gateways();
    gateways(const gateways&) = delete;
    gateways& operator=(const gateways&) = delete;

    // Who knows tokens, and what is kept; before start(), and before the store starts.
    void use_clients(client_directory& clients, store& kept);
    // Who has a password, and where publish-subscribe is (null: nowhere); XMPP, if xmpp.enabled. After
    // use_clients().
    void use_accounts(account_table& accounts, feed_home* feeds);
    // The router has its sessions back from the store, which has not started.
    void restored(store& kept);
    // Figures of a part that is no gateway, for /metrics.
    void add_figures(std::function<void(metric_page&)> source);
    // For their figures; they live as long as requests are answered.
    void use_links(const link_table& links);
    // The token of this client was withdrawn.
    void end_streams_of(std::string_view identity);
    void start();
    void reload(const settings& values);
    void stop_accepting();
    void close();

    [[nodiscard]] std::size_t connections() const noexcept { return web_ ? web_->connections() : 0; }

private:
    void open(const settings& values, std::vector<inherited_socket> inherited);
    void add_paths();
    void remove_socket() noexcept;
    // Where others reach this daemon, for URLs that it gives away.
    [[nodiscard]] std::string base_url() const;

    boost::asio::io_context& context_;
    router& hub_;
    turn_queue& turns_;
    logger& log_;
    path_table paths_;
    std::unique_ptr<certificate> certificate_;
    std::unique_ptr<mbws_gateway> mbws_;  // null as web_ is
    std::unique_ptr<http_listener> web_;  // null: gateway.enabled is false
    client_directory* clients_ = nullptr;  // from use_clients() on
    std::unique_ptr<atom_gateway> atom_;  // null: no publish-subscribe, or not over HTTP
    std::unique_ptr<xmpp_parts> xmpp_;    // null: xmpp.enabled is false
    std::unique_ptr<http_parts> parts_;   // likewise, from use_clients() on
    std::string unix_path_;
    int unix_number_ = -1;
    std::vector<std::string> names_;      // of the sockets, for the log
    std::string reached_at_;              // "https://127.0.0.1:8407", a TLS socket if there is one
};

}  // namespace mbusd
