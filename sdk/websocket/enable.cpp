#include <memory>

#include <mbus/mbus.h>
#include <mbus/websocket.hpp>

#include "websocket_link.hpp"

namespace mbus {

bool enable_websocket() noexcept {
    detail::use_for_urls([](const connect_options& options) -> std::unique_ptr<detail::link> {
        return std::make_unique<detail::websocket_link>(options);
    });
    return true;
}

}  // namespace mbus

extern "C" void mbus_enable_websocket(void) { mbus::enable_websocket(); }
