#include "gateways.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <charconv>
#include <utility>

#include "clients/account_table.hpp"
#include "gateways/atom/atom_gateway.hpp"
#include "gateways/atom/host_meta.hpp"
#include "gateways/metrics/metric_page.hpp"
#include "gateways/page/page_paths.hpp"
#include "http/listen_socket.hpp"
#include "http/tls.hpp"
#include "local/socket_file.hpp"
#include "xmpp_parts.hpp"

namespace mbusd {
namespace {

http_options options_of(const settings& values) {
    const auto& from = values.gateway;
    http_options out;
    out.limits = {.connections = from.connections,
                  .connections_per_address = from.connections_per_address,
                  .body_octets = from.body_octets,
                  .output_octets = from.output_octets,
                  .idle = std::chrono::seconds{from.idle_seconds}};
    out.site = {.hosts = from.hosts,
                .origins = from.origins,
                .trusted_proxies = from.trusted_proxies,
                .public_url = from.public_url,
                .prefix = from.prefix};
    return out;
}

unsigned unix_mode(const settings& values) {
    unsigned bits = 0;
    const auto& text = values.gateway.unix_mode;  // the key table has checked it
    std::from_chars(text.data(), text.data() + text.size(), bits, 8);
    return bits;
}

std::string random_octets(std::size_t count) {
    std::string out;
    while (out.size() < count) {
        const auto part = random_seed();
        out.append(reinterpret_cast<const char*>(&part), sizeof part);
    }
    out.resize(count);
    return out;
}

void add_atom_metrics(metric_page& page, const atom_counters& c) {
    page.counter("mbusd_atom_requests_total", "Requests for feeds over HTTP, by result.", c.read, {{"result", "read"}});
    page.counter("mbusd_atom_requests_total", {}, c.unchanged, {{"result", "unchanged"}});
    page.counter("mbusd_atom_requests_total", {}, c.written, {{"result", "written"}});
    page.counter("mbusd_atom_requests_total", {}, c.refused, {{"result", "refused"}});
}

std::string joined(const std::vector<std::string>& names) {
    std::string out;
    for (const auto& each : names) out += (out.empty() ? "" : " ") + each;
    return out;
}

}  // namespace

bool belongs_to_gateway(const inherited_socket& socket) {
    if (socket.name.starts_with("gateway")) return true;
    sockaddr_storage bound{};
    socklen_t octets = sizeof bound;
    return ::getsockname(socket.fd.get(), reinterpret_cast<sockaddr*>(&bound), &octets) == 0 &&
           (bound.ss_family == AF_INET || bound.ss_family == AF_INET6);
}

std::vector<std::string> check_gateway(const settings& values) {
    if (!values.gateway.enabled) return {};
    const site_rules site{options_of(values).site};
    if (values.gateway.tls_listen.empty()) return {};
    return tls_context::server(values.gateway.tls_certificate, values.gateway.tls_key).warnings();
}

gateways::gateways(boost::asio::io_context& context, const settings& values, std::vector<inherited_socket> inherited,
                   router& hub, turn_queue& turns, logger& log)
    : context_(context), hub_(hub), turns_(turns), log_(log) {
    if (values.gateway.enabled) {
        open(values, std::move(inherited));
        add_paths();
    } else if (!inherited.empty()) {
        log_.warning("a socket for the gateway was handed over, but the gateway is off; set gateway.enabled = true");
    }
}

gateways::~gateways() { close(); }

void gateways::open(const settings& values, std::vector<inherited_socket> inherited) {
    const auto& from = values.gateway;
    web_ = std::make_unique<http_listener>(context_, paths_, options_of(values), log_);
    const auto add = [&](listening_socket socket) {
        names_.push_back(socket.name);
        const bool tcp = socket.name.find_first_of("0123456789") != std::string::npos && !socket.name.starts_with("unix:");
        if (tcp && (reached_at_.empty() || (socket.encrypted && reached_at_.starts_with("http:")))) {
            reached_at_ = (socket.encrypted ? "https://" : "http://") + socket.name;
        }
        if (socket.encrypted && !certificate_) {
            certificate_ = std::make_unique<certificate>(context_, from.tls_certificate, from.tls_key, log_);
            web_->use_certificate(*certificate_);
        }
        web_->add(std::move(socket));
    };
    for (auto& each : inherited) {
        ::fcntl(each.fd.get(), F_SETFL, O_NONBLOCK);
        add({std::move(each.fd), each.name == "gateway-tls", "from the service manager"});
    }
    // What the service manager has opened goes before the same in the configuration.
    if (inherited.empty()) {
        for (const auto& each : from.listen) add(listen_tcp(each, false, "gateway.listen"));
        for (const auto& each : from.tls_listen) add(listen_tcp(each, true, "gateway.tls_listen"));
    }
    if (from.unix_path.empty()) return;
    listening_socket local{listen_on({.path = from.unix_path, .mode = unix_mode(values), .setting = "gateway.unix"}), false,
                           "unix:" + from.unix_path};
    unix_path_ = from.unix_path;
    unix_number_ = local.fd.get();
    add(std::move(local));
}

// Who answers where.
void gateways::add_paths() {
    mbws_ = std::make_unique<mbws_gateway>(context_, hub_, turns_, log_);
    mbws_->add_paths(paths_);
    add_page_paths(paths_);
}

void gateways::use_clients(client_directory& clients, store& kept) {
    if (!web_) return;
    clients_ = &clients;
    mbws_->use_clients(clients);
    parts_ = std::make_unique<http_parts>(context_, hub_, clients, kept, log_, [this] { return base_url(); });
    parts_->add_paths(paths_, *web_);
}

void gateways::use_accounts(account_table& accounts, feed_home* feeds) {
    if (!web_) return;
    if (feeds != nullptr && hub_.configuration().atom.enabled) {
        atom_ = std::make_unique<atom_gateway>(*feeds, *clients_, [this]() -> const settings& { return hub_.configuration(); }, random_octets);
        atom_->use_passwords([&accounts](std::string_view name, std::string_view password) { return accounts.check(name, password); });
        atom_->add_paths(paths_);
        parts_->add_figures([this](metric_page& page) { add_atom_metrics(page, atom_->counters()); });
    }
    if (!hub_.configuration().xmpp.enabled) return;
    add_host_meta(paths_);
    xmpp_ = std::make_unique<xmpp_parts>(context_, hub_, accounts, feeds, turns_, log_);
    xmpp_->add_paths(paths_);
    parts_->add_figures([this](metric_page& page) { xmpp_->add_metrics(page); });
    hub_.requests().add_status([this](mbus::value::list& into) { xmpp_->add_status(into); });
    hub_.requests().add_counters([this](mbus::value::list& into) { xmpp_->add_counters(into); });
}

void gateways::restored(store& kept) {
    if (parts_) parts_->restored(kept);
}

void gateways::add_figures(std::function<void(metric_page&)> source) {
    if (parts_) parts_->add_figures(std::move(source));
}

void gateways::use_links(const link_table& links) {
    if (parts_) parts_->use_links(links);
}

void gateways::end_streams_of(std::string_view identity) {
    if (parts_) parts_->end_streams_of(identity);
    if (xmpp_) xmpp_->end_sessions_of(identity);
}

std::string gateways::base_url() const {
    const auto& from = hub_.configuration().gateway;
    auto out = from.public_url;
    if (out.empty()) {
        out = reached_at_.empty() && !from.listen.empty() ? "http://" + from.listen.front() : reached_at_;
        // A socket for all addresses: others know this host by the one that the bus uses.
        for (const std::string_view any : {"//0.0.0.0:", "//[::]:"}) {
            const auto at = out.find(any);
            if (at == std::string::npos) continue;
            const auto host = hub_.facts().status().host_id;
            const bool v6 = host.find(':') != std::string::npos;
            out.replace(at + 2, any.size() - 3, v6 ? "[" + host + "]" : host);
        }
        out += from.prefix;
    }
    while (out.ends_with('/')) out.pop_back();
    return out;
}

void gateways::start() {
    if (!web_) return;
    web_->start();
    if (parts_) parts_->start();
    log_.info("gateway ready", {{"sockets", joined(names_)}});
}

void gateways::reload(const settings& values) {
    if (!web_) return;
    web_->apply(options_of(values));
    if (parts_) parts_->configuration_changed();
    if (certificate_) certificate_->reload(values.gateway.tls_certificate, values.gateway.tls_key);
}

void gateways::stop_accepting() {
    if (!web_) return;
    remove_socket();
    if (parts_) parts_->stopping();
    web_->stop_accepting();
    mbws_->stop_accepting();
    if (xmpp_) xmpp_->stop_accepting();
}

void gateways::close() {
    if (!web_) return;
    remove_socket();
    web_->close();
    mbws_->close();
    if (xmpp_) xmpp_->close();
    if (certificate_) certificate_->close();
}

void gateways::remove_socket() noexcept {
    if (!unix_path_.empty()) remove_socket_file(std::exchange(unix_path_, {}), unix_number_);
}

}  // namespace mbusd
