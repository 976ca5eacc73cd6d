// One connection at a host of the in-process bus: octets from the pipe through the broker's side of
// the client protocol and back.
// Thread-safety: none.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <utility>

#include "host.hpp"

namespace mbus::testing::detail {

class host::client final : private mbws::stream_port {
public:
    client(host& owner, std::uint64_t id, mbws::time_point now)
        : connection_(*this, owner, {.id = id, .local = true, .addresses = mbws::addresses_of_client}, now) {
        reader_.remember(mbws::addresses_of_client);
    }

    [[nodiscard]] std::shared_ptr<pipe> way() const noexcept { return pipe_; }
    [[nodiscard]] bool over() const noexcept { return over_; }
    [[nodiscard]] mbws::time_point next_deadline() const noexcept { return connection_.next_deadline(); }

    bool read(mbws::time_point now) {
        if (over_) return false;
        if (connection_.next_deadline() <= now) connection_.advance(now);
        const auto input = std::exchange(pipe_->to_daemon, {});
        reader_.feed(input);
        mbws::frame_view frame;
        while (connection_.wants_input() && !connection_.closing() &&
               reader_.next(frame) == mbws::frame_reader::status::frame) {
            if (connection_.handle(now, frame) == mbws::verdict::closing) break;
        }
        if (reader_.failed()) connection_.fault(now, reader_.failure());
        else reader_.keep();
        if (pipe_->client_closed) cut(now);
        return !input.empty();
    }

    bool write(mbws::time_point now) {
        if (over_) return false;
        connection_.fill(now);
        bool any = false;
        std::array<mbws::octet_span, 64> spans;
        while (const auto count = gather(spans)) {
            std::size_t octets = 0;
            for (std::size_t i = 0; i < count; ++i) {
                pipe_->to_client.append(spans[i].data, spans[i].size);
                octets += spans[i].size;
            }
            consumed(octets);
            any = true;
        }
        if (finished()) cut(now);
        return any;
    }

    // The socket is gone.
    void cut(mbws::time_point now) {
        if (std::exchange(over_, true)) return;
        pipe_->daemon_closed = true;
        connection_.lost(now);
    }

private:
    void wake() override {}
    void read_again() override {}

    std::shared_ptr<pipe> pipe_ = std::make_shared<pipe>();
    mbws::frame_reader reader_;
    mbws::broker_connection connection_;
    bool over_ = false;
};

}  // namespace mbus::testing::detail
