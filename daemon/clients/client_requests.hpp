// The requests `mbusd.clients`, `mbusd.client-add` and `mbusd.client-remove` of docs/daemon-commands.md.
//
//     add_client_requests(router.requests(), clients, wall_ms);
//
// Thread-safety: one thread; the table outlives the use of the requests.
#pragma once

#include "clients/client_table.hpp"
#include "router/administration.hpp"

namespace mbusd {

void add_client_requests(administration& to, client_table& clients, client_table::clock_function wall_ms);

}  // namespace mbusd
