// HTTP/1.1 on any number of sockets: TCP, TLS, Unix.
//
//     http_listener web{context, paths, {.site = {.hosts = {"bus.example.org"}}}, log};
//     web.add(listen_tcp("127.0.0.1:8407", false, "gateway.listen"));
//     web.start();
//     ...
//     web.stop_accepting();     // shutdown: answers under way are finished, streams end
//     web.close();              // gives up what is left
//
// `paths` is filled by the parts that answer. Everything passed in outlives the listener. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "http/certificate.hpp"
#include "http/http_connection.hpp"
#include "http/http_environment.hpp"
#include "http/listen_socket.hpp"
#include "http/path_table.hpp"
#include "http/site_rules.hpp"

namespace mbusd {

struct http_options {
    http_limits limits{};
    site_options site{};
};

class http_listener {
public:
    http_listener(boost::asio::io_context& context, const path_table& paths, const http_options& options, logger& log);
    ~http_listener();
    http_listener(const http_listener&) = delete;
    http_listener& operator=(const http_listener&) = delete;

    // Before a TLS socket is added. It outlives the listener.
    void use_certificate(certificate& mine) noexcept { certificate_ = &mine; }
    void add(listening_socket socket);
    void start();
    void stop_accepting();
    void close();

    // New limits hold for later requests and connections.
    void apply(const http_options& options);

    // Connections that live, those that have left HTTP (WebSocket) included.
    [[nodiscard]] std::size_t connections() const noexcept { return environment_.census.total(); }
    [[nodiscard]] const http_counters& counters() const noexcept { return environment_.counters; }

private:
    struct door {
        door(boost::asio::io_context& context, listening_socket from)
            : socket(context, from.fd.release()), retry(context), encrypted(from.encrypted), name(std::move(from.name)) {}
        boost::asio::posix::stream_descriptor socket;
        boost::asio::steady_timer retry;
        bool encrypted;
        std::string name;
    };

    void wait_for_client(door& at);
    void accept_some(door& at);
    bool accept_one(door& at);
    void serve(unique_fd client, const connection_origin& from);
    void refuse(unique_fd client, const connection_origin& from, connection_census::verdict why);

    boost::asio::io_context& context_;
    std::unique_ptr<char[]> read_buffer_;
    http_environment environment_;
    certificate* certificate_ = nullptr;
    std::vector<std::unique_ptr<door>> doors_;
    std::unordered_map<std::uint64_t, std::shared_ptr<http_connection>> connections_;
    bool accepting_ = false;
};

}  // namespace mbusd
