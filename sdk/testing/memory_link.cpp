#include "memory_link.hpp"

#include <algorithm>
#include <cstring>

#include "host.hpp"
#include "world.hpp"

namespace mbus::testing::detail {

using mbus::detail::io_outcome;

memory_link::memory_link(std::shared_ptr<world> owner, host& at) : world_(std::move(owner)), host_(at) {
    world_->add(*this);
}

memory_link::~memory_link() {
    close();
    world_->remove(*this);
}

clock::time_point memory_link::now() { return world_->now(); }
std::uint64_t memory_link::random() { return world_->random(); }

result<void> memory_link::open() {
    close();
    pipe_ = host_.accept();
    if (pipe_) return {};
    return {errc::no_daemon, "no daemon on the host '" + host_.name() + "'; start it with: bus.start_daemon()"};
}

void memory_link::close() noexcept {
    if (pipe_) pipe_->client_closed = true;
    pipe_.reset();
}

void memory_link::give_up() noexcept {
    if (pipe_) pipe_->daemon_closed = true;
}

bool memory_link::has_input() const noexcept {
    return pipe_ && (!pipe_->to_client.empty() || pipe_->daemon_closed);
}

io_outcome memory_link::read(std::span<char> into) {
    if (!pipe_) return {};
    auto& from = pipe_->to_client;
    if (from.empty()) return {0, pipe_->daemon_closed};
    const auto octets = std::min(from.size(), into.size());
    std::memcpy(into.data(), from.data(), octets);
    from.erase(0, octets);
    return {octets, false};
}

io_outcome memory_link::write(std::string_view frames) {
    if (!pipe_) return {};
    if (pipe_->daemon_closed) return {0, true};
    pipe_->to_daemon.append(frames);
    return {frames.size(), false};
}

void memory_link::wait(clock::time_point until) { world_->wait(*this, until); }

}  // namespace mbus::testing::detail
