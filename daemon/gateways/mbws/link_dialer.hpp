// Calls other daemons: one dialer for each [[link]] entry with a url (docs/links.md). It finds the
// address, connects, encrypts and verifies, and opens the WebSocket; when the link is down it tries
// again, first soon, then every ten seconds.
//
//     link_dialers dialers{context, links, turns, log};
//     dialers.apply(settings.links);      // at the start, and after each reload
//     dialers.close();
//
// One thread: that of `context`; names are looked up in a thread of Asio's. Everything passed in
// outlives the dialers.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "config/links.hpp"
#include "gateways/mbws/link_connection.hpp"
#include "router/link_table.hpp"
#include "router/turn.hpp"
#include "runtime/log.hpp"

namespace mbusd {

inline constexpr std::chrono::milliseconds link_retry_first{100};
inline constexpr std::chrono::milliseconds link_retry_last{10000};
// Before the first call: every daemon of this bus has said hello by then (RFC 3259, section 8), so that a
// link to one of them is seen to be a second way and stands by.
inline constexpr std::chrono::milliseconds link_listen_first{2000};
// One address of several; then the next one is tried.
inline constexpr std::chrono::seconds link_connect_patience{3};

class link_dialer final : private link_caller {
public:
    link_dialer(boost::asio::io_context& context, link_table& links, turn_queue& turns, logger& log, link_rule rule);
    ~link_dialer();
    link_dialer(const link_dialer&) = delete;
    link_dialer& operator=(const link_dialer&) = delete;

    void start() { retry_in(link_listen_first); }
    [[nodiscard]] const link_rule& rule() const noexcept { return rule_; }
    // Other patterns; url and files are as before.
    void set_rule(link_rule rule) { rule_ = std::move(rule); }

private:
    class masks final : public mbus::websocket::mask_source {
    public:
        mbus::websocket::mask_key next() override;
    };

    void link_over(const mbus::error& why) override;
    void link_is_up() override { was_up_ = true; }
    void dial();
    void connect_next();
    void connected();
    void try_later(std::string reason, bool slowly);
    void retry_in(std::chrono::milliseconds delay);
    void stop_attempt();

    boost::asio::io_context& context_;
    link_table& links_;
    turn_queue& turns_;
    logger& log_;
    link_rule rule_;
    link_url url_;
    hosted_link& link_;
    masks masks_;
    boost::asio::ip::tcp::resolver resolver_;
    boost::asio::steady_timer timer_;
    std::vector<boost::asio::ip::tcp::endpoint> places_;  // still to be tried
    std::unique_ptr<boost::asio::ip::tcp::socket> socket_;
    std::shared_ptr<link_connection> connection_;
    std::chrono::milliseconds delay_ = link_retry_first;
    std::string last_failure_;
    std::uint64_t attempt_ = 0;  // callbacks of earlier ones do nothing
    bool slowly_ = false;        // the other side said no: every 10 s
    bool was_up_ = false;        // the last connection carried a link
};

class link_dialers {
public:
    link_dialers(boost::asio::io_context& context, link_table& links, turn_queue& turns, logger& log);
    ~link_dialers();

    // Starts and stops dialers so that there is one for each rule with a url.
    void apply(const std::vector<link_rule>& rules);
    void close();

private:
    void arm();

    boost::asio::io_context& context_;
    link_table& links_;
    turn_queue& turns_;
    logger& log_;
    std::vector<std::unique_ptr<link_dialer>> dialers_;
    boost::asio::steady_timer timer_;  // deadlines of all links
    mbus::mbws::time_point armed_for_ = mbus::mbws::never;
};

}  // namespace mbusd
