#include "mbws/prepared_message.hpp"

#include <functional>
#include <utility>

#include "mbws/text_frame.hpp"

namespace mbus::mbws {
namespace {

// Messages that may still be held by somebody before a new one has to be allocated: some turns'
// worth of traffic to slow readers.
constexpr std::size_t spare_messages = 64;
// Blocks above this are given back: 64 of them may lie idle.
constexpr std::size_t spare_octets_max = 4096;

// Never leaves the process, so any hash will do.
std::uint64_t topic_of(std::string_view from, std::string_view first_command) noexcept {
    const std::hash<std::string_view> hash;
    return hash(from) * 0x9E3779B97F4A7C15 + hash(first_command);
}

}  // namespace

std::shared_ptr<const prepared_message> prepared_message::of_fields(mbws::verb which, std::string fields) {
    auto made = std::make_shared<prepared_message>();
    made->fields_octets_ = fields.size();
    made->octets_ = std::move(fields);
    made->verb_ = which;
    return made;
}

const std::string* prepared_message::text_lines() const {
    if (text_form_ == text_form::not_made) {
        text_lines_.clear();
        const bool made = has_text_body(body()) && append_text_fields(text_lines_, fields());
        text_form_ = made ? text_form::made : text_form::none;
    }
    return text_form_ == text_form::made ? &text_lines_ : nullptr;
}

void prepared_message::assign(const message_content& content) {
    octets_.clear();
    text_form_ = text_form::not_made;
    verb_ = mbws::verb::message;
    reliable_ = content.reliable;
    if (!content.to.empty()) append_field(octets_, key::to, content.to);
    if (!content.from.empty()) append_field(octets_, key::from, content.from);
    if (!content.type.empty()) append_field(octets_, key::type, content.type);
    if (content.time != 0) append_field(octets_, key::time, content.time);
    if (content.sequence) append_field(octets_, key::sequence, std::uint64_t{*content.sequence});
    if (!content.interface.empty()) append_field(octets_, key::interface, content.interface);
    if (content.ttl != 0) append_field(octets_, key::ttl, std::uint64_t{content.ttl});
    if (!content.via.empty()) append_field(octets_, key::via, content.via);
    if (!content.origin.empty()) append_field(octets_, key::origin, content.origin);
    fields_octets_ = octets_.size();
    octets_.append(content.body);
    topic_ = topic_of(content.from, content.first_command);
}

std::shared_ptr<const prepared_message> prepared_message::restored(mbws::verb which, std::string_view fields,
                                                                   std::string_view body, bool reliable) {
    auto out = std::make_shared<prepared_message>();
    out->octets_.reserve(fields.size() + body.size());
    out->octets_.append(fields).append(body);
    out->fields_octets_ = fields.size();
    out->verb_ = which;
    out->reliable_ = reliable;
    return out;
}

message_preparer::message_preparer() : spare_(spare_messages) {}

message_ref message_preparer::prepare(const message_content& content) {
    constexpr std::size_t fixed = 9 * 3 + 8 + 4 + 4;
    // What receivers add (entity, missed, mode) must fit beside these fields.
    constexpr std::size_t own = 8192;
    const std::size_t fields = content.to.size() + content.from.size() + content.type.size() +
                               content.interface.size() + content.via.size() + content.origin.size() + fixed;
    if (frame_header_octets + fields + own > header_octets_max) return nullptr;
    if (content.body.size() > frame_octets_limit) return nullptr;
    if (fields + content.body.size() > spare_octets_max) {
        auto made = std::make_shared<prepared_message>();
        made->octets_.reserve(fields + content.body.size());
        made->assign(content);
        return made;
    }
    // The slot whose message was made longest ago; most are free again by now.
    for (std::size_t tried = 0; tried < 2; ++tried) {
        auto& slot = spare_[next_];
        next_ = (next_ + 1) % spare_.size();
        if (slot == nullptr) slot = std::make_shared<prepared_message>();
        if (slot.use_count() != 1) continue;
        slot->assign(content);
        return slot;
    }
    auto& slot = spare_[next_];
    slot = std::make_shared<prepared_message>();
    slot->assign(content);
    return slot;
}

}  // namespace mbus::mbws
