// The parts of the gateway that are plain HTTP: capability URLs, /send and /events, /metrics and
// /healthz. Put together for gateways.cpp.
//
//     http_parts parts{context, hub, clients, kept, log, base_url};
//     parts.add_paths(paths);
//     parts.restored(kept);                                           // durable sessions are back
//     parts.start();
//     parts.stopping();                                               // sessions end now, stored grants stay
//
// One thread. Everything passed in outlives the object.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>

#include "http/http_listener.hpp"
#include "http/path_table.hpp"
#include "router/router.hpp"
#include "runtime/log.hpp"

namespace mbusd {

class metric_page;
class link_table;
class store;

class http_parts {
public:
    // `base_url`: where others reach this daemon, without a '/' at its end.
    http_parts(boost::asio::io_context& context, router& hub, client_directory& clients, store& kept, logger& log,
               std::function<std::string()> base_url);
    ~http_parts();
    http_parts(const http_parts&) = delete;
    http_parts& operator=(const http_parts&) = delete;

    void add_paths(path_table& paths, const http_listener& web);
    // After the router has its store, before the store starts.
    void restored(store& kept);
    // Other parts of /metrics.
    void add_figures(std::function<void(metric_page&)> source);
    // For their figures.
    void use_links(const link_table& links);
    void start();
    void configuration_changed();
    // The token of this client was withdrawn.
    void end_streams_of(std::string_view identity);
    void stopping();

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace mbusd
