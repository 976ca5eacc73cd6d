// The core of a connection: runs an MBWS client session over a link and turns what it tells into
// messages, outcomes and events.
//
// A turn reads, runs what is due, calls the program, and writes. The program is called between two
// frames (take_frames) with the message that the first of them was, or from dispatch() with anything
// else the session told, in the order in which it came. There it may call everything again, waiting
// included: a turn within a turn goes on with the next frame.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <mbus/connection.hpp>

#include "link.hpp"
#include "mbws/client_session.hpp"
#include "records.hpp"
#include "timers.hpp"

namespace mbus::detail {

class core final : public loop, public std::enable_shared_from_this<core>, private mbws::client_handler {
public:
    core(std::unique_ptr<link> way, const connect_options& options);
    ~core();

    // --- life (core_life.cpp) ---------------------------------------------------------------

    // `once`: the first failure is the end, as connect() wants it.
    void begin(bool once);
    operation<void> ready();
    result<void> close(std::chrono::milliseconds limit);
    // The connection object goes: flush, end everything.
    void shut_down() noexcept;
    [[nodiscard]] connection_state state() const noexcept { return state_; }
    [[nodiscard]] const error& closed_reason() const noexcept { return closed_reason_; }

    // --- running (core.cpp) -----------------------------------------------------------------

    void run_until(const bool& done, std::chrono::milliseconds limit) override;
    void post(std::function<void()> what) override;
    result<void> run(std::chrono::milliseconds limit);
    void stop() noexcept { stopped_ = true; }
    result<void> process();
    result<void> flush(std::chrono::milliseconds limit);
    [[nodiscard]] int fd();
    [[nodiscard]] clock::time_point deadline() const;
    [[nodiscard]] bool running() const noexcept { return depth_ > 0; }
    [[nodiscard]] bool has_output() const noexcept { return open_ && (!session_.output().empty() || link_->waiting() > 0); }
    void hold() noexcept { ++batches_; }
    void release();
    // At the end of every public call that may have produced output or deadlines.
    void settle();

    // --- entities (core_entities.cpp) -----------------------------------------------------------

    operation<entity> attach(const destination& address, const attach_options& options);
    operation<void> detach(const std::shared_ptr<entity_record>& which);
    operation<received_message> receive(const std::shared_ptr<entity_record>& which);
    result<received_message> receive(const std::shared_ptr<entity_record>& which, std::chrono::milliseconds limit);
    void set_handler(const std::shared_ptr<entity_record>& which, message_handler handler);
    void set_job_handler(const std::shared_ptr<entity_record>& which, job_handler handler);

    // --- sending (core_sending.cpp) -------------------------------------------------------------

    result<void> send(entity_record& from, const destination& to, const outgoing_body& what, const send_options& how);
    operation<delivery> send_reliably(entity_record& from, const destination& to, const payload& what,
                                      const send_options& how);
    operation<receipt> send_with_receipt(entity_record& from, const destination& to, const payload& what,
                                         const send_options& how);

    // --- request and reply, waiting and go (core_calls.cpp) ----------------------------------------

    operation<reply> request(const std::shared_ptr<entity_record>& from, const destination& to, command what,
                             std::chrono::milliseconds limit);
    operation<void> wait_for(const std::shared_ptr<entity_record>& from, const symbol& condition,
                             const destination& to, std::chrono::milliseconds interval);
    void answer(responder_record& call, const result<reply>& outcome);

    // --- who is there (core_watches.cpp) -----------------------------------------------------------

    operation<std::vector<peer>> peers(const destination& pattern);
    operation<std::size_t> match(const destination& to);
    operation<peer_watch> watch(const destination& pattern, std::function<void(const peer&)> handler);
    void unwatch(watch_record& which);
    operation<std::chrono::microseconds> ping();

    std::function<void(const connection_event&)> on_state;
    std::function<void(std::uint64_t)> on_missed_messages;
    [[nodiscard]] std::uint64_t missed() const noexcept { return missed_; }

    // An operation of this core, not ended.
    template <class T>
    [[nodiscard]] state_of<T> make_state() {
        return std::make_shared<operation_state<T>>(weak_from_this());
    }

private:
    using pooled_entry = std::unique_ptr<inbox_entry>;
    struct event {
        std::shared_ptr<entity_record> to;  // a message for this entity; null: `act`
        pooled_entry entry;
        std::function<void()> act;
    };
    // A message that the session has just told of.
    struct arrival {
        entity_record* to = nullptr;
        pooled_entry entry;
    };
    // Looks addresses up without making a string of them.
    struct text_hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
    };
    using result_taker = std::function<void(const mbws::message_result&)>;

    // Life.
    void try_to_open();
    void link_broken();
    void connection_broken(error why);
    void retry_later();
    void close_for_good(error why);
    void end_everything(const error& why);
    void tell_state(connection_event what);

    // Turns.
    // Whether messages go to the program at once or wait for dispatch().
    enum class handing : std::uint8_t { now, later };
    void turn();
    void finish_turn(clock::time_point now);
    void read_in(clock::time_point now, handing how);
    bool take_frames(clock::time_point now, handing how);
    void deliver_more(entity_record& to, inbox_entry& entry);
    void write_out();
    void dispatch();
    void arm();
    template <class T>
    timers::id limit_of(const state_of<T>& which, std::chrono::milliseconds after, const char* what) {
        return timers_.at(link_->now() + after, [this, which, what] {
            post([which, what] { which->finish({errc::timed_out, what}); });
        });
    }
    void new_session();

    // Messages.
    bool send_again(const entity_record& from, const destination& to, const outgoing_body& what, const send_options& how);
    result<mbws::message_token> hand_over(entity_record& from, const destination& to, const outgoing_body& what,
                                          const send_options& how, bool reliable, bool receipt);
    template <class T, class ValueOf>
    operation<T> send_for_outcome(entity_record& from, const destination& to, const payload& what,
                                  const send_options& how, bool reliable, ValueOf value_of);
    void deliver(entity_record& to, inbox_entry& entry);
    static bool looks_into(const entity_record& to) noexcept;
    bool for_program(entity_record& to, received_message& message);
    pooled_entry take_entry();
    void give_entry(pooled_entry entry) noexcept;
    void retire(std::shared_ptr<void> what);
    class handled_guard;
    void put_into_inbox(entity_record& to, inbox_entry entry);
    static inbox_entry take_from_inbox(entity_record& from);
    void handled(std::uint64_t number);
    void refuse(std::uint64_t number);
    void count_missed(std::uint64_t messages);
    entity_record* find_entity(std::string_view text, bool monitor) const;
    void forget_entity(const std::shared_ptr<entity_record>& which, const error& why);
    static void describe(const mbws::delivered_message& what, const entity_record& to, received_message& message);
    static void read_address(std::string_view text, mbus::address& into);

    // Calls.
    bool consume(entity_record& to, const received_message& message, const command& what);
    bool take_answer(entity_record& to, const received_message& message, const command& what);
    bool take_go(entity_record& to, const command& what);
    bool take_call(entity_record& to, const received_message& message, const command& what);
    void repeat_wait(const std::shared_ptr<entity_record>& from, std::uint64_t number);

    // Watches.
    void begin_watch(const std::shared_ptr<watch_record>& which, const destination& pattern);
    void tell_peer(const std::shared_ptr<watch_record>& which, std::string_view entity, peer_state state);

    // mbws::client_handler (core_events.cpp)
    void on_connected(const mbws::connected_info& info) override;
    void on_fault(const error& failure, bool again) override;
    void on_closed() override;
    void on_attached(std::uint32_t request, std::string_view entity) override;
    void on_watched(std::uint32_t request, std::uint32_t matched) override;
    void on_watch_restarted(std::uint32_t request) override;
    void on_granted(std::uint32_t, std::string_view, std::uint32_t, std::uint32_t) override {}
    void on_done(std::uint32_t request) override;
    void on_refused(std::uint32_t request, const error& failure) override;
    void on_entity(std::uint32_t request, std::string_view entity, mbws::entity_state state) override;
    bool on_message(const mbws::delivered_message& what) override;
    void on_missed(std::uint64_t messages) override { count_missed(messages); }
    void on_result(mbws::message_token token, const mbws::message_result& what) override;
    void on_taken_over(mbws::message_token) override {}
    void on_refusal_heard(std::uint64_t number) override { handled(number); }
    void on_pong(std::string_view body) override;

    std::unique_ptr<link> link_;
    connect_options options_;
    mbws::client_session session_;
    timers timers_;
    std::deque<event> events_;
    arrival arrived_;
    std::vector<pooled_entry> spare_entries_;
    std::uint64_t filled_ = 0;  // inbox_entry::filled of the last
    std::vector<std::shared_ptr<void>> retired_;  // what may be running further up the stack
    std::vector<char> input_;

    connection_state state_ = connection_state::connecting;
    error closed_reason_;
    bool once_ = false;
    bool open_ = false;                  // the link is
    bool fault_ = false;                 // the session wants the link closed
    bool fault_is_final_ = false;
    error fault_reason_;
    bool orderly_ = false;               // close() was asked for
    std::chrono::milliseconds delay_{0}; // before the next attempt
    std::size_t unacknowledged_ = 0;     // when the connection broke last
    std::vector<state_of<void>> ready_;

    int depth_ = 0;                      // turns on the stack
    bool looped_ = false;                // driven by process(), not by wait()
    bool stopped_ = false;
    int batches_ = 0;
    std::size_t write_again_octets_ = 0;  // the link took no more: wait for so much output, or until then
    clock::time_point write_again_at_{};
    std::uint64_t missed_ = 0;
    std::uint64_t missed_untold_ = 0;

    std::map<std::uint32_t, std::shared_ptr<entity_record>> entities_;
    std::unordered_map<std::string, std::shared_ptr<entity_record>, text_hash, std::equal_to<>> by_address_;
    std::map<std::uint32_t, std::shared_ptr<watch_record>> watches_;
    std::map<std::uint32_t, state_of<void>> detaches_;
    std::unordered_map<mbws::message_token, result_taker> results_;
    std::map<std::string, std::pair<clock::time_point, state_of<std::chrono::microseconds>>, std::less<>> pings_;
    std::deque<std::pair<std::uint64_t, bool>> untaken_;  // numbers in order, and whether they are handled
    bool job_refused_ = false;           // by the handler that has just returned
    std::uint64_t next_id_ = 0;          // of calls, waits and pings
    std::string scratch_;
    mbus::address to_cache_;             // the last destination, as programs tend to repeat them
};

// `by` from `now`; a limit of many years is none.
inline clock::time_point later(clock::time_point now, std::chrono::milliseconds by) {
    return by >= std::chrono::hours{24 * 365 * 10} ? never : now + by;
}

inline error disconnected(std::string_view why) {
    return {errc::disconnected, "not connected to the daemon: " + std::string{why}};
}

}  // namespace mbus::detail
