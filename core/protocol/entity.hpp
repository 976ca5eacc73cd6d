// A local entity, which is an entity of RFC 3259 in every respect: its own address, its own SeqNum
// counter, its own hello timer, its own acknowledgements.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <mbus/address.hpp>
#include <mbus/result.hpp>

#include "protocol/acknowledger.hpp"
#include "protocol/hello_schedule.hpp"
#include "protocol/node.hpp"
#include "protocol/sequence.hpp"
#include "protocol/text_map.hpp"
#include "protocol/timer_queue.hpp"

namespace mbus::protocol {

class local_entity;
struct waiting_datagram;

// The acknowledgements of one local entity for one peer.
struct ack_partner {
    ack_partner(timer_queue& timers, local_entity& whose, const mbus::address& who)
        : entity(whose), peer(who), due(timers, timer::kind::acknowledge, this) {}

    local_entity& entity;
    mbus::address peer;
    acknowledger acks;
    timer due;
};

class local_entity {
public:
    local_entity(timer_queue& timers, entity_handle which, mbus::address full, sequence first,
                 hello_schedule hello);
    local_entity(const local_entity&) = delete;
    local_entity& operator=(const local_entity&) = delete;

    // The acknowledgement state for `peer`; null when it has none.
    [[nodiscard]] ack_partner* partner(std::string_view peer) noexcept;
    ack_partner& partner_for(timer_queue& timers, time_point now, const mbus::address& peer);

    // Visits all partners with something to acknowledge.
    template <class Visit>
    void for_each_owing(Visit visit) {
        for (auto& [text, each] : partners_)
            if (!each->acks.empty()) visit(*each);
    }

    const entity_handle handle;
    const mbus::address address;
    sequence numbers;
    hello_schedule hello;
    timer hello_timer;
    std::size_t reliable_pending = 0;
    waiting_datagram* open = nullptr;  // its last datagram, while further messages may join
    std::uint32_t open_number = 0;     // the SeqNum of that

private:
    void forget_idle_partners(time_point now);

    view_map<std::unique_ptr<ack_partner>> partners_;  // keyed by the text of ack_partner::peer
    std::size_t tidy_at_ = 16;
};

class entity_table {
public:
    // `first_number`: where the second half of the entity-ids starts. Random, so that a daemon that
    // was killed and started again does not reuse addresses that others still remember.
    explicit entity_table(std::uint32_t first_number) noexcept;
    entity_table(const entity_table&) = delete;
    entity_table& operator=(const entity_table&) = delete;

    // Gives `own` an id element if it has none. Errors as node::attach.
    [[nodiscard]] result<address> complete(const address& own, std::uint32_t process_id,
                                           std::string_view host_id);

    // `full` is complete and not in use.
    local_entity& add(timer_queue& timers, const address& full, sequence first, hello_schedule hello);
    void remove(local_entity& which);

    [[nodiscard]] local_entity* find(entity_handle which) const noexcept;
    [[nodiscard]] local_entity* find(std::string_view address) const noexcept;
    [[nodiscard]] std::size_t size() const noexcept { return entities_.size(); }

    // Those that must process a message to `target`, in the order in which they were attached.
    void matching(const address& target, std::vector<local_entity*>& out) const;

    // True when some entity with the id of `target`, a full address, must process it.
    [[nodiscard]] bool has_match(const address& target) const noexcept;

    template <class Visit>
    void for_each(Visit visit) const {
        for (const auto& [handle, each] : entities_) visit(*each);
    }

private:
    std::unordered_map<std::uint32_t, std::unique_ptr<local_entity>> entities_;
    view_map<local_entity*> by_address_;
    view_map<local_entity*> by_id_;
    std::uint32_t next_handle_ = 1;
    std::uint32_t next_number_;  // second half of the entity-id
};

}  // namespace mbus::protocol
