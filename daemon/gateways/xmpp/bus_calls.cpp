// Requests to entities as an iq: `<command/>` in, its reply in the result. On the bus it is the request
// form of the Mbus guidelines, name(((ID "7") (RPC-TYPE "UNICAST")) (arguments)), answered by name.return.
#include <utility>

#include <fmt/format.h>

#include "gateways/xmpp/bus_commands.hpp"
#include "gateways/xmpp/bus_service.hpp"
#include "gateways/xmpp/namespaces.hpp"
#include "router/request_reply.hpp"

namespace mbusd::xmpp {
namespace {

using mbus::errc;
using mbus::mbws::route_report;
using mbus::mbws::route_status;
using xml::element;

}  // namespace

void bus_service::start_call(const std::shared_ptr<member>& from, const mbus::address& whom, const element& iq) {
    auto question = command_of(*iq.first());
    if (!question) return refuse(*from, iq, question.error());
    if (from->calls >= calls_of_one) return refuse(*from, iq, {errc::limit, "64 requests of this session wait for their reply; let some of them end"});
    const auto id = ++last_call_;
    const auto text = request_text(id, *question);
    if (!text) return refuse(*from, iq, text.error());
    calls_.emplace(id, call{.caller = from, .question = iq, .asked = whom, .callee = {}, .name = reply_name(*question)});
    ++from->calls;
    const outgoing_message what{.from = *from->handle, .to = whom.text(), .body = *text, .reliable = true, .receipt_wanted = true};
    route_report report;
    const auto later = [this, id, alive = std::weak_ptr{alive_}](const route_report& how) {
        if (!alive.expired()) call_sent(id, how);
    };
    switch (hub_.send(hub_.now(), what, from->rights.get(), report, later)) {
    case route_status::refused: report.failed = true; [[fallthrough]];
    case route_status::routed: call_sent(id, report); break;
    case route_status::receipt_later:
    case route_status::take_over_later: break;
    }
    options_.after(call_patience, [this, id, alive = std::weak_ptr{alive_}] {
        if (alive.expired()) return;
        end_call(id, [this](member& caller, const element& iq_of) {
            refuse(caller, iq_of, {errc::timed_out, fmt::format("the entity has the request and did not reply within {} s", call_patience.count())});
        });
    });
}

// Whoever took the request is who may reply. A reply can be quicker than the outcome.
void bus_service::call_sent(std::uint64_t id, const route_report& report) {
    if (report.failed) {
        end_call(id, [&](member& caller, const element& iq) { refuse(caller, iq, {report.code, report.text}); });
        return;
    }
    ++counters_.sent;
    const auto found = calls_.find(id);
    if (found != calls_.end()) found->second.callee = report.entity;
}

bool bus_service::is_reply(const member& to, std::string_view source, const mbus::command& what) {
    const auto id = answered_request(what);
    const auto found = id ? calls_.find(*id) : calls_.end();
    if (found == calls_.end() || found->second.name != what.name || found->second.caller.lock().get() != &to) return false;
    const auto who = mbus::address::parse(source);
    if (!who || !who->answers_to(found->second.asked)) return false;
    if (!found->second.callee.empty() && found->second.callee != source) return false;
    end_call(*id, [&](member& caller, const element& iq) {
        const auto said = reply_of(what);
        auto out = result_of(iq);
        auto& reply = out.add(ns::bus, "reply");
        reply.set("from", source).set("status", said.status);
        if (!said.code.empty()) reply.set("code", said.code);
        if (!said.text.empty()) reply.set("text", said.text);
        add_values(reply, said.results);
        out_.send(*caller.who, out);
    });
    return true;
}

void bus_service::end_call(std::uint64_t id, const std::function<void(member&, const element&)>& with) {
    const auto found = calls_.find(id);
    if (found == calls_.end()) return;
    const auto ended = std::move(found->second);
    calls_.erase(found);
    const auto caller = ended.caller.lock();
    if (!caller) return;
    --caller->calls;
    if (caller->who != nullptr) with(*caller, ended.question);
}

}  // namespace mbusd::xmpp
