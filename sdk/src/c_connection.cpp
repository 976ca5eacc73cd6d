// <mbus/mbus.h>: connections, entities, sending, peers, loops.
#include <algorithm>
#include <climits>
#include <cstring>
#include <memory>

#include "c_handles.hpp"

using mbus::detail::failed;
using mbus::detail::guarded;
using mbus::detail::limit_from;
using mbus::detail::missing_argument;

namespace {

mbus::connect_options to_options(const mbus_connect_options* given) {
    mbus::connect_options options;
    if (given == nullptr) return options;
    if (given->socket != nullptr) options.socket = given->socket;
    if (given->name != nullptr) options.name = given->name;
    if (given->window != 0) options.window = given->window;
    if (given->expiry_s != 0) options.expiry = std::chrono::seconds{given->expiry_s};
    if (given->connect_limit_ms != 0) options.connect_limit = std::chrono::milliseconds{given->connect_limit_ms};
    if (given->operation_limit_ms != 0) options.operation_limit = std::chrono::milliseconds{given->operation_limit_ms};
    options.reconnect.enabled = given->no_reconnect == 0;
    if (given->token != nullptr) options.token = given->token;
    if (given->token_file != nullptr) options.token_file = given->token_file;
    if (given->ca_file != nullptr) options.ca_file = given->ca_file;
    return options;
}

mbus_status status_of(const mbus::result<void>& outcome) { return outcome ? MBUS_OK : failed(outcome.error()); }

}  // namespace

extern "C" {

mbus_status mbus_connect(const mbus_connect_options* options, mbus_connection** connection) {
    if (connection == nullptr) return missing_argument("connection");
    return guarded([&] {
        auto made = mbus::connection::connect(to_options(options));
        if (!made) return failed(made.error());
        *connection = new mbus_connection{std::move(*made)};
        return MBUS_OK;
    });
}

void mbus_disconnect(mbus_connection* connection) { delete connection; }

int mbus_is_connected(const mbus_connection* connection) {
    return connection != nullptr && connection->held.state() == mbus::connection_state::connected ? 1 : 0;
}

uint64_t mbus_missed(const mbus_connection* connection) { return connection == nullptr ? 0 : connection->held.missed(); }

mbus_status mbus_attach(mbus_connection* connection, const char* address, const char* commands, mbus_entity** entity) {
    if (connection == nullptr) return missing_argument("connection");
    if (address == nullptr) return missing_argument("address");
    if (entity == nullptr) return missing_argument("entity");
    return guarded([&] {
        mbus::attach_options options;
        if (commands != nullptr) options.commands = commands;
        auto attached = connection->held.attach(address, options).wait();
        if (!attached) return failed(attached.error());
        *entity = new mbus_entity{std::move(*attached), {}};
        return MBUS_OK;
    });
}

void mbus_detach(mbus_entity* entity) { delete entity; }

const char* mbus_entity_address(mbus_entity* entity) {
    if (entity == nullptr) return "";
    entity->address = entity->held.address().text();
    return entity->address.c_str();
}

mbus_status mbus_send(mbus_entity* entity, const char* to, const char* commands) {
    if (entity == nullptr) return missing_argument("entity");
    if (to == nullptr) return missing_argument("to");
    if (commands == nullptr) return missing_argument("commands");
    return guarded([&] { return status_of(entity->held.send(to, commands)); });
}

mbus_status mbus_send_reliable(mbus_entity* entity, const char* to, const char* commands, int limit_ms,
                               mbus_delivery* delivery) {
    if (entity == nullptr) return missing_argument("entity");
    if (to == nullptr) return missing_argument("to");
    if (commands == nullptr) return missing_argument("commands");
    return guarded([&] {
        const auto outcome = entity->held.send_reliably(to, commands).wait(limit_from(limit_ms));
        if (!outcome) return failed(outcome.error());
        if (delivery == nullptr) return MBUS_OK;
        const auto by = outcome->by.text().substr(0, sizeof delivery->by - 1);
        std::memcpy(delivery->by, by.data(), by.size());
        delivery->by[by.size()] = '\0';
        delivery->tried = outcome->tried;
        delivery->took_ms = static_cast<unsigned>(outcome->took.count());
        return MBUS_OK;
    });
}

size_t mbus_quote(const char* text, char* out, size_t size) {
    if (text == nullptr) return 0;
    std::string quoted;
    const auto status = guarded([&] {
        auto written = mbus::format_value(mbus::value{text});
        if (!written) return failed(written.error());
        quoted = std::move(*written);
        return MBUS_OK;
    });
    if (status != MBUS_OK) return 0;
    if (out != nullptr && size > 0) {
        const auto octets = std::min(quoted.size(), size - 1);
        std::memcpy(out, quoted.data(), octets);
        out[octets] = '\0';
    }
    return quoted.size();
}

mbus_status mbus_find_peers(mbus_connection* connection, const char* pattern, mbus_peers** peers) {
    if (connection == nullptr) return missing_argument("connection");
    if (peers == nullptr) return missing_argument("peers");
    return guarded([&] {
        const auto found = connection->held.peers(pattern == nullptr ? "()" : pattern).wait();
        if (!found) return failed(found.error());
        auto list = std::make_unique<mbus_peers>();
        for (const auto& one : *found) list->addresses.emplace_back(one.address.text());
        *peers = list.release();
        return MBUS_OK;
    });
}

size_t mbus_peers_count(const mbus_peers* peers) { return peers == nullptr ? 0 : peers->addresses.size(); }

const char* mbus_peers_address(const mbus_peers* peers, size_t index) {
    return index < mbus_peers_count(peers) ? peers->addresses[index].c_str() : nullptr;
}

void mbus_peers_free(mbus_peers* peers) { delete peers; }

mbus_status mbus_run(mbus_connection* connection, int limit_ms) {
    if (connection == nullptr) return missing_argument("connection");
    return guarded([&] {
        return status_of(limit_ms < 0 ? connection->held.run()
                                      : connection->held.run_for(std::chrono::milliseconds{limit_ms}));
    });
}

void mbus_stop(mbus_connection* connection) {
    if (connection != nullptr) connection->held.stop();
}

int mbus_fd(mbus_connection* connection) { return connection == nullptr ? -1 : connection->held.fd(); }

mbus_status mbus_process(mbus_connection* connection) {
    if (connection == nullptr) return missing_argument("connection");
    return guarded([&] { return status_of(connection->held.process()); });
}

int mbus_deadline(mbus_connection* connection) {
    if (connection == nullptr) return -1;
    const auto when = connection->held.deadline();
    if (!when) return -1;
    const auto now = mbus::clock::now();
    if (*when <= now) return 0;
    return static_cast<int>(
        std::min<long long>(INT_MAX, std::chrono::ceil<std::chrono::milliseconds>(*when - now).count()));
}

mbus_status mbus_flush(mbus_connection* connection, int limit_ms) {
    if (connection == nullptr) return missing_argument("connection");
    return guarded([&] { return status_of(connection->held.flush(limit_from(limit_ms))); });
}

}  // extern "C"
