// What is decided about a request when its headers are complete, before its body is read: Host,
// path, Origin, method, CORS.
//
//     auto in = admit(paths, site, from, reader.take_head());
//     if (in.endpoint == nullptr) answer(in.answer); else read_body_for(*in.endpoint);
//
// Thread-safety: a pure function, but for the look at this machine's addresses.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "http/path_table.hpp"
#include "http/request_reader.hpp"
#include "http/site_rules.hpp"

namespace mbusd {

struct admission {
    http_request request;
    std::optional<client_address> client;           // whom failed credentials count for; none: Unix socket
    const path_table::endpoint* endpoint = nullptr;  // null: `answer` is what remains to be said
    http_response answer;
    std::vector<header_field> extra;                // CORS headers of the answer
    unsigned version = 11;
    bool keep_alive = true;
    bool head_only = false;                         // HEAD: no body in the answer
    bool has_body = false;
    bool expects_continue = false;
    bool refused = false;                           // by Host or Origin, for the log
};

[[nodiscard]] admission admit(const path_table& paths, const site_rules& site, const connection_origin& from,
                              request_reader::head_view head);

}  // namespace mbusd
