// The settings of mbusd as plain values, defaults included. The names are those of mbusd.toml;
// key_table.cpp holds the one table that reads, checks and documents them.
//
// Thread-safety: plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/links.hpp"
#include "config/rights.hpp"

namespace mbusd {

struct settings {
    struct bus_settings {
        std::string key_file;                 // empty: $MBUS, ~/.mbus, /etc/mbusd/mbus.conf
        std::string scope = "key-file";       // key-file, HOSTLOCAL, LINKLOCAL
        std::string families = "auto";        // auto, ipv4, ipv6, both
        std::vector<std::string> allow_interfaces{"*"};
        std::vector<std::string> deny_interfaces;
        std::string compat = "none";          // none, legacy
        bool coalesce = true;
        bool unicast = true;
        bool allow_short_keys = false;
        bool operator==(const bus_settings&) const = default;
    } bus;

    struct socket_settings {
        std::string path;                     // empty: chosen by default_socket_path()
        std::string mode = "0666";            // who is let in is decided by rights, not by the file
        std::string group;                    // empty: the daemon's own group
        bool operator==(const socket_settings&) const = default;
    } socket;

    struct limit_settings {
        std::uint64_t connections = 16384;
        std::uint64_t sessions_per_user = 4096;
        std::uint64_t entities_per_session = 1024;
        std::uint64_t entities_per_user = 8192;
        std::uint64_t watches_per_session = 64;
        std::uint64_t queue_octets = 8 * 1024 * 1024;       // docs/mbws.md, section 5
        std::uint64_t queue_messages = 65536;               // docs/mbws.md, section 5
        std::uint64_t queue_octets_per_user = 256 * 1024 * 1024;
        std::uint64_t frame_octets = 1024 * 1024;           // docs/mbws.md, field `size`
        std::uint64_t expiry_seconds = 3600;
        bool operator==(const limit_settings&) const = default;
    } limits;

    struct state_settings {
        std::string directory;                // empty: chosen by state_directory
        std::string sync = "full";            // full, normal
        bool operator==(const state_settings&) const = default;
    } state;

    struct gateway_settings {
        bool enabled = false;
        std::vector<std::string> listen{"127.0.0.1:8407"};
        std::string unix_path;
        std::string unix_mode = "0660";
        std::vector<std::string> tls_listen;
        std::string tls_certificate;
        std::string tls_key;
        std::vector<std::string> hosts;
        std::vector<std::string> origins;
        std::vector<std::string> trusted_proxies;
        std::string public_url;
        std::string prefix;
        std::uint64_t connections = 16384;
        std::uint64_t connections_per_address = 1024;
        std::uint64_t body_octets = 1024 * 1024;            // docs/mbws.md, field `size`
        std::uint64_t output_octets = 1024 * 1024;
        std::string metrics = "loopback";                   // off, loopback, token, open
        std::uint64_t idle_seconds = 75;                    // longer than a browser's 60
        bool operator==(const gateway_settings&) const = default;
    } gateway;

    struct queue_settings {
        std::uint64_t count = 1024;
        std::uint64_t messages = 100'000;
        std::uint64_t octets = 256 * 1024 * 1024;
        std::uint64_t age_seconds = 0;                      // 0: for ever
        bool operator==(const queue_settings&) const = default;
    } queues;

    struct capability_settings {
        std::uint64_t rate_per_second = 50;
        std::uint64_t body_octets = 64 * 1024;              // what a datagram holds
        std::uint64_t expiry_seconds_max = 0;               // 0: as long as its session
        std::uint64_t per_session = 64;
        std::uint64_t wait_seconds_max = 60;
        std::uint64_t waiting = 1024;
        bool operator==(const capability_settings&) const = default;
    } capability;

    struct pubsub_settings {
        std::string run = "gateway";                        // gateway, always, never
        std::uint64_t nodes = 10000;
        std::uint64_t nodes_per_account = 1000;
        std::uint64_t subscriptions_per_account = 1000;
        std::uint64_t subscriptions_per_node = 100'000;
        std::uint64_t payload_octets = 256 * 1024;          // as a stanza (RFC 6120, section 13.12)
        std::uint64_t octets = 256 * 1024 * 1024;
        bool operator==(const pubsub_settings&) const = default;
    } pubsub;

    struct atom_settings {
        bool enabled = true;
        bool anonymous_read = true;
        bool auto_create = false;
        std::uint64_t page_entries = 20;
        bool operator==(const atom_settings&) const = default;
    } atom;

    struct xmpp_settings {
        bool enabled = false;
        std::string domain;                                 // empty: xmpp_domain()
        bool anonymous = false;
        std::uint64_t sessions = 10000;
        std::uint64_t sessions_per_account = 100;
        std::uint64_t stanza_octets = 256 * 1024;           // RFC 6120, section 13.12: at least 10000
        std::uint64_t resume_seconds = 300;
        bool operator==(const xmpp_settings&) const = default;
    } xmpp;

    struct log_settings {
        std::string level = "info";
        bool operator==(const log_settings&) const = default;
    } log;

    rights_table rights = rights_table::standard();
    std::vector<link_rule> links;

    bool operator==(const settings&) const = default;
};

// Where the socket is when the configuration does not say: /run/mbusd/mbusd.sock for root and for
// a service started by systemd, else $XDG_RUNTIME_DIR/mbusd/mbusd.sock.
std::string default_socket_path();

// The domain of XMPP and of publish-subscribe, in lower case: xmpp.domain, else the name of this host.
std::string xmpp_domain(const settings& values);

}  // namespace mbusd
