#include <mbus/testing.hpp>

#include <utility>

#include "host.hpp"
#include "memory_link.hpp"
#include "world.hpp"

namespace mbus::testing {

bus::bus(std::uint64_t seed) : world_(std::make_shared<detail::world>(seed)) {}
bus::bus(bus&&) noexcept = default;

bus& bus::operator=(bus&& other) noexcept {
    std::swap(world_, other.world_);
    return *this;
}

bus::~bus() {
    if (world_) world_->shut_down();
}

connection bus::connect(std::string_view host, const connect_options& options) {
    auto way = std::make_unique<detail::memory_link>(world_, world_->find_host(host));
    auto& link = *way;  // lives as long as the connection
    auto whole = options;
    if (whole.name.empty()) whole.name = "test";
    auto made = mbus::detail::connect_over(std::move(way), whole, link.driver);
    (void)made.ready().wait();  // a daemon that was killed is waited for in vain: the state says so
    return made;
}

void bus::advance(std::chrono::milliseconds time) { world_->advance(time); }
void bus::settle() { world_->settle(); }
clock::time_point bus::now() const noexcept { return world_->now(); }

void bus::set_loss(double probability) { world_->loss = probability; }
void bus::set_duplication(double probability) { world_->duplication = probability; }
void bus::set_delay(std::chrono::microseconds delay, std::chrono::microseconds spread) {
    world_->delay = delay;
    world_->spread = spread;
}
void bus::set_plugged(std::string_view host, bool plugged) { world_->find_host(host).plugged = plugged; }
const wire_counters& bus::wire() const noexcept { return world_->counters; }

void bus::break_connections(std::string_view host) { world_->find_host(host).break_connections(); }
void bus::kill_daemon(std::string_view host) { world_->find_host(host).kill(); }
void bus::start_daemon(std::string_view host) { world_->find_host(host).start(); }

}  // namespace mbus::testing
