// Request and reply in the form of the Mbus guidelines, and the waiting and go of RFC 3259.
//
//     name        ((("ID" "7") ("RPC-TYPE" "UNICAST")) (args))
//     name.return ((("ID" "7") ("RPC-STATUS" "OK")) ((OK OK "text") (results)))
#include "core.hpp"

#include <algorithm>
#include <utility>

namespace mbus::detail {
namespace {

constexpr std::string_view return_suffix = ".return";
// A condition is repeated at most this often; a shorter interval would only be load.
constexpr std::chrono::milliseconds waiting_interval_min{10};

std::optional<std::string_view> word(const value& what) {
    if (const auto* text = what.get_if<std::string>()) return *text;
    if (const auto* name = what.get_if<symbol>()) return name->name;
    return std::nullopt;
}

// The value of `key` in (("ID" "7") ("RPC-TYPE" "UNICAST")).
const value* find_property(const value& properties, std::string_view key) {
    const auto* pairs = properties.get_if<value::list>();
    if (pairs == nullptr) return nullptr;
    for (const auto& pair : *pairs) {
        const auto* both = pair.get_if<value::list>();
        if (both != nullptr && both->size() == 2 && word(both->front()) == key) return &both->back();
    }
    return nullptr;
}

std::string text_of(const value& what) {
    if (const auto as_word = word(what)) return std::string{*as_word};
    return format_value(what).has_value() ? *format_value(what) : std::string{};
}

value property(const char* key, value what) { return value::list{key, std::move(what)}; }

command call_command(command what, const std::string& id) {
    command call{std::move(what.name), {}};
    call.arguments.emplace_back(value::list{property("ID", id), property("RPC-TYPE", "UNICAST")});
    call.arguments.emplace_back(std::move(what.arguments));
    return call;
}

symbol symbol_or(const std::string& word, const char* otherwise) {
    return symbol{is_symbol(word) ? word : otherwise};
}

command answer_command(const std::string& name, const value& id, const result<reply>& outcome) {
    const bool unknown = !outcome && outcome.error().code == errc::not_found;
    const char* status = outcome ? "OK" : unknown ? "UNKNOWN" : "FAILED";
    const symbol own = outcome ? symbol_or(outcome->status, "OK") : symbol{"FAILED"};
    const symbol code = outcome ? symbol_or(outcome->code, "OK")
                                : symbol_or(std::string{to_string(outcome.error().code)}, "FAILED");
    command answer{name + std::string{return_suffix}, {}};
    answer.arguments.emplace_back(value::list{property("ID", id), property("RPC-STATUS", status)});
    answer.arguments.emplace_back(value::list{
        value::list{own, code, outcome ? outcome->text : outcome.error().text},
        outcome ? value{outcome->results} : value{value::list{}}});
    return answer;
}

// What an answer says.
result<reply> read_answer(const command& what, const mbus::address& from) {
    reply out;
    out.from = from;
    const auto* status = find_property(what.arguments.front(), "RPC-STATUS");
    const std::string rpc_status = status != nullptr ? text_of(*status) : "OK";
    if (what.arguments.size() > 1) {
        if (const auto* body = what.arguments[1].get_if<value::list>(); body != nullptr && !body->empty()) {
            if (const auto* inner = body->front().get_if<value::list>()) {
                if (!inner->empty()) out.status = text_of((*inner)[0]);
                if (inner->size() > 1) out.code = text_of((*inner)[1]);
                if (inner->size() > 2) out.text = text_of((*inner)[2]);
            }
            if (body->size() > 1) {
                if (const auto* results = (*body)[1].get_if<value::list>()) out.results = *results;
            }
        }
    }
    if (rpc_status == "OK") return out;
    const std::string about = rpc_status == "UNKNOWN" ? " does not know this request" : " could not do it";
    return {errc::remote_failed, std::string{from.text()} + about + (out.text.empty() ? "" : ": " + out.text)};
}

}  // namespace

operation<reply> core::request(const std::shared_ptr<entity_record>& from, const destination& to, command what,
                               std::chrono::milliseconds limit) {
    auto state = make_state<reply>();
    operation<reply> handle{state};
    auto callee = mbus::address::parse_relaxed(to.text());
    if (!callee) {
        state->finish(std::move(callee.error()));
        return handle;
    }
    if (what.name.starts_with("mbus.")) {
        state->finish({errc::bad_argument, "names that start with mbus. belong to RFC 3259 and are no requests"});
        return handle;
    }
    const std::string id = std::to_string(++next_id_);
    const std::string name = what.name + std::string{return_suffix};
    const auto forget = [this, id, entity = std::weak_ptr{from}] {
        const auto record = entity.lock();
        if (!record) return;
        if (const auto at = record->calls.find(id); at != record->calls.end()) {
            timers_.cancel(at->second.limit);
            record->calls.erase(at);
        }
    };
    const auto timer = timers_.at(link_->now() + std::min(limit, std::chrono::milliseconds{INT32_MAX}), [this, state, forget] {
        forget();
        post([state] { state->finish({errc::timed_out, "the request was not answered in time"}); });
    });
    from->calls.emplace(id, open_call{name, *callee, state, timer});
    state->on_abandoned(forget);
    // Its outcome matters only when it failed: the answer may even come first.
    send_reliably(*from, *callee, call_command(std::move(what), id), {}).then([state, forget](result<delivery> sent) {
        if (sent) return;
        forget();
        state->finish(std::move(sent.error()));
    });
    return handle;
}

// --- what comes ---------------------------------------------------------------------------------------

// True when the command was for the SDK and not for the program.
bool core::consume(entity_record& to, const received_message& message, const command& what) {
    if (!to.calls.empty() && what.name.ends_with(return_suffix)) return take_answer(to, message, what);
    if (!to.waits.empty() && what.name == "mbus.go") return take_go(to, what);
    if (!to.rules.empty() && what.arguments.size() == 2 && !what.name.starts_with("mbus.")) {
        return take_call(to, message, what);
    }
    return false;
}

bool core::take_answer(entity_record& to, const received_message& message, const command& what) {
    const auto* id = what.arguments.empty() ? nullptr : find_property(what.arguments.front(), "ID");
    if (id == nullptr) return false;
    const auto at = to.calls.find(text_of(*id));
    if (at == to.calls.end() || at->second.name != what.name) return false;
    if (!message.from.answers_to(at->second.callee)) return false;  // somebody else's number
    auto call = std::move(at->second);
    to.calls.erase(at);
    timers_.cancel(call.limit);
    call.outcome->finish(read_answer(what, message.from));
    return true;
}

bool core::take_go(entity_record& to, const command& what) {
    const auto* condition = what.arguments.size() == 1 ? what.arguments.front().get_if<symbol>() : nullptr;
    if (condition == nullptr) return false;
    std::vector<state_of<void>> released;
    for (auto at = to.waits.begin(); at != to.waits.end();) {
        if (at->second.condition != condition->name) {
            ++at;
            continue;
        }
        timers_.cancel(at->second.again);
        released.push_back(at->second.outcome);
        at = to.waits.erase(at);
    }
    for (const auto& state : released) state->finish({});
    return !released.empty();
}

bool core::take_call(entity_record& to, const received_message& message, const command& what) {
    const auto* id = find_property(what.arguments[0], "ID");
    const auto* type = find_property(what.arguments[0], "RPC-TYPE");
    const auto* arguments = what.arguments[1].get_if<value::list>();
    if (id == nullptr || type == nullptr || arguments == nullptr) return false;
    const auto rule = std::find_if(to.rules.rbegin(), to.rules.rend(), [&](const request_rule& one) {
        return glob_matches(one.names, what.name);
    });
    auto record = std::make_shared<responder_record>();
    record->owner = weak_from_this();
    record->callee = to.weak_from_this();
    record->caller = message.from;
    record->name = what.name;
    record->id = *id;
    responder reply_to{record};
    if (rule != to.rules.rend()) {
        const auto handler = rule->handler;  // it may be replaced while it runs
        handler(mbus::request{message.from, message.to, what.name, *arguments}, std::move(reply_to));
        return true;
    }
    // A call to a group is answered by those who know it.
    if (message.reliable || message.to == to.address) {
        reply_to.answer({errc::not_found, "unknown request " + what.name});
        return true;
    }
    record->answered = true;
    return false;
}

responder_record::~responder_record() {
    if (answered) return;
    answered = true;
    try {
        if (const auto core = owner.lock()) core->answer(*this, {errc::internal, "the callee gave no answer"});
    } catch (...) {
        // Out of memory: the caller's time limit has to tell it.
    }
}

void core::answer(responder_record& call, const result<reply>& outcome) {
    const auto callee = call.callee.lock();
    if (!callee || callee->gone) return;
    payload text{answer_command(call.name, call.id, outcome)};
    if (!text.status()) {
        text = answer_command(call.name, call.id, {errc::internal, "the results have no form in Mbus: " + text.status().error().text});
    }
    send_reliably(*callee, call.caller, text, {}).then([callee](result<delivery> sent) {
        if (!sent && callee->on_refused) (*callee->on_refused)(sent.error());
    });
}

// --- waiting and go -------------------------------------------------------------------------------------

operation<void> core::wait_for(const std::shared_ptr<entity_record>& from, const symbol& condition,
                               const destination& to, std::chrono::milliseconds interval) {
    auto state = make_state<void>();
    operation<void> handle{state};
    const payload text{"mbus.waiting", {condition}};
    // Unreliable, and therefore repeated until somebody says go (RFC 3259, section 9.5).
    if (auto sent = send(*from, to, body_of(text), {}); !sent) {
        state->finish(std::move(sent.error()));
        return handle;
    }
    const auto number = ++next_id_;
    open_wait& wait = from->waits[number];
    wait.condition = condition.name;
    wait.to = to.text();
    wait.interval = std::clamp(interval, waiting_interval_min, std::chrono::milliseconds{INT32_MAX});
    wait.outcome = state;
    wait.again = timers_.at(link_->now() + wait.interval, [this, from, number] { repeat_wait(from, number); });
    state->on_abandoned([this, self = weak_from_this(), entity = std::weak_ptr{from}, number] {
        const auto alive = self.lock();
        const auto record = entity.lock();
        if (!alive || !record) return;
        if (const auto at = record->waits.find(number); at != record->waits.end()) {
            timers_.cancel(at->second.again);
            record->waits.erase(at);
        }
    });
    settle();
    return handle;
}

void core::repeat_wait(const std::shared_ptr<entity_record>& from, std::uint64_t number) {
    const auto at = from->waits.find(number);
    if (at == from->waits.end()) return;
    auto& wait = at->second;
    // While the connection is away this fails, and goes on when it is back.
    (void)send(*from, wait.to, body_of(payload{"mbus.waiting", {symbol{wait.condition}}}), {});
    wait.again = timers_.at(link_->now() + wait.interval, [this, from, number] { repeat_wait(from, number); });
}

}  // namespace mbus::detail
