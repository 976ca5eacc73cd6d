// Links between daemons (docs/mbws.md, section 9): routers in one process, each with a bus of its own.
#include <array>

#include <doctest/doctest.h>

#include "mbws/frame_reader.hpp"
#include "router/link_table.hpp"
#include "router_lab.hpp"

using namespace router_test;
using mbus::mbws::flag::reliable;
using mbus::mbws::verb;

namespace {

struct port final : mbws::stream_port {
    void wake() override {}
    void read_again() override {}
    std::string take() {
        std::string all;
        while (waiting() > 0) {
            std::array<mbws::octet_span, 8> spans;
            std::size_t octets = 0;
            const auto count = gather(spans);
            for (std::size_t i = 0; i < count; ++i) {
                all.append(spans[i].data, spans[i].size);
                octets += spans[i].size;
            }
            consumed(octets);
        }
        return all;
    }
};

// A daemon with its links.
struct site {
    router_lab lab;
    mbusd::link_table links{lab.hub, lab.turns, lab.log};
    std::shared_ptr<const mbusd::peer_identity> caller =
        identity(mbusd::rights_table::standard(), "other-site", {}, 1, true);

    site() : site(++last_) {}

private:
    explicit site(unsigned number) : lab({}, id_of(number), "10.0.0." + std::to_string(number)) { links.start(); }
    // Rising, so that who is first has the lower id.
    static std::string id_of(unsigned number) {
        std::string out(16, '0');
        const auto digits = std::to_string(number);
        return out.replace(16 - digits.size(), digits.size(), digits);
    }
    static inline unsigned last_ = 0;
};

// One connection between two sites, called by `near`.
class wire final : public mbusd::link_caller, public mbws::link_carrier {
public:
    wire(site& near, site& far, mbusd::link_rule rule = {})
        : near_(near), far_(far) {
        rule.name = rule.name.empty() ? "far" : rule.name;
        rule.url = "ws://far";
        link_ = &near.links.add_caller(rule, *this);
        call();
    }
    ~wire() { cut(); }

    void call() {
        near_port_ = std::make_unique<port>();
        far_port_ = std::make_unique<port>();
        const auto id = far_.lab.hub.connections().add(far_.caller, far_port_.get());
        connection_ = std::make_unique<mbws::broker_connection>(*far_port_, far_.lab.hub,
                                                                mbws::connection_info{id, false}, far_.lab.hub.now());
        released_ = false;
        link_->session().call(near_.lab.hub.now(), *this, *near_port_);
    }
    void cut() {
        if (!connection_) return;
        if (!released_) link_->session().lost(near_.lab.hub.now());
        connection_->lost(far_.lab.hub.now());
        connection_.reset();
    }
    // Carries what waits; true when something did.
    bool carry() {
        if (!connection_) return false;
        if (!released_) link_->session().fill(near_.lab.hub.now());
        connection_->fill(far_.lab.hub.now());
        const auto there = near_port_->take();
        const auto back = far_port_->take();
        feed(there, [&](const mbws::frame_view& frame) {
            return connection_->handle(far_.lab.hub.now(), frame) == mbws::verdict::go_on;
        });
        feed(back, [&](const mbws::frame_view& frame) {
            return !released_ && link_->session().handle(near_.lab.hub.now(), frame) == mbws::verdict::go_on;
        });
        return !there.empty() || !back.empty();
    }
    mbusd::hosted_link& link() { return *link_; }

    std::vector<mbus::error> over;

private:
    void link_over(const mbus::error& why) override { over.push_back(why); }
    void link_is_up() override {}
    void link_released() noexcept override { released_ = true; }

    static void feed(const std::string& octets, const std::function<bool(const mbws::frame_view&)>& handle) {
        mbws::frame_reader reader;
        reader.feed(octets);
        mbws::frame_view frame;
        while (reader.next(frame) == mbws::frame_reader::status::frame && handle(frame)) {}
    }

    site& near_;
    site& far_;
    mbusd::hosted_link* link_ = nullptr;
    std::unique_ptr<port> near_port_;
    std::unique_ptr<port> far_port_;
    std::unique_ptr<mbws::broker_connection> connection_;
    bool released_ = false;
};

mbusd::link_rule rule_of(std::string name, bool transit = false) {
    mbusd::link_rule out;
    out.name = std::move(name);
    out.transit = transit;
    return out;
}

mbusd::link_rule patterns(std::string_view send, std::string_view receive) {
    mbusd::link_rule out;
    out.send = {*mbus::address::parse(send)};
    out.receive = {*mbus::address::parse(receive)};
    return out;
}

template <class... Sites>
void settle(std::vector<wire*> wires, Sites&... sites) {
    for (int round = 0; round < 100; ++round) {
        bool moved = false;
        for (auto* each : wires) moved = each->carry() || moved;
        (sites.lab.turn(), ...);
        if (!moved) return;
    }
    FAIL("the links never fall silent");
}

std::size_t messages(test_client& client) {
    std::size_t found = 0;
    while (!client.nothing()) {
        if (client.take().view.verb == verb::message) ++found;
    }
    return found;
}

}  // namespace

TEST_CASE("a reliable message over a link has the receipt of the other side (docs/mbws.md s9)") {
    site left;
    site right;
    wire between{left, right};
    auto& ui = left.lab.client();
    ui.attach("(app:ui)");
    auto& player = right.lab.client();
    const auto full = player.attach("(app:player)");
    settle({&between}, left, right);
    ui.message("(app:player)", "player.play()", 1, reliable);
    settle({&between}, left, right);
    CHECK(messages(player) == 1);
    const auto receipt = ui.take();
    REQUIRE(receipt.view.verb == verb::receipt);
    CHECK_FALSE(receipt.view.has(mbws::key::code));
    CHECK(receipt.view.text(mbws::key::entity) == full);
}

TEST_CASE("without a receipt within 10 s the sender hears not-acknowledged") {
    site left;
    site right;
    wire between{left, right};
    auto& ui = left.lab.client();
    ui.attach("(app:ui)");
    right.lab.client().attach("(app:player)");
    settle({&between}, left, right);
    between.cut();
    ui.message("(app:player)", "player.play()", 1, reliable);
    left.lab.turn();
    CHECK(ui.nothing());
    left.lab.pass(10s);
    left.links.advance(left.lab.hub.now());
    left.lab.turn();
    const auto receipt = ui.take();
    CHECK(receipt.view.text(mbws::key::code) == "not-acknowledged");
}

TEST_CASE("a message to all crosses a link once, whatever fits") {
    site left;
    site right;
    wire between{left, right};
    auto& ui = left.lab.client();
    ui.attach("(app:ui)");
    auto& one = right.lab.client();
    one.attach("(app:one)");
    auto& two = right.lab.client();
    two.attach("(app:two)");
    settle({&between}, left, right);
    ui.message("()", "a.b()");
    settle({&between}, left, right);
    CHECK(messages(one) == 1);
    CHECK(messages(two) == 1);
    CHECK(between.link().session().counters().sent == 1);
}

TEST_CASE("only entities that fit the patterns take part, and the daemon always does") {
    site left;
    site right;
    wire between{left, right, patterns("(app:shown)", "(app:taken)")};
    left.lab.client().attach("(app:shown)");
    left.lab.client().attach("(app:hidden)");
    right.lab.client().attach("(app:taken)");
    right.lab.client().attach("(app:left-out)");
    settle({&between}, left, right);
    const auto there = [](site& where, std::string_view pattern) {
        return where.lab.network.engine.match(*mbus::address::parse(pattern)).total();
    };
    CHECK(there(right, "(app:shown)") == 1);
    CHECK(there(right, "(app:hidden)") == 0);
    CHECK(there(left, "(app:taken)") == 1);
    CHECK(there(left, "(app:left-out)") == 0);
    CHECK(there(left, "(module:mbusd)") == 2);
    CHECK(there(right, "(module:mbusd)") == 2);
}

TEST_CASE("requests over a link get no facts: the daemon answers programs of its own host") {
    site left;
    site right;
    wire between{left, right};
    auto& ui = left.lab.client();
    ui.attach("(app:ui)");
    settle({&between}, left, right);
    ui.message(right.lab.hub.own_address().text(), R"(mbusd.config((("ID" "1") ("RPC-TYPE" "UNICAST")) ()))");
    settle({&between}, left, right);
    const auto answer = ui.take();
    CHECK(answer.view.body.find("FAILED") != std::string_view::npos);
}

TEST_CASE("without transit the points of a star do not see each other, with it they do") {
    for (const bool transit : {false, true}) {
        CAPTURE(transit);
        // The centre calls, so its entries hold.
        site centre;
        site one;
        site two;
        wire to_one{centre, one, rule_of("one", transit)};
        wire to_two{centre, two, rule_of("two", transit)};
        auto& ui = one.lab.client();
        ui.attach("(app:ui)");
        auto& player = two.lab.client();
        player.attach("(app:player)");
        settle({&to_one, &to_two}, centre, one, two);
        ui.message("(app:player)", "player.play()", 1, reliable);
        settle({&to_one, &to_two}, centre, one, two);
        CHECK(messages(player) == (transit ? 1 : 0));
        CHECK(ui.take().view.has(mbws::key::code) == !transit);
    }
}

TEST_CASE("a ring of three daemons delivers once") {
    for (const bool transit : {false, true}) {
        CAPTURE(transit);
        site a;
        site b;
        site c;
        wire ab{a, b, rule_of("b", transit)};
        settle({&ab}, a, b, c);
        wire bc{b, c, rule_of("c", transit)};
        settle({&ab, &bc}, a, b, c);
        wire ca{c, a, rule_of("a", transit)};
        auto& of_a = a.lab.client();
        of_a.attach("(app:of-a)");
        auto& of_b = b.lab.client();
        of_b.attach("(app:of-b)");
        auto& of_c = c.lab.client();
        of_c.attach("(app:of-c)");
        settle({&ab, &bc, &ca}, a, b, c);
        of_a.message("()", "a.b()");
        settle({&ab, &bc, &ca}, a, b, c);
        CHECK(messages(of_b) == 1);
        CHECK(messages(of_c) == 1);
        CHECK(messages(of_a) == 0);
    }
}

TEST_CASE("two daemons that call each other keep one link") {
    site left;
    site right;
    wire there{left, right};
    wire back{right, left};
    left.lab.client().attach("(app:ui)");
    settle({&there, &back}, left, right);
    const auto up = [](wire& which) { return which.link().session().state() == mbws::link_state::active; };
    CHECK((up(there) ? 1 : 0) + (up(back) ? 1 : 0) == 1);
    const bool left_is_lower = left.lab.hub.broker() < right.lab.hub.broker();
    CHECK(up(there) == left_is_lower);
}

TEST_CASE("a second link to the same daemon stands by, and takes over when the first has ended") {
    site left;
    site right;
    auto first = std::make_unique<wire>(left, right, rule_of("first"));
    settle({first.get()}, left, right);
    wire second{left, right, rule_of("second")};
    settle({first.get(), &second}, left, right);
    CHECK(second.link().session().state() == mbws::link_state::idle);
    REQUIRE(second.over.size() == 1);
    CHECK(second.over[0].code == mbus::errc::conflict);
    left.links.remove_caller("first");
    settle({first.get(), &second}, left, right);
    second.cut();
    second.call();
    settle({first.get(), &second}, left, right);
    CHECK(second.link().session().state() == mbws::link_state::active);
}

TEST_CASE("a token without the right link is refused, with what to do") {
    site left;
    site right;
    right.caller = identity(mbusd::rights_table::standard(), "bob", {"mbus-users"}, 1001, false);
    wire between{left, right};
    settle({&between}, left, right);
    REQUIRE(between.over.size() == 1);
    CHECK(between.over[0].code == mbus::errc::forbidden);
    CHECK(between.over[0].text.find("link") != std::string::npos);
}

TEST_CASE("ids of messages are remembered for 60 s, 65 536 of them") {
    mbusd::link_origins origins;
    const mbus::mbws::time_point start{};
    CHECK(origins.first(start, {1, 1}));
    CHECK_FALSE(origins.first(start + 60s, {1, 1}));
    CHECK(origins.first(start + 61s, {1, 2}));
    CHECK(origins.first(start + 61s, {1, 1}));
    for (std::uint64_t i = 10; i < 10 + mbusd::origins_max; ++i) CHECK(origins.first(start + 61s, {2, i}));
    CHECK(origins.size() == mbusd::origins_max);
    CHECK(mbusd::parse_origin("00112233445566aa:7")->number == 7);
    for (const auto* wrong : {"", "00112233445566aa", "00112233445566AA:7", "00112233445566aa:", "00112233445566aa:x", "1:2"}) {
        CHECK_FALSE(mbusd::parse_origin(wrong).has_value());
    }
}
