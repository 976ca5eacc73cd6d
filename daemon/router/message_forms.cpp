#include "router/message_forms.hpp"

#include <algorithm>
#include <vector>

#include <mbus/command.hpp>

namespace mbusd {
namespace {

constexpr std::string_view ping_command = "mbus.ping";

}  // namespace

const mbus::mbws::message_ref* message_forms::for_receiver(std::string_view wanted, std::string_view globs) {
    if (!anything_for_clients()) return nullptr;
    if (!wanted.empty()) {
        look_for_opaque();
        const auto type = decoded_ ? std::string_view{decoded_->type} : source_.type;
        if (!type.empty() && mbus::mbws::accepts_type(wanted, type)) return prepare_opaque();
    }
    if (!globs.empty() && !any_command_fits(globs)) return nullptr;
    return prepare_commands();
}

mbus::result<std::string_view> message_forms::commands() {
    if (source_.type.empty()) return source_.body;
    if (!data_command_) {
        auto made = mbus::mbws::data_command(source_.type, source_.body);
        if (!made) return std::move(made).error();
        data_command_ = std::move(*made);
    }
    return std::string_view{*data_command_};
}

bool message_forms::anything_for_clients() {
    if (!source_.has_ping) return true;
    strip_ping();
    return !without_ping_->empty();
}

std::string_view message_forms::for_clients() {
    if (!source_.has_ping) return source_.body;
    strip_ping();
    return *without_ping_;
}

bool message_forms::any_command_fits(std::string_view globs) {
    if (!source_.type.empty()) return mbus::glob_matches(globs, mbus::mbws::data_command_name);
    mbus::command_scanner scan{source_.body};
    while (const auto* next = scan.next()) {
        if (next->name != ping_command && mbus::glob_matches(globs, next->name)) return true;
    }
    return false;
}

// A body of the one command mbws.data is an opaque body for whoever takes its type.
void message_forms::look_for_opaque() {
    if (looked_for_opaque_) return;
    looked_for_opaque_ = true;
    if (source_.type.empty() && source_.first_command == mbus::mbws::data_command_name) {
        decoded_ = mbus::mbws::opaque_from_command(source_.body);
    }
}

void message_forms::strip_ping() {
    if (without_ping_) return;
    without_ping_.emplace();
    auto parsed = mbus::parse_commands(source_.body);
    if (!parsed) return;
    std::erase_if(*parsed, [](const mbus::command& command) { return command.name == ping_command; });
    auto text = mbus::format_commands(*parsed);
    if (text) *without_ping_ = std::move(*text);
}

const mbus::mbws::message_ref* message_forms::prepare_opaque() {
    if (!as_opaque_) {
        as_opaque_ = preparer_.prepare({.to = source_.to,
                                        .from = source_.from,
                                        .type = decoded_ ? std::string_view{decoded_->type} : source_.type,
                                        .time = source_.time,
                                        .sequence = source_.sequence,
                                        .interface = source_.interface,
                                        .body = decoded_ ? std::string_view{decoded_->octets} : source_.body,
                                        .first_command = mbus::mbws::data_command_name,
                                        .reliable = source_.reliable});
    }
    return as_opaque_ ? &as_opaque_ : nullptr;
}

const mbus::mbws::message_ref* message_forms::prepare_commands() {
    if (!as_commands_) {
        const auto body = commands();
        if (!body) return nullptr;
        as_commands_ = preparer_.prepare({.to = source_.to,
                                          .from = source_.from,
                                          .type = {},
                                          .time = source_.time,
                                          .sequence = source_.sequence,
                                          .interface = source_.interface,
                                          .body = source_.has_ping ? std::string_view{*without_ping_} : *body,
                                          .first_command = source_.type.empty() ? source_.first_command
                                                                                : mbus::mbws::data_command_name,
                                          .reliable = source_.reliable});
    }
    return as_commands_ ? &as_commands_ : nullptr;
}

}  // namespace mbusd
