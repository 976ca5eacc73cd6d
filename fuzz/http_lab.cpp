#include "http_lab.hpp"

#include <array>
#include <utility>

#include <boost/asio/post.hpp>

#include "gateways/atom/host_meta.hpp"
#include "gateways/page/page_paths.hpp"

namespace fuzz {
namespace {

// More than any input can ask for: beyond it something goes round in circles.
constexpr int rounds_max = 1'000'000;

std::array<char, mbusd::http_read_octets> read_buffer;

std::string toml(const http_choices& how) {
    std::string out = "[xmpp]\nenabled = true\ndomain = \"bus.example\"\n[gateway]\nmetrics = \"";
    out += how.strict ? "token\"\n" : "open\"\n";
    out += how.strict ? "[atom]\nanonymous_read = false\n" : "[atom]\nauto_create = true\npage_entries = 2\n";
    return out;
}

mbusd::site_options site(const http_choices& how) {
    return {.hosts = {"*.example", "bus.example"}, .origins = {"https://app.example"}, .trusted_proxies = {"10.0.0.0/8"},
            .public_url = {}, .prefix = how.prefixed ? "/mbus" : ""};
}

mbusd::http_limits limits(const http_choices& how) {
    mbusd::http_limits out;
    if (how.narrow) {
        out.body_octets = 128;
        out.output_octets = 512;
    }
    return out;
}

mbusd::connection_origin origin(const http_choices& how) {
    if (how.local) return {std::nullopt, how.encrypted};
    return {mbusd::client_address::parse(how.proxied ? "10.0.0.1" : how.remote ? "198.51.100.7" : "127.0.0.1"), how.encrypted};
}

}  // namespace

http_choices http_choices::from(std::uint8_t octet) noexcept {
    const auto bit = [octet](unsigned at) { return ((static_cast<unsigned>(octet) >> at) & 1U) != 0; };
    return {.remote = bit(0), .encrypted = bit(1), .proxied = bit(2), .local = bit(3), .prefixed = bit(4), .narrow = bit(5),
            .slow = bit(6), .strict = bit(7)};
}

http_lab::http_lab(const http_choices& how)
    : daemon(toml(how)),
      authority_({.configuration = [this]() -> const mbusd::settings& { return daemon.bus.hub.configuration(); },
                  .base_url = [] { return std::string{"https://bus.example"}; },
                  .wall_ms = [this] { return daemon.bus.network.at.wall_ms; },
                  .journal_of = [this](std::uint64_t session) { return daemon.bus.hub.journal_of(session); }},
                 daemon.bus.log),
      capabilities_(authority_, daemon.bus.hub, [this](auto wait, auto what) { daemon.later(wait, std::move(what)); }),
      publishing_(daemon.bus.hub, daemon.clients, [this](auto wait, auto what) { daemon.later(wait, std::move(what)); }),
      figures_(daemon.bus.hub, daemon.kept, daemon.clients, [this](auto run) { boost::asio::post(context_, std::move(run)); }),
      atom_(daemon.feeds, daemon.clients, [this]() -> const mbusd::settings& { return daemon.bus.hub.configuration(); },
            [this](std::size_t octets) { return daemon.random_text(octets); }),
      mbws_(context_, daemon.bus.hub, daemon.bus.turns, daemon.bus.log),
      xmpp_(context_, {.server = {.domain = domain}, .anonymous = true}, daemon.clients, daemon.bus.turns,
            [this] { return daemon.bus.hub.now(); }, daemon.bus.log),
      services_(daemon, xmpp_.domain()),
      environment_{context_, paths_, daemon.bus.log, read_buffer, limits(how), mbusd::site_rules{site(how)}} {
    daemon.bus.hub.use_grants(authority_);
    capabilities_.add_paths(paths_);
    publishing_.add_paths(paths_);
    figures_.add_paths(paths_);
    atom_.use_passwords([this](auto name, auto password) { return daemon.clients.check(name, password); });
    atom_.add_paths(paths_);
    mbws_.use_clients(daemon.clients);
    mbws_.add_paths(paths_);
    xmpp_.add_paths(paths_);
    mbusd::add_host_meta(paths_);
    mbusd::add_page_paths(paths_);
    environment_.deadlines = std::make_unique<mbusd::deadline_queue>(context_, [](std::uint64_t) {});
    environment_.ended = [this](std::uint64_t id) {
        const auto found = connections_.find(id);
        if (found == connections_.end()) return;
        boost::asio::post(context_, [last = std::move(found->second)] {});
        connections_.erase(found);
    };
    grant();
    line->takes = how.slow ? 7 : 0;
    auto connection = std::make_shared<mbusd::http_connection>(environment_, std::make_unique<wire_stream>(line, how.encrypted), origin(how));
    connections_.emplace(connection->id(), connection);
    connection->start();
    settle();
}

http_lab::~http_lab() {
    line->stalled = false;
    const auto all = connections_;
    for (const auto& [id, each] : all) each->close();
    mbws_.close();
    xmpp_.close();
    settle();
    require(connections_.empty(), "a connection that was closed has gone");
    daemon.bus.hub.forget_grants();
    environment_.deadlines->close();
    context_.restart();
    context_.poll();
}

void http_lab::grant() {
    using mbus::mbws::key;
    daemon.player->frame(mbus::mbws::verb::grant, 0, 0, [](mbus::mbws::frame_writer& out) {
        out.set(key::request, std::uint64_t{7}).set(key::command, "door.*,light.on,mbws.data").set(key::uses, std::uint64_t{5});
    });
    const auto granted = daemon.player->take();
    const std::string url{granted.view.text(key::url)};
    token_ = url.substr(url.rfind('/') + 1);
    require(token_.size() == mbusd::grant_token_characters, "a capability URL is granted");
}

void http_lab::settle() {
    for (int rounds = 0;; ++rounds) {
        require(rounds < rounds_max, "the daemon comes to rest");
        const bool work = line->serve();
        context_.restart();
        if (context_.poll() == 0 && !work && daemon.bus.posted.empty()) return;
        daemon.turn();
    }
}

void http_lab::send(std::string_view text) {
    line->incoming += text;
    settle();
}

void http_lab::pass(std::chrono::milliseconds time) {
    daemon.pass(time);
    settle();
}

void http_lab::late() {
    const auto all = connections_;
    for (const auto& [id, each] : all) each->late();
    settle();
}

void http_lab::wind_up() {
    const auto all = connections_;
    for (const auto& [id, each] : all) each->wind_up();
    settle();
}

}  // namespace fuzz
