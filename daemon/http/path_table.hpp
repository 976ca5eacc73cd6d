// Which handler answers which path.
//
//     path_table paths;
//     paths.add("/send", {.methods = {"POST"}, .body_octets_max = 65536}, handle_send);
//     paths.add("/cap/", {.methods = {"GET", "POST"}, .body_octets_max = 65536}, handle_capability);  // and all below
//
// The longest entry that fits wins. Filled before the listener starts; thread-safety: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/exchange.hpp"

namespace mbusd {

// Who may call a path from another web page, besides pages of this host and gateway.origins.
enum class foreign_pages : std::uint8_t {
    refused,  // 403 that names gateway.origins
    allowed   // any page: for paths that are their own credential, such as capability URLs
};

struct endpoint_rules {
    std::vector<std::string> methods{"GET"};  // GET brings HEAD; OPTIONS is answered by the listener
    std::size_t body_octets_max = 0;          // larger bodies are refused with 413 before they are read
    foreign_pages pages = foreign_pages::refused;
};

using http_handler = std::function<void(std::shared_ptr<exchange>)>;

class path_table {
public:
    struct endpoint {
        std::string path;  // ends in '/': a prefix; "/" alone is exactly "/"
        endpoint_rules rules;
        http_handler handle;
    };

    // The reference stays valid: limits may be changed later, at a reload. A path is added once.
    endpoint_rules& add(std::string_view path, endpoint_rules rules, http_handler handle);
    // Nothing: 404.
    [[nodiscard]] const endpoint* find(std::string_view path) const noexcept;

private:
    std::vector<std::unique_ptr<endpoint>> endpoints_;
};

}  // namespace mbusd
