// The answers of the daemon's own entity: status, counters, interfaces, peers, sessions and
// configuration, asked for in the request form of docs/daemon-commands.md.
//
//     auto reply = administration.answer(body, rights, later);   // commands of the reply; may be empty
//
// One thread. The facts outlive it.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <mbus/command.hpp>

#include "bus/bus.hpp"
#include "config/config_file.hpp"
#include "router/local_entity.hpp"
#include "router/router_counters.hpp"
#include "router/session_table.hpp"

namespace mbusd {

// What the answers are made of; the router knows it.
class administration_facts {
public:
    [[nodiscard]] virtual const settings& values() const = 0;
    [[nodiscard]] virtual const config_reading& reading() const = 0;
    [[nodiscard]] virtual bus& facts_bus() const = 0;
    [[nodiscard]] virtual const router_counters& router_counts() const = 0;
    [[nodiscard]] virtual std::size_t session_count() const = 0;
    virtual void each_session(const std::function<void(session_record&)>& visit) = 0;
    virtual void each_entity(const std::function<void(const local_entity&)>& visit) const = 0;
    [[nodiscard]] virtual const std::string& broker_id() const = 0;

protected:
    ~administration_facts() = default;
};

// Entries in one answer; longer lists are asked for page by page. 200 entries of the usual size stay
// below 96 KiB, and every client takes 128 KiB.
inline constexpr std::size_t page_entries_max = 200;

// The answer to one request.
struct administration_outcome {
    bool ok = false;
    bool known = true;
    std::string text{};              // for people; when !ok: what to do
    mbus::value::list results{};
    mbus::errc code = mbus::errc::forbidden;  // when !ok
    // Set: the outcome is not known yet. It is called at once, and calls what it is given when it is.
    std::function<void(std::function<void(administration_outcome)>)> later{};
};

// The page of `rows` from `from`, with the total and where the next page starts (0: there is none).
[[nodiscard]] mbus::value::list answer_page(mbus::value::list rows, std::size_t from, std::string_view name);
// What stands at `index` of the arguments as a number, for answer_page(); 0 when there is none.
[[nodiscard]] std::size_t answer_offset(const mbus::value::list& arguments, std::size_t index);

// Answers one command of another part of the daemon. Check the rights first.
using administration_part =
    std::function<administration_outcome(const mbus::value::list& arguments, const granted_rights& rights)>;

// Adds what another part of the daemon has to say, as pairs of name and value.
using administration_figures = std::function<void(mbus::value::list& into)>;

class administration {
public:
    explicit administration(administration_facts& facts) : facts_(facts) {}

    void started(mbus::protocol::time_point now) noexcept { started_ = now; }

    // The command "mbusd.NAME" is answered by `part` from now on.
    void add_part(std::string name, administration_part part) { parts_[std::move(name)] = std::move(part); }

    // Asked for each mbusd.status and mbusd.counters.
    void add_status(administration_figures figures) { status_figures_.push_back(std::move(figures)); }
    void add_counters(administration_figures figures) { counter_figures_.push_back(std::move(figures)); }

    // The answers to the requests among `commands`, one command each. A null `rights`: the caller
    // is not a session of this daemon, and gets FAILED. Answers that are not known yet go to `later`.
    std::vector<mbus::command> answer(std::string_view commands, const granted_rights* rights,
                                      const std::function<void(mbus::command)>& later = {});

private:
    using outcome = administration_outcome;
    outcome perform(std::string_view name, const mbus::value::list& arguments, const granted_rights& rights);
    [[nodiscard]] outcome status() const;
    [[nodiscard]] outcome counters() const;
    [[nodiscard]] outcome interfaces() const;
    [[nodiscard]] outcome peers(std::size_t from) const;
    [[nodiscard]] outcome sessions(std::size_t from) const;
    [[nodiscard]] outcome config() const;
    [[nodiscard]] outcome rights_of(const granted_rights& rights) const;

    administration_facts& facts_;
    mbus::protocol::time_point started_{};
    std::map<std::string, administration_part, std::less<>> parts_;
    std::vector<administration_figures> status_figures_;
    std::vector<administration_figures> counter_figures_;
};

}  // namespace mbusd
