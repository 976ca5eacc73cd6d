#include "mbws/prepared_message.hpp"

#include <functional>
#include <utility>

#include "mbws/text_frame.hpp"

namespace mbus::mbws {
namespace {

// Messages that lie idle for the next ones, until trim(): a reader that falls behind and catches up again holds and
// gives back so many, and so do windows of messages and receipts.
constexpr std::size_t spare_messages = 16384;
// Their octets together, beside some 250 of each object; larger ones are given back sooner.
constexpr std::size_t spare_octets_max = 4 * 1024 * 1024;
// Room for addresses and a body of 64 octets, so that one whose memory was a receipt's need not grow.
constexpr std::size_t usual_octets = 256;
// What trim() leaves.
constexpr std::size_t idle_messages = 256;
// Storages of runs, of up to message_run::octets_max each, until trim(): one that is being filled, and those that wait for a
// reader that falls behind and catches up again.
constexpr std::size_t spare_runs_max = 32;
constexpr std::size_t idle_runs = 4;

}  // namespace

// Never leaves the process, so any hash will do. Only the policy `latest` asks.
std::uint64_t prepared_message::topic() const noexcept {
    const std::hash<std::string_view> hash;
    return hash(from_field()) * 0x9E3779B97F4A7C15 + hash(first_command_);
}

message_ref prepared_message::of_fields(mbws::verb which, std::string_view fields) {
    auto* const made = new prepared_message;
    message_ref held{made};
    made->assign_fields(which, fields);
    return held;
}

const std::string* prepared_message::text_lines() const {
    if (text_form_ == text_form::not_made) {
        text_lines_.clear();
        const bool made = has_text_body(body()) && append_text_fields(text_lines_, fields());
        text_form_ = made ? text_form::made : text_form::none;
    }
    return text_form_ == text_form::made ? &text_lines_ : nullptr;
}

std::shared_ptr<const std::string> prepared_message::copy() const {
    if (copy_ == nullptr) copy_ = std::make_shared<const std::string>(octets_);
    return copy_;
}

// A message that is used again mostly has the addresses of the last one: their fields are there already.
void prepared_message::assign(const message_content& content, std::uint64_t to_id, std::uint64_t from_id) {
    text_form_ = text_form::not_made;
    verb_ = mbws::verb::message;
    reliable_ = content.reliable;
    if (has_names() && to_id_ == to_id && from_id_ == from_id) {
        octets_.resize(to_octets_ + from_octets_);
    } else {
        octets_.clear();
        if (!content.to.empty()) append_field(octets_, key::to, content.to);
        to_octets_ = octets_.size();
        if (!content.from.empty()) append_field(octets_, key::from, content.from);
        from_octets_ = octets_.size() - to_octets_;
        to_id_ = to_id;
        from_id_ = from_id;
    }
    if (!content.type.empty()) append_field(octets_, key::type, content.type);
    if (content.time != 0) append_field(octets_, key::time, content.time);
    if (content.sequence) append_field(octets_, key::sequence, std::uint64_t{*content.sequence});
    if (!content.interface.empty()) append_field(octets_, key::interface, content.interface);
    if (content.ttl != 0) append_field(octets_, key::ttl, std::uint64_t{content.ttl});
    if (!content.via.empty()) append_field(octets_, key::via, content.via);
    if (!content.origin.empty()) append_field(octets_, key::origin, content.origin);
    fields_octets_ = octets_.size();
    octets_.append(content.body);
    first_command_ = content.first_command;
}

void prepared_message::assign_fields(mbws::verb which, std::string_view fields) {
    text_form_ = text_form::not_made;
    verb_ = which;
    reliable_ = false;
    to_id_ = from_id_ = 0;
    to_octets_ = from_octets_ = 0;
    fields_octets_ = fields.size();
    octets_ = fields;
    first_command_.clear();
}

// Addresses and frames of a run: the first `octets` of its storage.
void prepared_message::assign_run(const prepared_message& storage, std::size_t octets) {
    text_form_ = text_form::not_made;
    verb_ = mbws::verb::message;
    reliable_ = false;
    to_id_ = storage.to_id_;
    from_id_ = storage.from_id_;
    to_octets_ = storage.to_octets_;
    from_octets_ = storage.from_octets_;
    fields_octets_ = storage.fields_octets_;
    octets_.assign(storage.octets_, 0, octets);
    first_command_.clear();
}

message_ref prepared_message::restored(mbws::verb which, std::string_view fields, std::string_view body, bool reliable) {
    auto* const out = new prepared_message;
    message_ref held{out};
    out->octets_.reserve(fields.size() + body.size());
    out->octets_.append(fields).append(body);
    out->fields_octets_ = fields.size();
    out->verb_ = which;
    out->reliable_ = reliable;
    return held;
}

void prepared_message::unused() const noexcept {
    auto* const self = const_cast<prepared_message*>(this);  // every message was made as one that may change
    if (home_ != nullptr) home_->give(self);
    else delete self;
}

message_preparer::~message_preparer() {
    for (auto* each = all_; each != nullptr; each = each->next_) each->home_ = nullptr;
    for (auto* each : spare_) delete each;
    for (auto* each : spare_runs_) delete each;
}

prepared_message* message_preparer::take() {
    if (!spare_.empty()) {
        auto* const last = spare_.back();
        spare_.pop_back();
        spare_octets_ -= last->capacity();
        return last;
    }
    return make();
}

prepared_message* message_preparer::take_for_run() {
    prepared_message* out = nullptr;
    if (spare_runs_.empty()) {
        out = make();
        out->holds_run_ = true;
    } else {
        out = spare_runs_.back();
        spare_runs_.pop_back();
    }
    return out;
}

prepared_message* message_preparer::make() {
    // give() must not fail.
    spare_.reserve(spare_messages);
    spare_runs_.reserve(spare_runs_max);
    auto fresh = std::make_unique<prepared_message>();
    fresh->octets_.reserve(usual_octets);
    fresh->home_ = this;
    fresh->next_ = all_;
    if (all_ != nullptr) all_->previous_ = fresh.get();
    all_ = fresh.get();
    return fresh.release();
}

void message_preparer::give(prepared_message* what) noexcept {
    if (what->holds_run_ && spare_runs_.size() < spare_runs_max) {
        spare_runs_.push_back(what);
        return;
    }
    what->copy_.reset();
    if (!what->holds_run_ && spare_.size() < spare_messages && spare_octets_ + what->capacity() <= spare_octets_max) {
        spare_.push_back(what);
        spare_octets_ += what->capacity();
        return;
    }
    forget(what);
}

void message_preparer::forget(prepared_message* what) noexcept {
    (what->previous_ == nullptr ? all_ : what->previous_->next_) = what->next_;
    if (what->next_ != nullptr) what->next_->previous_ = what->previous_;
    delete what;
}

void message_preparer::trim() noexcept {
    while (spare_.size() > idle_messages) {
        spare_octets_ -= spare_.back()->capacity();
        forget(spare_.back());
        spare_.pop_back();
    }
    while (spare_runs_.size() > idle_runs) {
        forget(spare_runs_.back());
        spare_runs_.pop_back();
    }
}

message_ref message_preparer::prepare(const message_content& content) {
    constexpr std::size_t fixed = 9 * 3 + 8 + 4 + 4;
    // What receivers add (numbers, entity, missed, mode) must fit beside these fields.
    constexpr std::size_t own = 8192;
    const std::size_t fields = content.to.size() + content.from.size() + content.type.size() +
                               content.interface.size() + content.via.size() + content.origin.size() + fixed;
    if (frame_header_octets + fields + own > header_octets_max) return {};
    if (content.body.size() > frame_octets_limit) return {};
    auto* const made = take();
    message_ref held{made};
    const bool short_enough = content.to.size() <= numbered_address_max && content.from.size() <= numbered_address_max;
    made->assign(content, short_enough ? names_.id_of(content.to) : 0, short_enough ? names_.id_of(content.from) : 0);
    return held;
}

message_ref message_preparer::prepare_fields(mbws::verb which, std::string_view fields) {
    auto* const made = take();
    message_ref held{made};
    made->assign_fields(which, fields);
    return held;
}

}  // namespace mbus::mbws
