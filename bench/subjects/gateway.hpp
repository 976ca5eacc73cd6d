// One subscriber over WebSocket, with the clients that applications use.
#pragma once

#include <memory>

#include "harness/subject.hpp"

namespace bench {

std::unique_ptr<subject> make_gateway_to_cpp(const subject_plan& plan);   // libmbus-websocket
std::unique_ptr<subject> make_gateway_to_node(const subject_plan& plan);  // @mbus/client

}  // namespace bench
