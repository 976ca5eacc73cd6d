// The inside of `node`: its tables, and what happens between them. The parts are classes of their
// own; here they are put together, in four files by theme.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/entity.hpp"
#include "protocol/inbound_pool.hpp"
#include "protocol/node.hpp"
#include "protocol/outbox.hpp"
#include "protocol/payload_reader.hpp"
#include "protocol/peer_table.hpp"
#include "protocol/pending_sends.hpp"
#include "protocol/random_source.hpp"
#include "protocol/route_table.hpp"
#include "protocol/timer_queue.hpp"

namespace mbus::protocol {

struct node::implementation {
    implementation(node_options with, envelope keys, node_events& owner);
    ~implementation();
    implementation(const implementation&) = delete;
    implementation& operator=(const implementation&) = delete;

    // --- node_entities.cpp: local entities, membership -----------------------------------------
    result<entity_handle> attach(const instant& at, const address& own, std::uint32_t process_id,
                                 std::optional<std::uint32_t> first);
    void detach(const instant& at, local_entity& which, errc outcome_of_pending);
    void detach_all(const instant& at);
    [[nodiscard]] std::size_t member_count() const noexcept { return entities.size() + peers.known(); }
    void membership_shrank(const instant& at) noexcept;
    void hello_from(const instant& at, peer& who, std::uint32_t number);
    void bye_from(const instant& at, peer& who, std::uint32_t number);
    [[nodiscard]] peer_view view_of(const peer& who) const noexcept;

    // --- node_send.cpp: from local entities to everybody ----------------------------------------
    // Where a message goes, once it is found to be sound.
    struct plan {
        local_entity* from = nullptr;
        const route* where = nullptr;
        const address* to = nullptr;    // as it stands in the header
        local_entity* local = nullptr;  // the only receiver of a reliable message, when it is ours
    };
    result<match_result> send(const instant& at, const send_request& request);
    result<void> transmit(const instant& at, const send_request& request);
    result<plan> check(const send_request& request);
    result<void> check_commands(const send_request& request);
    result<void> check_room(const send_request& request, const plan& where) const;
    // Puts `wire_text` on its way; returns the sequence number.
    std::uint32_t send_to_bus(const instant& at, const send_request& request, const plan& where);
    bool join_open_datagram(const send_request& request, const plan& where);
    void deliver_here(const instant& at, const send_request& request, const plan& where, std::uint32_t number,
                      match_result& matched);
    std::shared_ptr<const inbound> make_local(const instant& at, const send_request& request,
                                              const plan& where, std::uint32_t number);
    void ping_here(const instant& at, entity_handle from, const route& where);
    void set_datagram_budget(std::size_t octets) noexcept;
    [[nodiscard]] static std::size_t header_octets(std::size_t source, std::size_t destination) noexcept;
    // Queues a datagram that holds the header only; acknowledgements ride along when it is for
    // their peer alone.
    waiting_datagram& begin_message(const instant& at, local_entity& from, const address& to,
                                    message_type type, std::size_t payload_octets);
    void choose_path(waiting_datagram& datagram) const;
    void send_presence(const instant& at, local_entity& from, std::string_view name);
    void send_acknowledgements(const instant& at, ack_partner& owing);

    // --- node_receive.cpp: from the bus to local entities ---------------------------------------
    void receive(const instant& at, std::string_view datagram, const endpoint& from);
    struct arrival;
    peer* source_of(arrival& what);
    bool is_copy(arrival& what);
    void accept(arrival& what);
    void acknowledged(const arrival& what);
    bool deliver(arrival& what);
    void after_delivery(arrival& what);
    void owe_acknowledgement(const arrival& what);
    void count_ignored() noexcept;
    std::shared_ptr<inbound> make_inbound(const arrival& what);

    // --- node_timers.cpp: what happens by itself -------------------------------------------------
    void advance(const instant& at);
    [[nodiscard]] time_point next_deadline() const noexcept;
    void sweep(const instant& at);
    void reconsider_hellos(const instant& at);
    void say_hello(const instant& at, local_entity& who);
    void retransmit(const instant& at, pending_send& which);
    void finish(const pending_send& which, time_point now, bool was_acknowledged, errc outcome);

    node_options options;
    envelope security;
    node_events& events;
    struct counters count;
    random_source random;
    timer_queue timers;  // before everything that holds a timer
    peer_table peers;
    entity_table entities;
    route_table routes;
    outbox waiting;
    pending_sends pending;

    time_point sweep_at = never;   // when a peer may have been silent for too long
    time_point shrunk_at = never;  // when the number of members fell, until that is dealt with
    bool observing = true;

    // Of a message, before it is sealed: as a whole, and with others that join it. Asking the envelope
    // takes a division or two.
    std::size_t message_octets_max = 0;
    std::size_t joined_octets_max = 0;

    // Buffers that every message uses again.
    payload_reader reader;
    std::string wire_text;
    std::string plain_text;
    header head;
    std::vector<std::uint32_t> acknowledgements;
    inbound_pool messages;
};

}  // namespace mbus::protocol
