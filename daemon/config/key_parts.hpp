// The key table's parts that stand in files of their own. For key_table.cpp.
#pragma once

#include <vector>

#include "config/key_table.hpp"

namespace mbusd {

std::vector<key_info> capability_keys();
std::vector<key_info> gateway_keys();
std::vector<key_info> feed_keys();  // [pubsub] and [atom]
std::vector<key_info> queue_keys();
std::vector<key_info> xmpp_keys();

}  // namespace mbusd
