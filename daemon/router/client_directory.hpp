// Who a token stands for. Implemented beside the store, asked by gateways (Authorization: Bearer)
// and by the router (field `auth` of `connect`).
#pragma once

#include <memory>
#include <string_view>

#include "router/peer_identity.hpp"

namespace mbusd {

class client_directory {
public:
    // Null when no client has this token (any more). `token` is a secret.
    virtual std::shared_ptr<const peer_identity> find_client(std::string_view token) = 0;
    // Whoever had a token of this name when its session was stored; null when it was withdrawn since.
    [[nodiscard]] virtual std::shared_ptr<const peer_identity> find_named(std::string_view name) = 0;
    // True when the token that `who` has shown earlier was withdrawn or has expired since.
    [[nodiscard]] virtual bool withdrawn(const peer_identity&) const { return false; }

protected:
    ~client_directory() = default;
};

}  // namespace mbusd
