// The links of this daemon to others (docs/mbws.md, section 9): which entities take part over there,
// which of the other side's take part here, and the way of messages between.
//
//     link_table links{hub, turns, log};
//     links.start();                                  // after router::start()
//     auto& link = links.add_caller(rule, caller);    // one that this daemon calls
//     link.session().call(now, carrier, port);        // the dialer, for each connection
//     links.remove_caller("site-b");
//     links.apply(settings);                          // after a reload
//
// Links that other daemons call come through router::open_link(). The table is told the time by
// whoever owns its timer: next_deadline(), advance(), on_deadline().
// One thread. Router, turns and log outlive it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/links.hpp"
#include "mbws/link_session.hpp"
#include "router/link_acceptor.hpp"
#include "router/link_origins.hpp"
#include "router/participant.hpp"
#include "router/router.hpp"
#include "router/turn.hpp"
#include "runtime/log.hpp"

namespace mbusd {

// How long a reliable message waits for its receipt when it has no ttl (docs/mbws.md, section 9).
inline constexpr std::chrono::seconds link_receipt_patience{10};
// Entities that the other side refused are shown again after so long: what was in the way may have gone.
inline constexpr std::chrono::seconds link_refused_again{10};

// An entity that sent before its hello is either known after so long, or has gone.
inline constexpr std::chrono::seconds link_guest_patience{15};

class link_table;

// Who dials a link; told when its session is over.
class link_caller {
public:
    virtual void link_over(const mbus::error& why) = 0;
    virtual void link_is_up() = 0;

protected:
    ~link_caller() = default;
};

// What holds for one link, as worked out from [[link]] and, on the called side, from the token.
struct link_policy {
    std::vector<mbus::address> send;     // entities here that take part over there
    std::vector<mbus::address> receive;  // entities there that take part here
    bool transit = false;
};

// One link. On the bus it is the participant that hosts the other side's entities.
class hosted_link final : public participant {
public:
    hosted_link(link_table& table, std::uint64_t id, mbus::mbws::link_role role, mbus::mbws::link_options options);

    [[nodiscard]] mbus::mbws::link_session& session() noexcept { return session_; }
    [[nodiscard]] const mbus::mbws::link_session& session() const noexcept { return session_; }
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    // Why it is down, for people; empty while it is up.
    [[nodiscard]] const std::string& reason() const noexcept { return reason_; }

    acceptance offer(mbus::mbws::time_point now, local_entity& to, message_forms& forms,
                     const mbus::mbws::delivery& how, delivery_ticket ticket) override;
    [[nodiscard]] std::string_view participant_name() const noexcept override { return title_; }

private:
    friend class link_table;

    link_table& table_;
    const std::uint64_t id_;
    std::string name_;
    std::string title_;  // "link NAME"
    std::string url_;    // of a calling link
    link_policy policy_;
    link_caller* caller_ = nullptr;
    std::shared_ptr<const peer_identity> who_;  // of a called link
    std::string reason_;                        // why it is down, for people
    std::uint64_t last_serial_ = 0;             // of the message that went over it last
    std::uint64_t unseen_ = 0;                  // messages of entities that do not take part over there
    std::unordered_map<std::uint64_t, std::string> brokers_;  // broker entities of the other side, by handle
    std::vector<mbus::address> refused_;                      // entities of ours that it refused
    mbus::mbws::time_point refused_again_ = mbus::mbws::never;
    // Entities of the bus that sent before they said hello; looked at again at guests_until_.
    std::vector<mbus::address> guests_;
    mbus::mbws::time_point guests_until_ = mbus::mbws::never;
    bool over_ = false;  // a called link that is to be destroyed
    mbus::mbws::link_session session_;
};

class link_table final : public link_acceptor,
                         private mbus::mbws::link_host,
                         private entity_observer,
                         private turn_task {
public:
    link_table(router& hub, turn_queue& turns, logger& log);
    ~link_table();

    void start();
    // The rules after a reload, for links that are there: entities come and go accordingly.
    void apply();
    // Ends the links that a client opened whose token was withdrawn (user_identity::identity()).
    void end_links_of(std::string_view identity);
    // Ends all links with `shutting-down`.
    void shut_down();

    hosted_link& add_caller(const link_rule& rule, link_caller& caller);
    void remove_caller(std::string_view name);
    // Why it is not connected, as the dialer knows.
    void note(hosted_link& link, std::string reason) { link.reason_ = std::move(reason); }

    mbus::result<mbus::mbws::link_session*> accept(mbus::mbws::time_point now,
                                                   const mbus::mbws::connect_request& request,
                                                   std::shared_ptr<const peer_identity> who,
                                                   mbus::mbws::link_carrier& carrier,
                                                   mbus::mbws::connection_port& port) override;

    void advance(mbus::mbws::time_point now);
    [[nodiscard]] mbus::mbws::time_point next_deadline() const noexcept;
    void on_deadline(std::function<void()> hook) { deadline_hook_ = std::move(hook); }

    [[nodiscard]] std::size_t size() const noexcept { return links_.size(); }
    // The largest frame that links take.
    [[nodiscard]] std::size_t frame_octets() const { return options().size; }
    [[nodiscard]] std::uint64_t loops() const noexcept { return loops_; }
    void for_each(const std::function<void(const hosted_link&)>& visit) const;

private:
    friend class hosted_link;

    // link_host (link_entities.cpp, link_messages.cpp)
    void link_up(mbus::mbws::time_point now, mbus::mbws::link_session& link, bool resumed) override;
    mbus::result<std::uint64_t> link_attach(mbus::mbws::time_point now, mbus::mbws::link_session& link,
                                            const mbus::address& entity) override;
    void link_detach(mbus::mbws::time_point now, mbus::mbws::link_session& link, std::uint64_t handle) override;
    void link_refused(mbus::mbws::time_point now, mbus::mbws::link_session& link, const mbus::address& entity,
                      const mbus::error& why) override;
    mbus::mbws::route_status link_route(mbus::mbws::time_point now, mbus::mbws::link_session& link,
                                        const mbus::mbws::link_message& what,
                                        mbus::mbws::route_report& report) override;
    void link_outcome(mbus::mbws::time_point now, mbus::mbws::link_session& link, std::uint64_t token,
                      const mbus::mbws::route_report& report) override;
    void link_ended(mbus::mbws::time_point now, mbus::mbws::link_session& link, const mbus::error& why) override;
    void link_touched(mbus::mbws::link_session& link) override;

    void entity_changed(const mbus::address& who, mbus::mbws::entity_state state, bool local,
                        const participant* host) override;
    void end_of_turn() override;

    [[nodiscard]] mbus::mbws::time_point now() const { return hub_.now(); }
    [[nodiscard]] hosted_link& owner_of(const mbus::mbws::link_session& session);
    [[nodiscard]] mbus::mbws::link_options options() const;
    [[nodiscard]] link_policy policy_of(const link_rule& rule) const;
    [[nodiscard]] link_policy policy_of(const peer_identity& who) const;
    hosted_link& make(mbus::mbws::link_role role);
    hosted_link* resumable(const mbus::mbws::connect_request& request, const peer_identity& who);

    // Entities (link_entities.cpp).
    [[nodiscard]] bool takes_part(const hosted_link& link, const mbus::address& who, const participant* host) const;
    void show_all(hosted_link& link);
    void show_again(mbus::mbws::time_point now, hosted_link& link);
    bool show_guest(mbus::mbws::time_point now, hosted_link& link, std::string_view from);
    void settle_guests(mbus::mbws::time_point now, hosted_link& link);
    [[nodiscard]] bool is_link(const participant* host) const;

    // Two ways to one bus (link_paths.cpp).
    [[nodiscard]] bool joined_already(std::string_view broker, const hosted_link* except) const;
    [[nodiscard]] hosted_link* active_link_to(std::string_view broker, const hosted_link* except) const;
    void settle_paths(mbus::mbws::time_point now, hosted_link& link, std::string_view attached);
    void settle_path_on_bus(mbus::mbws::time_point now, const mbus::address& who, std::string_view broker);
    void settle_suspects();
    bool keeps_against_twin(mbus::mbws::time_point now, hosted_link& fresh);
    void close_joined(mbus::mbws::time_point now, hosted_link& link, std::string_view why);

    // Messages (link_messages.cpp).
    const mbus::mbws::message_ref* form_for_links(message_forms& forms);
    [[nodiscard]] std::string next_origin();

    administration_outcome list(const mbus::value::list& arguments, const granted_rights& rights) const;

    router& hub_;
    turn_queue& turns_;
    logger& log_;
    std::map<std::uint64_t, std::unique_ptr<hosted_link>> links_;  // oldest first
    std::unordered_map<const mbus::mbws::link_session*, hosted_link*> by_session_;
    std::uint64_t last_id_ = 0;
    std::map<std::string, std::size_t, std::less<>> bus_brokers_;  // heard on the bus: id -> entities
    std::vector<mbus::address> suspects_;  // daemons that came to the bus and may be reached over a link, too
    link_origins origins_;
    std::uint64_t last_number_ = 0;  // of our own origins
    std::uint64_t loops_ = 0;        // messages that had been here before
    mbus::mbws::message_preparer preparer_;
    std::uint64_t prepared_serial_ = 0;
    mbus::mbws::message_ref prepared_;  // of prepared_serial_, the same for all links
    std::function<void()> deadline_hook_;
    bool stopping_ = false;
};

// The value of the element `broker` of an entity of a daemon, `(module:mbusd broker:ID ...)`; empty
// for all other entities.
[[nodiscard]] std::string_view broker_of(const mbus::address& entity) noexcept;

}  // namespace mbusd
