// /.well-known/host-meta and host-meta.json: where XMPP clients find the WebSocket (XEP-0156, RFC 6415).
// Pages from anywhere may read them.
#pragma once

#include "http/path_table.hpp"

namespace mbusd {

// Where the XMPP gateway is.
inline constexpr std::string_view xmpp_path = "/xmpp";

void add_host_meta(path_table& paths);

}  // namespace mbusd
