#include "gateways/xmpp/xmpp_gateway.hpp"

#include <utility>

#include <boost/asio/post.hpp>

#include "http/websocket_upgrade.hpp"
#include "router/session_table.hpp"

namespace mbusd {
namespace {

constexpr websocket_offer offer{.subprotocol = "xmpp", .about = "see docs/xmpp.md"};
constexpr std::uint64_t domain_id = 0;

// PLAIN shows the password to the path: over TLS, or where there is none.
bool stays_private(const http_request& request) {
    return request.secure || request.client == "unix" || request.client.starts_with("127.") || request.client == "::1";
}

}  // namespace

xmpp_gateway::xmpp_gateway(boost::asio::io_context& context, xmpp_options options, sasl_accounts& accounts,
                           turn_queue& turns, std::function<xmpp::time_point()> now, logger& log)
    : context_(context),
      options_(std::move(options)),
      turns_(turns),
      log_(log),
      domain_(options_.server, accounts, [](std::size_t octets) { return random_token(octets); }),
      read_buffer_(new char[xmpp_read_octets]),
      deadlines_(context,
                 [this](std::uint64_t id) {
                     if (id == domain_id) {
                         armed_ = xmpp::never;
                         domain_.advance(environment_.now());
                         turns_.add(*this);
                         return;
                     }
                     const auto found = connections_.find(id);
                     if (found == connections_.end()) return;
                     const auto keep_alive = found->second;
                     keep_alive->advance(environment_.now());
                     turns_.add(*this);
                 }),
      environment_{domain_,
                   turns,
                   {read_buffer_.get(), xmpp_read_octets},
                   [this](std::uint64_t id, xmpp::time_point when) {
                       deadlines_.set(id, when);
                       turns_.add(*this);
                   },
                   [this](std::uint64_t id) {
                       // It is in the middle of a call: let go of it when that has ended.
                       deadlines_.drop(id);
                       const auto found = connections_.find(id);
                       if (found == connections_.end()) return;
                       boost::asio::post(context_, [last = std::move(found->second)] {});
                       connections_.erase(found);
                   },
                   std::move(now)} {}

xmpp_gateway::~xmpp_gateway() { close(); }

void xmpp_gateway::add_paths(path_table& paths) {
    paths.add("/xmpp", {.methods = {"GET"}}, [this](const std::shared_ptr<exchange>& call) { handle(call); });
}

void xmpp_gateway::handle(const std::shared_ptr<exchange>& call) {
    if (!accepting_) return call->refuse(503, "shutting-down", "mbusd stops; connect again later");
    if (const auto wait = call->blocked_for()) return call->too_many_failures(*wait);
    if (!fit_for_websocket(*call, offer)) return;
    const xmpp::stream_options options{.plain = stays_private(call->request()), .anonymous = options_.anonymous};
    auto [socket, leftover] = call->upgrade(websocket_answer(call->request(), offer.subprotocol));
    if (!socket) return;  // it had gone
    const auto id = ++last_id_;
    auto made = std::make_shared<xmpp::connection>(environment_, id, std::move(socket), call, options);
    connections_.emplace(id, made);
    made->start(std::move(leftover));
}

// Sessions that ended in this turn go, and the next one that waits for its client is looked for.
void xmpp_gateway::end_of_turn() {
    domain_.settle();
    const auto next = domain_.deadline();
    if (next == armed_) return;
    armed_ = next;
    if (next == xmpp::never) deadlines_.drop(domain_id);
    else deadlines_.set(domain_id, next);
}

void xmpp_gateway::end_sessions_of(std::string_view user) {
    domain_.end_sessions_of(environment_.now(), user);
    turns_.add(*this);
}

void xmpp_gateway::stop_accepting() {
    accepting_ = false;
    domain_.shut_down(environment_.now());
    const auto all = connections_;
    for (const auto& [id, each] : all) each->end();
    turns_.add(*this);
}

void xmpp_gateway::close() {
    accepting_ = false;
    const auto all = connections_;
    for (const auto& [id, each] : all) each->give_up();
    deadlines_.close();
}

}  // namespace mbusd
