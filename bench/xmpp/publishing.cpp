#include "xmpp/publishing.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "harness/meter.hpp"
#include "xmpp/scram_login.hpp"
#include "xmpp/xmpp_reader.hpp"

namespace bench {
namespace {

using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;

constexpr std::string_view node = "bench-news";
constexpr auto pause_between = 20ms;  // acknowledgements of the entry before are read meanwhile
constexpr auto settling = 1s;         // what logins and subscriptions needed is given back
constexpr auto patience = 30s;        // for the events of one entry
constexpr std::size_t entries_least = 3;

// --- stanzas -------------------------------------------------------------------------------------------

std::string to_pubsub(std::string_view id, std::string_view inside) {
    return "<iq xmlns='jabber:client' type='set' id='" + std::string{id} + "' to='" + xmpp_pubsub +
           "'><pubsub xmlns='http://jabber.org/protocol/pubsub'>" + std::string{inside} + "</pubsub></iq>";
}

std::string creation() {
    return to_pubsub(
        "create",
        "<create node='" + std::string{node} +
            "'/><configure><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'>"
            "<value>http://jabber.org/protocol/pubsub#node_config</value></field><field var='pubsub#max_items'>"
            "<value>10</value></field><field var='pubsub#persist_items'><value>1</value></field></x></configure>");
}

std::string subscription_of(const std::string& jid) {
    return to_pubsub("subscribe", "<subscribe node='" + std::string{node} + "' jid='" + jid + "'/>");
}

std::string publication(std::size_t number) {
    const auto id = std::to_string(number);
    return to_pubsub("publish" + id,
                     "<publish node='" + std::string{node} + "'><item id='i" + id +
                         "'><entry xmlns='http://www.w3.org/2005/Atom'><id>tag:bus.example,2026:" + id +
                         "</id><title>Measured " + id +
                         "</title><updated>2026-01-01T00:00:00Z</updated><author><name>bench</name></author>"
                         "<link rel='alternate' href='https://bus.example/news/" +
                         id + "'/><summary>" + std::string(200, 'x') + "</summary></entry></item></publish>");
}

// --- many clients ----------------------------------------------------------------------------------------

// Clients of one server, and the epoll that says which of them has something to read.
class audience {
public:
    audience(const xmpp_server& at, bool managed)
        : how_{.port = at.port(), .path = at.path(), .domain = xmpp_domain, .managed = managed},
          epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}
    ~audience() { ::close(epoll_); }
    audience(const audience&) = delete;
    audience& operator=(const audience&) = delete;

    xmpp_reader& add() {
        how_.resource = "r" + std::to_string(all_.size());
        auto& made = *all_.emplace_back(std::make_unique<xmpp_reader>(how_, login_));
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.ptr = &made;
        if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, made.socket(), &event) != 0)
            throw std::runtime_error("epoll_ctl");
        return made;
    }

    [[nodiscard]] const std::vector<std::unique_ptr<xmpp_reader>>& all() const noexcept { return all_; }

    // Reads what comes until `until`; `took` hears how many messages one of them read and says whether it is enough.
    void read(clock_type::time_point until, const std::function<bool(std::size_t messages)>& took) {
        std::array<epoll_event, 128> events;
        for (auto now = clock_type::now(); now < until; now = clock_type::now()) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - now).count();
            const int ready =
                ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), static_cast<int>(left));
            bool enough = false;
            for (int index = 0; index < ready; ++index) {
                auto& one = *static_cast<xmpp_reader*>(events[static_cast<std::size_t>(index)].data.ptr);
                const auto before = one.messages();
                if (!one.read()) throw std::runtime_error("the server closed a client's connection");
                if (one.messages() != before) enough = took(one.messages() - before);
            }
            if (enough) return;
        }
    }
    void read_for(std::chrono::milliseconds time) {
        read(clock_type::now() + time, [](std::size_t) { return false; });
    }

private:
    xmpp_plan how_;
    int epoll_;
    scram_login login_{xmpp_user, xmpp_password};
    std::vector<std::unique_ptr<xmpp_reader>> all_;
};

// --- one to many -------------------------------------------------------------------------------------------

// Publishes one entry and waits for all its events; adds the milliseconds that each of them took.
void publish(audience& clients, std::size_t number, std::vector<double>& took_ms) {
    const auto subscribers = clients.all().size() - 1;
    const auto wanted = took_ms.size() + subscribers;
    const auto start = clock_type::now();
    clients.all().front()->send(publication(number));
    clients.read(start + patience, [&](std::size_t messages) {
        const std::chrono::duration<double, std::milli> took = clock_type::now() - start;
        took_ms.insert(took_ms.end(), messages, took.count());
        return took_ms.size() >= wanted;
    });
    if (took_ms.size() != wanted)
        throw std::runtime_error(std::to_string(wanted) + " events were due, " +
                                 std::to_string(took_ms.size()) + " came");
}

}  // namespace

xmpp_delivery measure_xmpp(const xmpp_server& at, const xmpp_load& load) {
    audience clients{at, load.managed};
    auto& publisher = clients.add();
    (void)publisher.ask(creation());
    const auto octets_before = resident_octets(at.id());
    while (clients.all().size() <= load.subscribers) clients.add();
    clients.read_for(settling);
    const auto octets = static_cast<double>(resident_octets(at.id()) - octets_before);
    for (const auto& each : clients.all())
        if (each.get() != &publisher) (void)each->ask(subscription_of(each->jid()));
    clients.read_for(settling);

    std::vector<double> took_ms;
    std::size_t entries = 0;
    const auto cpu_before = cpu_nanoseconds(at.id());
    for (const auto end = clock_type::now() + load.time; entries < entries_least || clock_type::now() < end;
         ++entries) {
        publish(clients, entries, took_ms);
        clients.read_for(pause_between);
    }
    const auto cpu = static_cast<double>(cpu_nanoseconds(at.id()) - cpu_before);
    std::ranges::sort(took_ms);
    return {.p50 = took_ms[took_ms.size() / 2],
            .p99 = took_ms[took_ms.size() * 99 / 100],
            .cpu = cpu / 1e3 / static_cast<double>(took_ms.size()),
            .session = octets / 1024 / static_cast<double>(load.subscribers),
            .entries = entries};
}

}  // namespace bench
