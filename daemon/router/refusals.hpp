// What a route report says when a message was refused: delivered nowhere. For the router's own files.
// Thread-safety: pure functions.
#pragma once

#include <string>
#include <utility>

#include "mbws/session_host.hpp"

namespace mbusd {

inline mbus::mbws::route_status refuse(mbus::mbws::route_report& report, mbus::errc code, std::string text) {
    report.failed = true;
    report.code = code;
    report.text = std::move(text);
    return mbus::mbws::route_status::refused;
}

}  // namespace mbusd
