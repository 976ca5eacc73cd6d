#include "protocol/entity.hpp"

#include <algorithm>
#include <string>

#include "protocol/entity_id.hpp"
#include "protocol/limits.hpp"

namespace mbus::protocol {

local_entity::local_entity(timer_queue& timers, entity_handle which, mbus::address full, sequence first,
                           hello_schedule schedule)
    : handle(which),
      address(std::move(full)),
      numbers(first),
      hello(schedule),
      hello_timer(timers, timer::kind::hello, this) {
    hello_timer.set(hello.deadline());
}

ack_partner* local_entity::partner(std::string_view peer) noexcept {
    if (partners_.empty()) return nullptr;
    const auto found = partners_.find(peer);
    return found == partners_.end() ? nullptr : found->second.get();
}

ack_partner& local_entity::partner_for(timer_queue& timers, time_point now, const mbus::address& peer) {
    if (auto* const known = partner(peer.text())) return *known;
    forget_idle_partners(now);
    auto added = std::make_unique<ack_partner>(timers, *this, peer);
    auto& out = *added;
    partners_.emplace(out.peer.text(), std::move(added));
    return out;
}

void local_entity::forget_idle_partners(time_point now) {
    if (partners_.size() < tidy_at_) return;
    std::erase_if(partners_, [now](const auto& entry) { return entry.second->acks.idle(now); });
    tidy_at_ = std::max<std::size_t>(16, partners_.size() * 2);
}

entity_table::entity_table(std::uint32_t first_number) noexcept
    : next_number_(first_number % entity_number_max + 1) {}

result<address> entity_table::complete(const address& own, std::uint32_t process_id,
                                       std::string_view host_id) {
    if (const auto id = own.find("id")) {
        if (!is_entity_id(*id))
            return {errc::bad_address, "expected an id element like id:4711-1@" + std::string{host_id} +
                                           ", found id:" + std::string{*id} + "; leave it out to get one"};
        if (by_id_.contains(*id))
            return {errc::conflict, "an entity with id:" + std::string{*id} + " is attached already"};
        return own;
    }
    for (std::uint32_t tried = 0; tried < entity_number_max; ++tried) {
        const auto id = make_entity_id(process_id, next_number_, host_id);
        next_number_ = next_number_ % entity_number_max + 1;
        if (!by_id_.contains(id)) return own.with("id", id);
    }
    return {errc::limit, "all 99999 entity numbers are in use"};
}

local_entity& entity_table::add(timer_queue& timers, const address& full, sequence first,
                                hello_schedule hello) {
    const auto number = next_handle_++;
    auto added = std::make_unique<local_entity>(timers, entity_handle{number}, full, first, hello);
    auto& out = *added;
    by_address_.emplace(out.address.text(), &out);
    by_id_.emplace(*out.address.find("id"), &out);
    entities_.emplace(number, std::move(added));
    return out;
}

void entity_table::remove(local_entity& which) {
    by_id_.erase(by_id_.find(*which.address.find("id")));
    by_address_.erase(by_address_.find(which.address.text()));
    entities_.erase(static_cast<std::uint32_t>(which.handle));
}

local_entity* entity_table::find(entity_handle which) const noexcept {
    const auto found = entities_.find(static_cast<std::uint32_t>(which));
    return found == entities_.end() ? nullptr : found->second.get();
}

local_entity* entity_table::find(std::string_view address) const noexcept {
    const auto found = by_address_.find(address);
    return found == by_address_.end() ? nullptr : found->second;
}

bool entity_table::has_match(const address& target) const noexcept {
    const auto id = target.find("id");
    const auto found = id ? by_id_.find(*id) : by_id_.end();
    return found != by_id_.end() && found->second->address.answers_to(target);
}

void entity_table::matching(const address& target, std::vector<local_entity*>& out) const {
    out.clear();
    if (const auto id = target.find("id")) {
        const auto found = by_id_.find(*id);
        if (found != by_id_.end() && found->second->address.answers_to(target)) out.push_back(found->second);
        return;
    }
    for (const auto& [handle, each] : entities_)
        if (each->address.answers_to(target)) out.push_back(each.get());
    std::ranges::sort(out, {}, [](const local_entity* each) { return each->handle; });
}

}  // namespace mbus::protocol
