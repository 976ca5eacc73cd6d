// Three XMPP clients on one domain: their streams in both framings, login, binding, stream management, and the
// services behind them, the bus and publish-subscribe (docs/xmpp.md).
//
// The first octet chooses what has happened already (bits below). Then follow messages, with marks (script.hpp)
// that say who sends them and what else happens:
//     |  the end of a message          0 1 2  the same; ann, bob or a guest speaks next
//     I  ann or bob logs in and binds (the text is the resource)      J  the same in the older framing
//     L  the connection breaks         B  a message that is no text   A  the accounts were changed
//     T  ten seconds go by             M  seventy                     R  the player answers
//     P  the player says the text to every session
// {sm} stands for the id of stream management that came last.
#include <array>
#include <map>
#include <memory>
#include <string>

#include "daemon_lab.hpp"
#include "gateways/xmpp/namespaces.hpp"
#include "gateways/xmpp/session.hpp"
#include "sasl/base64_text.hpp"
#include "script.hpp"
#include "xml/reader.hpp"

namespace {

using fuzz::daemon_lab;
using fuzz::require;
namespace xml = mbusd::xml;
namespace xmpp = mbusd::xmpp;
namespace ns = mbusd::xmpp::ns;

enum already : std::uint8_t { ann_in = 1, bob_in = 2, older = 4, managed = 8, available = 16, subscribed = 32 };

// Room for whatever the daemon may make of its own limits.
constexpr xml::limits roomy{.octets = 64U << 20, .depth = 200, .attributes = 1'000'000, .elements = 1'000'000, .name_octets = 1 << 20};

const std::string open_text = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='bus.example' version='1.0'/>";
const std::string older_text = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='bus.example' version='1.0'>";

// One client, from one connection to the next.
class client final : public xmpp::stream_output {
public:
    client(daemon_lab& lab, xmpp::server& domain, std::string name) : lab_(lab), domain_(domain), name_(std::move(name)) { connect(); }

    void connect() {
        stream_ = std::make_unique<xmpp::stream>(*this, domain_, xmpp::stream_options{.plain = true, .anonymous = true}, now());
        closed_ = older_ = false;
        written_ = std::make_unique<xml::stream_reader>(roomy);
        asked_.clear();
    }
    void lose() {
        stream_->lost(now());
        connect();
    }
    void say(const std::string& text) {
        if (closed_) connect();
        if (stream_->bound()) expect_answer(text);
        stream_->receive(now(), text);
        end_of_turn();
    }
    void say_binary() {
        if (closed_) connect();
        stream_->receive_binary(now());
        end_of_turn();
    }
    void log_in(const std::string& resource, bool in_older_framing) {
        connect_again();
        const auto& begin = in_older_framing ? older_text : open_text;
        const std::string nul(1, '\0');
        say(begin);
        say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" + mbusd::to_base64(nul + name_ + nul + "secret") + "</auth>");
        say(begin);
        say("<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>" + resource + "</resource></bind></iq>");
    }
    void advance() {
        stream_->advance(now());
        end_of_turn();
    }
    // All that was asked has its answer: nothing is dropped in silence.
    void check_answers() const {
        if (!stream_->bound()) return;
        for (const auto& [id, count] : asked_) require(count == 0 || ignored_.contains(id), "every iq that asks is answered once");
    }
    [[nodiscard]] const std::string& management() const { return management_; }
    [[nodiscard]] bool bound() const { return stream_->bound(); }

    // stream_output
    void send(std::string message) override {
        require(!closed_, "nothing is sent after the end");
        if (message.starts_with("<stream:stream ")) {
            older_ = true;
            written_ = std::make_unique<xml::stream_reader>(roomy);
        }
        if (older_) {
            const bool fine = written_->feed(message, [this](xml::stream_event what, const xml::element& part) {
                if (what == xml::stream_event::child) heard(part);
            });
            require(fine && written_->between_children(), "what is written in the older framing is one document");
            return;
        }
        const auto got = reader_.read(message);
        require(got.has_value(), "each message is one element");
        heard(*got);
    }
    void close() override { closed_ = true; }
    void login_failed() override {}
    [[nodiscard]] std::chrono::milliseconds login_wait() override { return std::chrono::milliseconds{0}; }

private:
    [[nodiscard]] xmpp::time_point now() { return lab_.bus.hub.now(); }
    void end_of_turn() {
        lab_.turn();
        domain_.settle();
    }
    void connect_again() {
        stream_->lost(now());
        connect();
    }

    // The older framing has its namespaces in another message.
    void expect_answer(const std::string& text) {
        const auto got = reader_.read(text);
        if (!got || !got->is(ns::client, "iq") || got->value_of("id").empty()) return;
        const auto type = got->value_of("type");
        if (type == "result" || type == "error") return;
        const std::string id{got->value_of("id")};  // of an unknown type: the answer is bad-request
        const auto to = xmpp::jid::parse(got->value_of("to"));
        // Other clients answer or don't.
        if (to && to->domain == fuzz::domain && !to->local.empty() && !to->resource.empty()) ignored_.emplace(id, true);
        else ++asked_[id];
    }
    void heard(const xml::element& what) {
        if (what.is(ns::management, "enabled") && what.get("id")) management_ = what.value_of("id");
        if (!what.is(ns::client, "iq")) return;
        const auto type = what.value_of("type");
        if (type != "result" && type != "error") return;
        const auto found = asked_.find(std::string{what.value_of("id")});
        if (found == asked_.end()) return;
        const auto from = xmpp::jid::parse(what.value_of("from"));
        if (from && from->domain == fuzz::domain && !from->local.empty() && !from->resource.empty()) return;
        --found->second;
    }

    daemon_lab& lab_;
    xmpp::server& domain_;
    std::string name_;
    std::unique_ptr<xmpp::stream> stream_;
    std::unique_ptr<xml::stream_reader> written_;
    xml::document_reader reader_{roomy};
    std::map<std::string, int> asked_;     // answers that are due, by id
    std::map<std::string, bool> ignored_;  // ids that others may answer
    std::string management_;
    bool closed_ = false;
    bool older_ = false;
};

class xmpp_lab {
public:
    explicit xmpp_lab(unsigned choices)
        : domain_({.domain = fuzz::domain, .sessions_max = 6, .sessions_of_one = 3}, lab_.clients,
                  [this](std::size_t octets) { return lab_.random_text(octets); }),
          services_(lab_, domain_),
          clients_{{{lab_, domain_, "ann"}, {lab_, domain_, "bob"}, {lab_, domain_, "eve"}}},
          entities_(lab_.bus.hub.entities()) {
        if ((choices & ann_in) != 0) clients_[0].log_in("x", (choices & older) != 0);
        if ((choices & bob_in) != 0) clients_[1].log_in("y", false);
        for (auto& each : clients_) {
            if (!each.bound()) continue;
            if ((choices & managed) != 0) each.say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
            if ((choices & available) != 0) each.say("<presence xmlns='jabber:client'/>");
        }
        if ((choices & subscribed) != 0 && clients_[1].bound()) {
            clients_[1].say("<iq xmlns='jabber:client' type='set' id='s' to='pubsub.bus.example'><pubsub xmlns='http://jabber.org/protocol/pubsub'>"
                            "<subscribe node='news' jid='bob@bus.example'/></pubsub></iq>");
        }
    }

    void play(std::string_view input) {
        fuzz::script steps{input};
        while (const auto step = steps.next()) act(filled(step->text), step->mark);
    }

    // Whoever waits for something gets it or hears why not; then all leave, and nothing stays behind.
    void finish() {
        pass(std::chrono::seconds{25});
        for (const auto& each : clients_) each.check_answers();
        for (auto& each : clients_) each.lose();
        pass(std::chrono::seconds{120});
        require(domain_.sessions() == 0, "sessions end some time after their connections");
        require(lab_.bus.hub.entities() == entities_, "sessions that have ended leave the bus");
        require(services_.bus.entities() == 0, "nothing is kept of sessions that have ended");
    }

private:
    std::string filled(std::string text) const {
        constexpr std::string_view name = "{sm}";
        const auto& value = clients_[who_].management();
        for (auto at = text.find(name); at != std::string::npos; at = text.find(name, at + value.size())) text.replace(at, name.size(), value);
        return text;
    }

    void act(const std::string& text, char mark) {
        switch (mark) {
        case 'I': return clients_[who_].log_in(text, false);
        case 'J': return clients_[who_].log_in(text, true);
        case 'P':
            lab_.play("(app:xmpp)", text);
            return domain_.settle();
        default: break;
        }
        if (!text.empty()) clients_[who_].say(text);
        switch (mark) {
        case '0': case '1': case '2': who_ = static_cast<std::size_t>(mark - '0'); break;
        case 'L': clients_[who_].lose(); break;
        case 'B': clients_[who_].say_binary(); break;
        case 'T': pass(std::chrono::seconds{10}); break;
        case 'M': pass(std::chrono::seconds{70}); break;
        case 'R': lab_.play(); break;
        case 'A':
            for (const auto* user : {"ann", "bob"}) domain_.end_sessions_of(lab_.bus.hub.now(), user);
            break;
        default: break;
        }
        lab_.turn();
        domain_.settle();
    }

    void pass(std::chrono::milliseconds time) {
        lab_.pass(time);
        for (auto& each : clients_) each.advance();
        domain_.advance(lab_.bus.hub.now());
        lab_.turn();
        domain_.settle();
    }

    daemon_lab lab_{"[xmpp]\ndomain = \"bus.example\"\n"};
    xmpp::server domain_;
    fuzz::domain_services services_;
    std::array<client, 3> clients_;
    std::size_t entities_;
    std::size_t who_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    xmpp_lab lab{data[0]};
    lab.play(fuzz::text_of(data + 1, size - 1));
    lab.finish();
    return 0;
}
