#include "mbws/outbox.hpp"

#include <array>
#include <utility>

namespace mbus::mbws {
namespace {

constexpr std::array<std::string_view, session_drops> drop_names{
    "oldest", "newest", "superseded", "disconnect", "expired", "too-large", "ended", "limit"};

constexpr std::size_t superseded_slack = 64;  // marks beyond twice the entries before stale ones are sought

std::uint64_t mix(std::uint64_t topic, std::uint32_t slot) noexcept {
    return topic ^ (std::uint64_t{slot} + 1) * 0x9E3779B97F4A7C15;
}

}  // namespace

std::string_view to_string(session_drop reason) noexcept {
    return drop_names[static_cast<std::size_t>(reason)];
}

std::uint64_t outbox::topic_of(const outbox_entry& entry) noexcept {
    return mix(entry.content->topic(), entry.slot);
}

std::uint32_t outbox::free_node() {
    if (free_ != none) return std::exchange(free_, nodes_[free_].next);
    nodes_.emplace_back();
    return static_cast<std::uint32_t>(nodes_.size() - 1);
}

std::uint32_t outbox::push(outbox_entry entry) {
    const std::uint32_t index = free_node();
    node& fresh = nodes_[index];
    fresh.entry = std::move(entry);
    fresh.serial = static_cast<std::uint32_t>(++serial_);
    if (fresh.serial == 0) fresh.serial = static_cast<std::uint32_t>(++serial_);  // 0 is a free one
    fresh.previous = tail_;
    fresh.next = none;
    fresh.in_flight = false;
    (tail_ == none ? head_ : nodes_[tail_].next) = index;
    tail_ = index;
    count_ += fresh.entry.messages();
    octets_ += fresh.entry.octets;
    if (unsent_ == none) unsent_ = index;
    if (droppable_ == none && may_drop(index)) droppable_ = index;
    if (fresh.entry.expires < soonest_expiry_) soonest_expiry_ = fresh.entry.expires;
    if (fresh.entry.latest && fresh.entry.droppable) {
        if (latest_ == nullptr) latest_ = std::make_unique<latest>();
        const auto [place, first] = latest_->newest.try_emplace(topic_of(fresh.entry), index);
        if (!first) {
            latest_->superseded.push_back(mark{place->second, nodes_[place->second].serial});
            place->second = index;
            if (latest_->superseded.size() > 2 * count_ + superseded_slack) forget_stale_marks();
        }
    }
    return index;
}

void outbox::remove(std::uint32_t index) noexcept {
    node& gone = nodes_[index];
    const std::uint32_t next = gone.next;
    const std::size_t messages = gone.entry.messages();
    if (gone.in_flight) in_flight_ -= messages;
    (gone.previous == none ? head_ : nodes_[gone.previous].next) = next;
    (next == none ? tail_ : nodes_[next].previous) = gone.previous;
    if (unsent_ == index) unsent_ = next;
    if (gone.entry.latest && gone.entry.droppable) {
        const auto place = latest_->newest.find(topic_of(gone.entry));
        if (place != latest_->newest.end() && place->second == index) latest_->newest.erase(place);
    }
    octets_ -= gone.entry.octets;
    count_ -= messages;
    if (droppable_ == index) skip_to_droppable(next);
    gone.entry.content.reset();
    gone.serial = 0;
    gone.next = free_;
    free_ = index;
    if (count_ == 0) {
        soonest_expiry_ = never;
        if (latest_ != nullptr) latest_->superseded.clear();
    }
}

void outbox::split(std::uint32_t index, std::size_t messages, std::uint32_t octets) {
    const std::uint32_t second = free_node();
    node& rest = nodes_[second];
    node& first = nodes_[index];
    rest = first;
    const std::size_t at = first.entry.run_at();
    const std::size_t rest_at = at + message_run::octets_of(first.entry.content, at, messages);
    rest.entry.set_run(rest_at, first.entry.messages() - messages);
    first.entry.set_run(at, messages);
    first.entry.octets = octets;
    rest.entry.octets -= octets;
    if (rest.entry.number != 0) rest.entry.number += messages;
    rest.previous = index;
    first.next = second;
    (rest.next == none ? tail_ : nodes_[rest.next].previous) = second;
}

void outbox::cut_front(std::uint32_t index, std::size_t messages, std::uint32_t octets) noexcept {
    node& cut = nodes_[index];
    const std::size_t at = cut.entry.run_at();
    cut.entry.set_run(at + message_run::octets_of(cut.entry.content, at, messages), cut.entry.messages() - messages);
    cut.entry.number += messages;
    cut.entry.octets -= octets;
    octets_ -= octets;
    count_ -= messages;
    if (cut.in_flight) in_flight_ -= messages;
}

void outbox::mark_sent() noexcept {
    const std::uint32_t index = unsent_;
    nodes_[index].in_flight = true;
    in_flight_ += nodes_[index].entry.messages();
    unsent_ = nodes_[index].next;
    if (droppable_ == index) skip_to_droppable(unsent_);
}

void outbox::rewind() noexcept {
    for (std::uint32_t i = head_; i != none && nodes_[i].in_flight; i = nodes_[i].next) {
        nodes_[i].in_flight = false;
        nodes_[i].entry.sent_before = true;
    }
    unsent_ = head_;
    in_flight_ = 0;
}

void outbox::skip_to_droppable(std::uint32_t from) noexcept {
    while (from != none && !may_drop(from)) from = nodes_[from].next;
    droppable_ = from;
}

std::uint32_t outbox::superseded(std::uint64_t topic, std::uint32_t slot) noexcept {
    if (latest_ == nullptr) return none;
    const auto own = latest_->newest.find(mix(topic, slot));
    if (own != latest_->newest.end() && may_drop(own->second)) return own->second;
    auto& superseded = latest_->superseded;
    while (!superseded.empty()) {
        const mark old = superseded.front();
        superseded.pop_front();
        if (nodes_[old.index].serial == old.serial && may_drop(old.index)) return old.index;
    }
    return none;
}

// Marks of entries that were sent meanwhile, so that a reader who keeps up costs no memory.
void outbox::forget_stale_marks() {
    auto& superseded = latest_->superseded;
    for (std::size_t left = superseded.size(); left > 0; --left) {
        const mark old = superseded.front();
        superseded.pop_front();
        if (nodes_[old.index].serial == old.serial) superseded.push_back(old);
    }
}

void outbox::trim() noexcept {
    if (!trimmable()) return;
    std::vector<node>{}.swap(nodes_);
    free_ = none;
    latest_.reset();
}

}  // namespace mbus::mbws
