// A daemon without sockets and files, made anew for each input: the router on an engine in memory, accounts,
// feeds, and a client on the bus, (app:player media:audio).
//
//     daemon_lab lab{"[atom]\nanonymous_read = false\n"};
//     gateway.add_paths(paths);  ...  lab.turn();  lab.pass(10s);
//     lab.play();                       // the player answers what it was asked
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "feeds/feed_entity.hpp"
#include "feeds/feed_home.hpp"
#include "fuzz.hpp"
#include "gateways/xmpp/bus_service.hpp"
#include "gateways/xmpp/pubsub_service.hpp"
#include "gateways/xmpp/server.hpp"
#include "router/client_directory.hpp"
#include "router_lab.hpp"
#include "sasl/sasl_exchange.hpp"
#include "store/store.hpp"
#include "support/fake_exchange.hpp"

namespace fuzz {

using namespace std::chrono_literals;

inline constexpr const char* domain = "bus.example";

// ann, who may do everything, and bob, who may not. Their tokens are their names, their password is "secret".
class people final : public mbusd::client_directory, public mbusd::sasl_accounts {
public:
    people();
    std::shared_ptr<const mbusd::peer_identity> find_client(std::string_view token) override;
    std::shared_ptr<const mbusd::peer_identity> find_named(std::string_view name) override { return find_client(name); }
    std::shared_ptr<const mbusd::peer_identity> check(std::string_view name, std::string_view password);
    [[nodiscard]] mbusd::scram_keys keys_of(std::string_view user, mbusd::scram_hash hash) override;
    [[nodiscard]] bool is_own_name(std::string_view authzid, std::string_view user) const override;

private:
    std::shared_ptr<const mbusd::peer_identity> ann_;
    std::shared_ptr<const mbusd::peer_identity> bob_;
};

class daemon_lab {
public:
    explicit daemon_lab(std::string_view toml);
    ~daemon_lab();
    daemon_lab(const daemon_lab&) = delete;
    daemon_lab& operator=(const daemon_lab&) = delete;

    void turn() { bus.turn(); }
    void pass(std::chrono::milliseconds time);
    // The player takes what came and answers requests.
    void play();
    // The player says something to an entity.
    void play(std::string_view to, std::string_view commands);
    // So many octets that look random, the same for each input.
    std::string random_text(std::size_t octets);

    router_test::router_lab bus;
    people clients;
    http_test::later_calls later;
    mbusd::store kept;
    mbusd::feed_home feeds;
    mbusd::feed_entity feeds_on_the_bus;
    router_test::test_client* player;

private:
    unsigned drawn_ = 0;
};

// The services of the XMPP domain.
class domain_services {
public:
    domain_services(daemon_lab& lab, mbusd::xmpp::server& at);
    ~domain_services() { lab_.feeds.forget(pubsub); }
    domain_services(const domain_services&) = delete;
    domain_services& operator=(const domain_services&) = delete;

private:
    daemon_lab& lab_;

public:
    mbusd::xmpp::bus_service bus;
    mbusd::xmpp::pubsub_service pubsub;
};

}  // namespace fuzz
