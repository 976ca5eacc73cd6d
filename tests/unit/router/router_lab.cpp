#include "router_lab.hpp"

#include <doctest/doctest.h>

#include <array>

#include "protocol/session_config.hpp"

namespace router_test {
namespace {

constexpr std::string_view session_text =
    "[MBUS]\nCONFIG_VERSION=1\nHASHKEY=(HMAC-SHA1-96,MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=)\nENCRYPTIONKEY=(NOENCR,)\n"
    "SCOPE=HOSTLOCAL\n";

protocol::envelope seal() {
    const auto config = protocol::parse_session_config(session_text);
    return std::move(*protocol::envelope::create(*config));
}

protocol::node_options options(std::string host, std::uint64_t seed) {
    protocol::node_options out;
    out.host_id = std::move(host);
    out.seed = seed;
    return out;
}

std::vector<std::string> drain(protocol::node& engine, const protocol::instant& at) {
    std::vector<std::string> out;
    engine.advance(at);
    const auto waiting = engine.transmits(at);
    for (const auto& each : waiting) out.emplace_back(each.datagram);
    engine.transmitted(waiting.size());
    return out;
}

protocol::endpoint endpoint_of(std::uint8_t host) {
    protocol::endpoint out;
    out.octets[0] = 10;
    out.octets[3] = host;
    out.interface_index = 3;
    out.port = static_cast<std::uint16_t>(40000 + host);
    return out;
}

}  // namespace

std::shared_ptr<const mbusd::peer_identity> identity(const mbusd::rights_table& table, const std::string& user,
                                                     std::vector<std::string> groups, std::uint32_t uid, bool owner) {
    auto out = std::make_shared<mbusd::peer_identity>();
    out->user.uid = uid;
    out->user.pid = 4711;
    out->user.name = user;
    out->user.groups = std::move(groups);
    out->user.owner = owner;
    out->rights = std::make_shared<const mbusd::granted_rights>(table.granted_to(out->user));
    return out;
}

test_bus::test_bus(protocol::node_events& events, std::string host)
    : engine(options(host, 1), seal(), events), host_(std::move(host)) {}

mbusd::bus_status test_bus::status() const {
    mbusd::bus_status out;
    out.scope = "HOSTLOCAL";
    out.host_id = host_;
    return out;
}

std::string_view test_bus::interface_name(std::uint32_t index) const { return index == 3 ? "eth0" : ""; }

std::vector<std::string> test_bus::flush() {
    flush_wanted = false;
    return drain(engine, at);
}

// --- clients ------------------------------------------------------------------------------------

test_client::test_client(router_lab& lab, std::shared_ptr<const mbusd::peer_identity> who)
    : lab_(lab),
      id_(lab.hub.connections().add(std::move(who), this)),
      connection_(*this, lab.hub, {.id = id_, .local = true}, lab.network.at.now) {}

test_client::~test_client() {
    lose();
    lab_.hub.connections().remove(id_);
}

void test_client::frame(mbws::verb verb, std::uint64_t number, std::uint8_t flags,
                        const std::function<void(mbws::frame_writer&)>& fields, std::string_view body) {
    std::string octets;
    mbws::frame_writer writer{octets, verb, flags, number};
    if (fields) fields(writer);
    REQUIRE(writer.finish(body));
    mbws::frame_view view;
    REQUIRE(mbws::decode_frame(octets, view) == nullptr);
    connection_.handle(lab_.network.at.now, view);
    stopped = !connection_.wants_input();
}

void test_client::connect(std::uint32_t window, std::uint32_t expiry, std::string_view session,
                          std::uint64_t received) {
    frame(mbws::verb::connect, 0, 0, [&](mbws::frame_writer& out) {
        out.set(mbws::key::version, std::uint64_t{1})
            .set(mbws::key::window, std::uint64_t{window})
            .set(mbws::key::expiry, std::uint64_t{expiry})
            .set_if(mbws::key::session, session)
            .set(mbws::key::received, received);
    });
}

std::string test_client::attach(std::string_view entity, std::uint32_t request,
                                const std::function<void(mbws::frame_writer&)>& more) {
    frame(mbws::verb::attach, 0, 0, [&](mbws::frame_writer& out) {
        out.set(mbws::key::request, std::uint64_t{request}).set(mbws::key::entity, entity);
        if (more) more(out);
    });
    const auto answer = take();
    REQUIRE(answer.view.verb == mbws::verb::ok);
    return std::string{answer.view.text(mbws::key::entity)};
}

void test_client::message(std::string_view to, std::string_view body, std::uint64_t number, std::uint8_t flags,
                          std::string_view type) {
    frame(mbws::verb::message, number, flags, [&](mbws::frame_writer& out) {
        out.set(mbws::key::to, to).set_if(mbws::key::type, type);
    }, body);
}

void test_client::lose() {
    if (auto* session = connection_.session()) lab_.hub.touch(*session);
    connection_.lost(lab_.network.at.now);
}

void test_client::pump() {
    connection_.fill(lab_.network.at.now);
    std::array<mbws::octet_span, 64> pieces;
    while (waiting() > 0) {
        const auto count = gather(pieces);
        std::size_t octets = 0;
        for (std::size_t i = 0; i < count; ++i) {
            incoming_.append(pieces[i].data, pieces[i].size);
            octets += pieces[i].size;
        }
        consumed(octets);
        connection_.fill(lab_.network.at.now);
    }
    while (incoming_.size() >= mbws::frame_header_octets) {
        const auto size = mbws::frame_octets(incoming_.data());
        if (size > incoming_.size()) break;
        frames_.push_back({incoming_.substr(0, size), {}});
        incoming_.erase(0, size);
    }
}

received test_client::take() {
    lab_.turn();
    REQUIRE_FALSE(frames_.empty());
    auto out = std::move(frames_.front());
    frames_.pop_front();
    REQUIRE(mbws::decode_frame(out.octets, out.view) == nullptr);
    return out;
}

bool test_client::nothing() {
    lab_.turn();
    return frames_.empty();
}

// --- the lab ------------------------------------------------------------------------------------

router_lab::router_lab(std::string_view toml, std::string broker, std::string host)
    : configuration([&] {
          mbusd::config_reading out;
          mbusd::read_config_text(out, toml, "lab.toml");
          REQUIRE(out.problems.empty());
          return out;
      }()),
      log(mbusd::level::debug,
          [this](mbusd::level, std::string_view text, const std::vector<mbusd::log_field>&) { logged.emplace_back(text); }),
      turns([this](std::function<void()> run) { posted.push_back(std::move(run)); }),
      hub(configuration, std::move(broker), turns, log),
      network(hub, std::move(host)) {
    hub.start(network);
    turn();
}

test_client& router_lab::unconnected(std::shared_ptr<const mbusd::peer_identity> who) {
    clients.push_back(std::make_unique<test_client>(*this, std::move(who)));
    return *clients.back();
}

test_client& router_lab::client(std::uint32_t window, std::uint32_t expiry) {
    auto& out = unconnected(identity(configuration.values.rights, "owner", {}, 0, true));
    out.connect(window, expiry);
    const auto answer = out.take();
    REQUIRE(answer.view.verb == mbws::verb::connected);
    out.token = answer.view.text(mbws::key::session);
    return out;
}

test_client& router_lab::client_of(const std::string& user, std::vector<std::string> groups, std::uint32_t uid) {
    auto& out = unconnected(identity(configuration.values.rights, user, std::move(groups), uid, false));
    out.connect();
    REQUIRE(out.take().view.verb == mbws::verb::connected);
    return out;
}

void router_lab::turn() {
    for (int rounds = 0; rounds < 8; ++rounds) {
        for (auto& run : std::exchange(posted, {})) run();
        for (auto& each : clients) each->pump();
        if (posted.empty()) break;
    }
}

void router_lab::pass(std::chrono::milliseconds time) {
    turn();
    network.at.now += time;
    network.at.wall_ms += static_cast<std::uint64_t>(time.count());
    hub.advance(network.at.now);
    turn();
}

router_lab::neighbour& router_lab::other_host() {
    if (!far) far = std::make_unique<neighbour>(*this);
    return *far;
}

void router_lab::carry() {
    for (int rounds = 0; rounds < 16; ++rounds) {
        turn();
        const auto ours = network.flush();
        const auto theirs = far ? drain(far->engine, network.at) : std::vector<std::string>{};
        for (const auto& each : ours) {
            if (far) far->engine.receive(network.at, each, endpoint_of(1));
        }
        for (const auto& each : theirs) network.engine.receive(network.at, each, endpoint_of(2));
        if (ours.empty() && theirs.empty() && posted.empty()) break;
    }
}

router_lab::neighbour::neighbour(router_lab&) : engine(options("10.0.0.2", 2), seal(), *this) {}

bool router_lab::neighbour::deliver(protocol::entity_handle, const std::shared_ptr<const protocol::inbound>& what) {
    if (takes) heard.push_back(what);
    return takes;
}

}  // namespace router_test
