// One message through each part of the hot path, for google-benchmark (parts_bench.cpp) and for callgrind
// (instructions.cpp). Every work does the same each time it is called.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mbws/frame.hpp"
#include "protocol/envelope.hpp"
#include "protocol/node.hpp"
#include "router/route_cache.hpp"

namespace bench {

// A message of 200 octets with five arguments: read, and written again.
class codec_work {
public:
    void once();
    void scan();  // what the daemon does on the local path: its commands are checked, nothing is built
};

// The same message with its MAC and back, HMAC-SHA1-96 without encryption.
class envelope_work {
public:
    envelope_work();
    void seal();
    void open();

private:
    mbus::protocol::envelope envelope_;
    std::string datagram_;
    std::string scratch_;
    std::string sealed_;
};

// A frame of the native binding: message with to, from and a body of 64 octets.
class frame_work {
public:
    frame_work();
    void encode();
    void decode();

private:
    std::string body_;
    std::string out_;
    std::string frame_;
};

// Who hears nothing of what a node tells.
struct silent_events final : mbus::protocol::node_events {
    bool deliver(mbus::protocol::entity_handle,
                 const std::shared_ptr<const mbus::protocol::inbound>&) override {
        return true;
    }
    void observed(const std::shared_ptr<const mbus::protocol::inbound>&) override {}
    void sent(const mbus::protocol::send_report&) override {}
    void peer_changed(const mbus::protocol::peer_view&, mbus::protocol::peer_state) override {}
};

// A destination among many, in a node with 100 entities.
class route_work {
public:
    route_work();
    void once();

private:
    silent_events events_;
    mbus::protocol::node node_;
    mbusd::route_cache routes_;
    std::vector<std::string> destinations_;
    std::size_t next_ = 0;
};

}  // namespace bench
