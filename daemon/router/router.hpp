// Where everything meets: the sessions of all gateways, the entities that they host, and the bus.
//
//     router router{settings, broker_id, turns, log};
//     bus_driver driver{..., router, log};
//     router.start(driver);                       // the daemon's own entity joins
//     auto id = router.connections().add(identity, &port);
//     broker_connection connection{port, router, router.session_settings(), {.id = id}, now};
//     ...
//     router.shut_down();                         // every session ends, every entity leaves
//
// It is the session_host of MBWS sessions and hears the events of the engine. Gateways know nothing
// of each other. One thread; `turns` and `log` outlive it, the bus lives from start() to shut_down().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bus/bus.hpp"
#include "config/config_file.hpp"
#include "mbws/broker_session.hpp"
#include "mbws/message_run.hpp"
#include "mbws/session_host.hpp"
#include "protocol/node.hpp"
#include "router/accounts.hpp"
#include "router/administration.hpp"
#include "router/client_directory.hpp"
#include "router/grant_authority.hpp"
#include "router/link_acceptor.hpp"
#include "router/local_entity.hpp"
#include "router/message_forms.hpp"
#include "router/journal.hpp"
#include "router/participant.hpp"
#include "router/peer_identity.hpp"
#include "router/route_cache.hpp"
#include "router/router_counters.hpp"
#include "router/session_table.hpp"
#include "router/turn.hpp"
#include "runtime/log.hpp"

namespace mbusd {

struct durability;
struct kept_session;
struct session_row;
struct attach_row;
class store;
class queue_table;

// Refusals to other hosts in one turn; beyond that somebody floods, and silence is the answer.
inline constexpr std::size_t refusals_max = 16;

class router final : public mbus::mbws::session_host,
                     public mbus::protocol::node_events,
                     private turn_task,
                     private administration_facts {
public:
    router(const config_reading& configuration, std::string broker_id, turn_queue& turns, logger& log);
    ~router();

    // Attaches the daemon's own entity, `(app:mbusd module:mbusd broker:ID id:...)`, which answers requests.
    void start(bus& bus);

    // The configuration after a reload. Sessions keep the rights that they were opened with.
    void apply(const config_reading& configuration);

    // Ends every session with `shutting-down` and withdraws every entity.
    void shut_down();

    // --- for gateways ---------------------------------------------------------------------

    [[nodiscard]] connection_registry& connections() noexcept { return connections_; }
    [[nodiscard]] const mbus::mbws::session_settings& session_settings() const noexcept { return session_settings_; }
    [[nodiscard]] const settings& configuration() const noexcept { return configuration_.values; }
    // A connection was closed for a frame that is none.
    void count_malformed() noexcept { ++counters_.malformed_connections; }
    // A connection has given its session something to do: its deadline may have changed.
    void touch(mbus::mbws::broker_session& session);
    // While one lives, plain messages that follow each other to the same receivers are handed over together, at
    // its end or when something else comes. For the frames of one read.
    class gather_scope {
    public:
        explicit gather_scope(router& hub) noexcept : hub_(hub) { hub_.gathering_ = true; }
        ~gather_scope() {
            hub_.gathering_ = false;
            hub_.hand_over();
        }
        gather_scope(const gather_scope&) = delete;
        gather_scope& operator=(const gather_scope&) = delete;

    private:
        router& hub_;
    };

    // Who knows tokens, and who makes capability URLs; both outlive the router's use. Without them
    // nobody can connect with a token, and grants are refused.
    void use_clients(client_directory& clients) noexcept { clients_ = &clients; }
    void use_grants(grant_authority& grants) noexcept { grants_ = &grants; }
    void forget_grants() noexcept { grants_ = nullptr; }
    // Who takes the links that other daemons call; null: nobody.
    void use_links(link_acceptor& links) noexcept { links_ = &links; }
    // Ends all sessions of a user or token (user_identity::identity()).
    void end_sessions_of(std::string_view identity, mbus::errc code, std::string_view text);
    // Commands of the daemon's own entity that other parts answer.
    [[nodiscard]] administration& requests() noexcept { return administration_; }

    // --- for participants (participants.cpp) ----------------------------------------------

    // Hosts an entity; its rights are the participant's affair. Errors: those of node::attach().
    mbus::result<mbus::protocol::entity_handle> join(participant& host, const mbus::address& wanted,
                                                     const joined_as& how);
    void leave(mbus::protocol::entity_handle handle);
    // Null when the entity has gone.
    [[nodiscard]] const local_entity* entity(mbus::protocol::entity_handle handle) noexcept { return find_entity(handle); }
    // Routes a message of a participant's entity. `rights` may be null: every destination. The result
    // is in `report`, or, with receipt_later, comes through `done`, exactly once.
    mbus::mbws::route_status send(mbus::mbws::time_point now, const outgoing_message& what,
                                  const granted_rights* rights, mbus::mbws::route_report& report,
                                  outcome_handler done);
    // Who sends from an entity of this host: a session's client, or for whom a participant speaks. Null:
    // nobody in particular, or no entity of this host.
    [[nodiscard]] std::shared_ptr<const peer_identity> speaker_of(const mbus::address& who) const;
    // The outcome of what offer() took with acceptance::later.
    void settle(delivery_ticket ticket, const mbus::mbws::route_report& report);

    // Until forget(). for_each_known tells what is there now.
    void observe(entity_observer& observer) { observers_.push_back(&observer); }
    void forget(entity_observer& observer) { std::erase(observers_, &observer); }
    void for_each_known(entity_observer& observer) const;
    // Entities on the bus that other daemons host. Not from inside an observer's call.
    void for_each_peer(const std::function<void(const mbus::protocol::peer_view&)>& visit) const {
        bus_->node().for_each_peer(visit);
    }

    // --- durable sessions and queues (durable_routing.cpp, restoring.cpp) --------------------

    // After start(), before clients connect: sessions and queues come back from the store, and from here
    // on are kept there. `commit` in place of store::submit() for tests. A store that keeps nothing: no
    // session is durable, and no queue can be made.
    void use_store(store& kept, journal::commit_function commit = {});
    // Why nothing can be stored; empty: all is well.
    [[nodiscard]] std::string_view store_problem() const;
    // Null without a store.
    [[nodiscard]] queue_table* queues() noexcept;
    // Where a change that belongs to a durable session is written, in order with its others. Null when the
    // session is over or not durable.
    [[nodiscard]] journal* journal_of(std::uint64_t session) noexcept;
    // Null when it is over.
    [[nodiscard]] session_record* find_session(std::uint64_t id) noexcept { return sessions_.find(id); }
    [[nodiscard]] std::uint32_t next_sequence_number(std::uint64_t handle) const;
    void warn(std::string_view what, std::string_view name, std::string_view reason);

    // --- time -----------------------------------------------------------------------------

    // The time of this turn: one reading of the clock for all.
    [[nodiscard]] mbus::mbws::time_point now() { return bus_->now().now; }
    void advance(mbus::mbws::time_point now);
    [[nodiscard]] mbus::mbws::time_point next_deadline() const noexcept;
    // Called at the end of a turn in which next_deadline() may have changed.
    void on_deadline(std::function<void()> hook) { deadline_hook_ = std::move(hook); }

    // --- what is seen ---------------------------------------------------------------------

    [[nodiscard]] const router_counters& counters() const noexcept { return counters_; }
    // The bus, for figures of it. From start() on.
    [[nodiscard]] bus& facts() const noexcept { return *bus_; }
    // Sums over all sessions that are open now.
    void for_each_session(const std::function<void(session_record&)>& visit) { sessions_.for_each(visit); }
    [[nodiscard]] std::size_t sessions() const noexcept { return sessions_.size(); }
    [[nodiscard]] std::size_t entities() const noexcept { return entities_.size(); }
    [[nodiscard]] const mbus::address& own_address() const noexcept { return own_.address; }
    [[nodiscard]] const std::string& broker() const noexcept { return session_settings_.broker; }
    [[nodiscard]] std::uint64_t wall_ms() { return bus_->now().wall_ms; }

    // --- session_host ---------------------------------------------------------------------

    mbus::result<mbus::mbws::opened_session> open(mbus::mbws::time_point now,
                                                  const mbus::mbws::connect_request& request) override;
    mbus::result<mbus::mbws::link_session*> open_link(mbus::mbws::time_point now,
                                                      const mbus::mbws::connect_request& request,
                                                      mbus::mbws::link_carrier& carrier,
                                                      mbus::mbws::connection_port& port) override;
    mbus::result<mbus::mbws::attached> attach(mbus::mbws::time_point now, mbus::mbws::broker_session& session,
                                              const mbus::mbws::attach_request& request) override;
    void detach(mbus::mbws::time_point now, mbus::mbws::broker_session& session,
                const mbus::mbws::attachment& what) override;
    mbus::result<std::uint32_t> watch(mbus::mbws::time_point now, mbus::mbws::broker_session& session,
                                      const mbus::mbws::watch_request& request) override;
    void unwatch(mbus::mbws::broker_session& session, const mbus::mbws::watch_request& what) override;
    mbus::mbws::route_status route(mbus::mbws::time_point now, mbus::mbws::broker_session& session,
                                   const mbus::mbws::routed_message& what,
                                   mbus::mbws::route_report& report) override;
    bool route_again(mbus::mbws::broker_session& session, std::string_view body,
                     const mbus::mbws::body_summary& commands) override;
    void hand_over() override;
    mbus::mbws::message_preparer* preparer() noexcept override { return &preparer_; }
    mbus::result<mbus::mbws::granted> grant(mbus::mbws::time_point now, mbus::mbws::broker_session& session,
                                            const mbus::mbws::grant_request& request) override;
    mbus::result<void> revoke(mbus::mbws::time_point now, mbus::mbws::broker_session& session,
                              std::string_view url) override;
    void room(mbus::mbws::broker_session& session) override;
    void settle_job(mbus::mbws::time_point now, mbus::mbws::broker_session& session, const mbus::mbws::attachment& queue,
                    std::uint64_t job, mbus::mbws::job_outcome how) override;
    void trimmed() override { trim_heap_ = true; }
    void ended(mbus::mbws::time_point now, mbus::mbws::broker_session& session,
               mbus::mbws::end_reason why) override;

    // --- node_events ----------------------------------------------------------------------

    bool deliver(mbus::protocol::entity_handle to,
                 const std::shared_ptr<const mbus::protocol::inbound>& what) override;
    void observed(const std::shared_ptr<const mbus::protocol::inbound>& what) override;
    void sent(const mbus::protocol::send_report& report) override;
    void peer_changed(const mbus::protocol::peer_view& peer, mbus::protocol::peer_state state) override;

private:
    // A reliable message whose outcome is open: on the bus, by the token given to the engine, or with
    // a participant, by its ticket. Of a session, or of a participant (done).
    struct pending_send {
        std::uint64_t session = 0;
        std::uint64_t number = 0;
        std::uint32_t matched = 0;
        outcome_handler done{};
    };
    // A message while it is routed.
    struct routing {
        mbus::mbws::time_point now;
        session_record* sender;  // null: a participant's
        const granted_rights* rights;  // of the sender; null: every right
        const mbus::mbws::routed_message& what;
        const mbusd::route& way;
        message_forms& forms;
        const participant* came_over = nullptr;
        outcome_handler* done = nullptr;  // of a participant
        bool skip_kept = false;  // durable receivers have it already
    };

    void end_of_turn() override;
    void work_later();

    // sessions (router.cpp)
    mbus::result<mbus::mbws::opened_session> make_session(mbus::mbws::time_point now,
                                                          const mbus::mbws::connect_request& request,
                                                          std::shared_ptr<const peer_identity> who);
    mbus::result<std::shared_ptr<const peer_identity>> identify(const mbus::mbws::connect_request& request);
    session_record* resumable(const mbus::mbws::connect_request& request, const peer_identity& who);
    mbus::result<mbus::mbws::attached> attach_entity(session_record& record, const mbus::mbws::attach_request& request);
    mbus::result<mbus::mbws::attached> attach_monitor(session_record& record, const mbus::mbws::attach_request& request);
    void withdraw(std::uint64_t handle);
    void detach_withdrawn();
    void tell_watchers(const mbus::address& who, mbus::mbws::entity_state state, bool local, const participant* host);
    void release_senders(session_record& record);
    [[nodiscard]] local_entity* find_entity(mbus::protocol::entity_handle handle) noexcept;

    // durable sessions and queues
    struct stored_message;
    struct split {
        bool rest = false;        // some get it after the commit
        std::size_t matched = 0;
    };
    std::uint64_t stored_mark() noexcept;
    mbus::mbws::route_status when_stored(const routing& job, std::uint64_t mark, mbus::mbws::route_status status,
                                         const mbus::mbws::route_report& report);
    [[nodiscard]] split split_of(const routing& job) const;
    mbus::mbws::route_status route_durable(const routing& job, mbus::mbws::route_report& report);
    void route_rest(stored_message& what);
    std::shared_ptr<const peer_identity> identity_of(const session_row& row) const;
    void restore_session(kept_session& kept);
    void restore_holder(const mbus::mbws::stored_session& state, mbus::mbws::outbox_entry& entry);
    mbus::mbws::attachment restore_attach(session_record& record, attach_row& kept);
    mbus::result<mbus::mbws::attached> host_entity(session_record& record, const mbus::mbws::attach_request& request,
                                                   std::optional<std::uint32_t> first_sequence);
    void store_turn();

    // runs of messages (gathering.cpp)
    struct gathered {
        std::uint64_t session = 0;    // whose messages they are
        std::uint64_t sender = 0;     // attachment::handle
        std::uint64_t way = 0;        // route::serial; 0: nothing is gathered
        bool possible = false;        // all receivers on this host take runs, or there are none
        bool to_bus = false;
        bool sender_can_wait = false;  // routed_message::sender_can_wait
        std::uint64_t time = 0;        // of all messages; 0: that of their turn
        mbus::address to;              // when they go to_bus
        std::vector<local_entity*> receivers;
    };
    bool gather(const routing& job, mbus::mbws::route_status& status, mbus::mbws::route_report& report);
    bool begin_run(const routing& job);
    void add_to_run(std::uint64_t time, std::string_view body);
    bool put_on_bus_again(std::string_view body, const mbus::mbws::body_summary& commands);
    [[nodiscard]] bool run_is_long() const noexcept;
    [[nodiscard]] bool receivers_take_runs(const routing& job);
    void hold_sender(local_entity& receiver);
    void hand_over_singly(std::span<local_entity* const> receivers);

    // messages (routing.cpp)
    bool refused_by_rights(const routing& job, mbus::mbws::route_report& report);
    mbus::result<void> fits_datagram(const routing& job);
    mbus::protocol::send_request bus_request(const routing& job, std::string_view payload, mbus::protocol::send_token token) const;
    mbus::mbws::route_status route_one(const routing& job, mbus::mbws::route_report& report);
    [[nodiscard]] static bool gets_no_copy(const routing& job, const local_entity& to) noexcept;
    mbus::mbws::route_status reliable_to_participant(const routing& job, local_entity& to,
                                                     mbus::mbws::route_report& report);
    delivery_ticket open_ticket(const routing& job, std::uint32_t matched);
    void finish(pending_send waiting, const mbus::mbws::route_report& report);
    mbus::mbws::route_status route_reliable(const routing& job, mbus::mbws::route_report& report);
    mbus::mbws::route_status reliable_to_local(const routing& job, local_entity& to, mbus::mbws::route_report& report);
    mbus::mbws::route_status reliable_to_bus(const routing& job, mbus::mbws::route_report& report);
    mbus::mbws::route_status route_unreliable(const routing& job, mbus::mbws::route_report& report);
    void ping_ours(const routing& job);
    mbus::result<void> put_on_bus(const routing& job, mbus::protocol::send_token token);
    mbus::mbws::offer_result offer(mbus::mbws::time_point now, local_entity& to, message_forms& forms,
                                   mbus::mbws::delivery how);
    void copy_to_monitors(mbus::mbws::time_point now, message_forms& forms, const mbus::address& from,
                          const mbus::address& to);
    bool within_quota(mbus::mbws::time_point now, session_record& receiver, std::size_t octets);
    void count_over_quota(session_record& receiver);
    message_forms& forms_of(const std::shared_ptr<const mbus::protocol::inbound>& what);

    // requests to the daemon itself (administration_facts, answers.cpp)
    [[nodiscard]] const settings& values() const override { return configuration_.values; }
    [[nodiscard]] const config_reading& reading() const override { return configuration_; }
    [[nodiscard]] bus& facts_bus() const override { return *bus_; }
    [[nodiscard]] const router_counters& router_counts() const override { return counters_; }
    [[nodiscard]] std::size_t session_count() const override { return sessions_.size(); }
    void each_session(const std::function<void(session_record&)>& visit) override { sessions_.for_each(visit); }
    void each_entity(const std::function<void(const local_entity&)>& visit) const override;
    [[nodiscard]] const std::string& broker_id() const override { return session_settings_.broker; }
    void answer_local(const routing& job);
    void reply_to(local_entity& caller, const mbus::command& reply);
    void answer_remote(const mbus::protocol::inbound& what);
    void send_refusals();

    config_reading configuration_;
    mbus::mbws::session_settings session_settings_;
    turn_queue& turns_;
    logger& log_;
    bus* bus_ = nullptr;
    client_directory* clients_ = nullptr;
    grant_authority* grants_ = nullptr;
    link_acceptor* links_ = nullptr;
    std::unique_ptr<durability> durable_;  // null: nothing is kept
    std::vector<entity_observer*> observers_;
    std::function<void()> deadline_hook_;

    connection_registry connections_;
    user_accounts accounts_;
    session_table sessions_;
    local_entity own_;
    std::unordered_map<std::uint32_t, std::unique_ptr<local_entity>> entities_;  // by handle
    std::vector<std::unique_ptr<monitor>> monitors_;
    std::vector<watcher> watchers_;
    route_cache routes_;
    mbus::mbws::message_preparer preparer_;
    mbus::mbws::message_run run_{preparer_};
    gathered gathered_;
    bool gathering_ = false;
    std::unordered_map<mbus::protocol::send_token, pending_send> pending_;
    mbus::protocol::send_token last_token_ = 0;
    std::uint64_t last_serial_ = 0;
    // Outcomes that participants gave while they were being offered to.
    delivery_ticket offering_ = 0;
    std::optional<mbus::mbws::route_report> settled_at_once_;
    std::uint64_t last_monitor_ = 0;
    // The report of a send that ended before the engine's transmit() returned.
    mbus::protocol::send_token sending_ = 0;
    std::optional<mbus::protocol::send_report> ended_at_once_;

    // The message that the bus is delivering right now, for all its receivers.
    std::shared_ptr<const mbus::protocol::inbound> inbound_;
    std::optional<message_forms> inbound_forms_;
    std::string interface_name_;  // of the last message from the bus, as the kernel has it
    std::string inbound_interface_;  // its name, which the forms refer to

    // Kept to the end of the turn: fan-out loops may still see them, and the engine must not be
    // called from inside its own events.
    std::vector<std::unique_ptr<local_entity>> gone_entities_;
    std::vector<std::unique_ptr<monitor>> gone_monitors_;
    std::vector<mbus::protocol::entity_handle> to_detach_;
    std::vector<std::pair<mbus::address, std::string>> refusals_;  // of requests from the bus
    bool stopping_ = false;
    bool trim_heap_ = false;  // at the end of the turn

    router_counters counters_;
    administration administration_;
};

}  // namespace mbusd
