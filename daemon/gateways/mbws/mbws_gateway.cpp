#include "gateways/mbws/mbws_gateway.hpp"

#include <string>
#include <utility>
#include <vector>

#include <boost/asio/post.hpp>

#include "http/websocket_upgrade.hpp"
#include "websocket/header_list.hpp"

namespace mbusd {
namespace {

constexpr websocket_offer offer{.subprotocol = "mbws", .about = "see docs/mbws.md, section 7"};
constexpr std::string_view extension = "mbws";

}  // namespace

mbws_gateway::mbws_gateway(boost::asio::io_context& context, router& hub, turn_queue& turns, logger& log)
    : context_(context),
      hub_(hub),
      log_(log),
      nobody_(std::make_shared<const peer_identity>()),
      read_buffer_(new char[websocket_read_octets]),
      deadlines_(context,
                 [this](std::uint64_t id) {
                     const auto found = connections_.find(id);
                     if (found == connections_.end()) return;
                     const auto keep_alive = found->second;
                     keep_alive->advance(hub_.now());
                 }),
      environment_{hub_,
                   turns,
                   {read_buffer_.get(), websocket_read_octets},
                   output_,
                   [this](std::uint64_t id, mbus::mbws::time_point when) { deadlines_.set(id, when); },
                   [this](std::uint64_t id) {
                       // It is in the middle of a call: let go of it when that has ended.
                       deadlines_.drop(id);
                       const auto found = connections_.find(id);
                       if (found == connections_.end()) return;
                       boost::asio::post(context_, [last = std::move(found->second)] {});
                       connections_.erase(found);
                   },
                   [this] { return hub_.now(); }} {}

mbws_gateway::~mbws_gateway() { close(); }

void mbws_gateway::add_paths(path_table& paths) {
    paths.add("/mbws", {.methods = {"GET"}}, [this](const call_pointer& call) { handle(call); });
}

void mbws_gateway::stop_accepting() {
    accepting_ = false;
    const auto all = connections_;
    for (const auto& [id, each] : all) {
        if (!each->serves()) each->end(mbus::errc::shutting_down, "mbusd stops; connect again later");
    }
}

void mbws_gateway::close() {
    accepting_ = false;
    const auto all = connections_;
    for (const auto& [id, each] : all) each->close();
    deadlines_.close();
}

// --- the handshake (RFC 6455 s4.2) ------------------------------------------------------------------

void mbws_gateway::handle(const call_pointer& call) {
    if (!accepting_) {
        call->refuse(503, "shutting-down", "mbusd stops; connect again later");
        return;
    }
    std::shared_ptr<const peer_identity> who;
    if (fit_for_websocket(*call, offer) && identify(*call, who)) open(call, std::move(who));
}

// A token in the handshake must be good; without one `connect` names it, and `nobody_` stands for that.
bool mbws_gateway::identify(exchange& call, std::shared_ptr<const peer_identity>& who) {
    if (const auto wait = call.blocked_for()) {
        call.too_many_failures(*wait);
        return false;
    }
    who = nobody_;
    const auto token = call.request().bearer();
    if (!token) {
        if (!call.request().has_header("Authorization")) return true;
        call.unauthorized("only 'Authorization: Bearer TOKEN' is understood; 'mbus client add NAME' makes a token");
        return false;
    }
    who = clients_ == nullptr ? nullptr : clients_->find_client(*token);
    if (who) return true;
    log_.limited(level::warning, "token", "a client was refused: wrong token", {{"client", call.request().client}});
    call.unauthorized("the token is unknown, expired or was removed; 'mbus client add NAME' makes one");
    return false;
}

void mbws_gateway::open(const call_pointer& call, std::shared_ptr<const peer_identity> who) {
    const auto& request = call->request();
    const bool native = mbus::websocket::offers_extension(request.header("Sec-WebSocket-Extensions"), extension);
    auto headers = websocket_answer(request, offer.subprotocol);
    if (native) headers.push_back({"Sec-WebSocket-Extensions", std::string{extension}});
    auto [stream, leftover] = call->upgrade(headers);
    if (!stream) return;  // it had gone
    auto connection = std::make_shared<websocket_connection>(environment_, std::move(stream), std::move(who), call, native);
    connections_.emplace(connection->id(), connection);
    connection->start(std::move(leftover));
}

}  // namespace mbusd
