// Who takes the links that other daemons call; implemented by link_table, asked by the router.
#pragma once

#include <memory>

#include <mbus/result.hpp>

#include "mbws/session_host.hpp"
#include "router/peer_identity.hpp"

namespace mbusd {

class link_acceptor {
public:
    // `who` holds the right to use the bus; the right `link` is still to be checked.
    virtual mbus::result<mbus::mbws::link_session*> accept(mbus::mbws::time_point now,
                                                           const mbus::mbws::connect_request& request,
                                                           std::shared_ptr<const peer_identity> who,
                                                           mbus::mbws::link_carrier& carrier,
                                                           mbus::mbws::connection_port& port) = 0;

protected:
    ~link_acceptor() = default;
};

}  // namespace mbusd
