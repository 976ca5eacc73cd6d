// <mbus/mbus.h>: receiving, request and reply.
#include <memory>

#include "c_handles.hpp"

using mbus::detail::failed;
using mbus::detail::guarded;
using mbus::detail::limit_from;
using mbus::detail::missing_argument;

namespace mbus::detail {

mbus_message to_c_message(const received_message& message) {
    mbus_message out;
    out.from = message.from.text();
    out.to = message.to.text();
    out.body = message.body;
    out.type = message.type;
    out.reliable = message.reliable;
    out.commands.reserve(message.commands().size());
    for (const auto& one : message.commands()) out.commands.push_back({one.name, list_text(one.arguments)});
    return out;
}

}  // namespace mbus::detail

namespace {

constexpr std::size_t results_octets_max = 16 * 1024;  // what a C request handler may write

// Runs a C request handler and reads what it wrote.
mbus::result<mbus::reply> ask(mbus_request_handler handler, void* context, const mbus::request& call) {
    std::vector<char> results(results_octets_max, '\0');
    const auto arguments = mbus::detail::list_text(call.arguments);
    const std::string from{call.from.text()};
    const auto status =
        handler(context, call.name.c_str(), arguments.c_str(), from.c_str(), results.data(), results.size());
    results.back() = '\0';
    const std::string_view written{results.data()};
    if (status != MBUS_OK) return {mbus::detail::from_status(status), std::string{written}};
    mbus::reply out;
    if (written.empty()) return out;
    auto list = mbus::parse_value(written);
    const auto* values = list ? list->get_if<mbus::value::list>() : nullptr;
    if (values == nullptr) return {mbus::errc::internal, "the callee's results are not a list: " + std::string{written}};
    out.results = *values;
    return out;
}

}  // namespace

extern "C" {

mbus_status mbus_receive(mbus_entity* entity, int limit_ms, mbus_message** message) {
    if (entity == nullptr) return missing_argument("entity");
    if (message == nullptr) return missing_argument("message");
    return guarded([&] {
        const auto got = entity->held.receive(limit_from(limit_ms));
        if (!got) return failed(got.error());
        *message = new mbus_message{mbus::detail::to_c_message(*got)};
        return MBUS_OK;
    });
}

void mbus_on_message(mbus_entity* entity, mbus_message_handler handler, void* context) {
    if (entity == nullptr) return;
    if (handler == nullptr) return entity->held.on_message(nullptr);
    entity->held.on_message([handler, context](const mbus::received_message& message) {
        const auto shown = mbus::detail::to_c_message(message);
        handler(context, &shown);
    });
}

const char* mbus_message_from(const mbus_message* message) { return message->from.c_str(); }
const char* mbus_message_to(const mbus_message* message) { return message->to.c_str(); }
const char* mbus_message_type(const mbus_message* message) { return message->type.c_str(); }
int mbus_message_reliable(const mbus_message* message) { return message->reliable ? 1 : 0; }

const char* mbus_message_body(const mbus_message* message, size_t* octets) {
    if (octets != nullptr) *octets = message->body.size();
    return message->body.c_str();
}

size_t mbus_message_commands(const mbus_message* message) { return message->commands.size(); }

const char* mbus_message_command_name(const mbus_message* message, size_t index) {
    return index < message->commands.size() ? message->commands[index].name.c_str() : nullptr;
}

const char* mbus_message_command_arguments(const mbus_message* message, size_t index) {
    return index < message->commands.size() ? message->commands[index].arguments.c_str() : nullptr;
}

void mbus_message_free(mbus_message* message) { delete message; }

mbus_status mbus_request(mbus_entity* entity, const char* to, const char* command, int limit_ms, mbus_reply** reply) {
    if (entity == nullptr) return missing_argument("entity");
    if (to == nullptr) return missing_argument("to");
    if (command == nullptr) return missing_argument("command");
    if (reply == nullptr) return missing_argument("reply");
    return guarded([&] {
        auto commands = mbus::parse_commands(command);
        if (!commands) return failed(commands.error());
        if (commands->size() != 1) return failed({mbus::errc::bad_argument, "a request is exactly one command"});
        const auto limit = limit_ms < 0 ? mbus::request_limit : limit_from(limit_ms);
        const auto answer = entity->held.request(to, std::move(commands->front()), limit).wait();
        if (!answer) return failed(answer.error());
        *reply = new mbus_reply{mbus::detail::list_text(answer->results), answer->text,
                                std::string{answer->from.text()}};
        return MBUS_OK;
    });
}

const char* mbus_reply_results(const mbus_reply* reply) { return reply->results.c_str(); }
const char* mbus_reply_text(const mbus_reply* reply) { return reply->text.c_str(); }
const char* mbus_reply_from(const mbus_reply* reply) { return reply->from.c_str(); }
void mbus_reply_free(mbus_reply* reply) { delete reply; }

mbus_status mbus_on_request(mbus_entity* entity, const char* names, mbus_request_handler handler, void* context) {
    if (entity == nullptr) return missing_argument("entity");
    if (names == nullptr) return missing_argument("names");
    if (handler == nullptr) return missing_argument("handler");
    return guarded([&] {
        const auto registered = entity->held.on_request(names, [handler, context](const mbus::request& call) {
            return ask(handler, context, call);
        });
        return registered ? MBUS_OK : failed(registered.error());
    });
}

}  // extern "C"
