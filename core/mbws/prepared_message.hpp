// A message on its way to many receivers: fields and body are encoded once, and each receiver adds
// 16 octets of header and perhaps fields of its own (docs/performance.md).
//
//     message_preparer preparer;                       // one per daemon
//     message_ref ready = preparer.prepare({.to = "()", .from = "(id:1-1@10.0.0.1)", .body = body});
//     for (auto& receiver : receivers) receiver.offer(now, ready, {...});
//
// Thread-safety: none; a preparer and its messages belong to one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mbws/frame.hpp"

namespace mbus::mbws {

// Bodies above this are shared by reference, those below are copied: a copy of 512 octets costs
// less than one more entry in a writev.
inline constexpr std::size_t shared_body_octets = 512;

// What a delivery says. Empty and zero fields are left out.
struct message_content {
    std::string_view to{};
    std::string_view from{};
    std::string_view type{};  // empty: application/mbus
    std::uint64_t time = 0;   // origin time, ms since 1970
    std::optional<std::uint32_t> sequence{};  // its SeqNum on the bus; none: it is from this host
    std::string_view interface{};             // the name of the interface on which it came
    std::string_view body{};
    std::string_view first_command{};  // with `from` the key of the policy `latest`
    bool reliable = false;             // sets the flag on delivery
    std::uint32_t ttl = 0;             // ms; links
    std::string_view via{};            // links: broker ids already passed
    std::string_view origin{};         // links: id of the message
};

class prepared_message {
public:
    prepared_message() = default;
    prepared_message(const prepared_message&) = delete;
    prepared_message& operator=(const prepared_message&) = delete;

    [[nodiscard]] std::string_view fields() const noexcept {
        return std::string_view{octets_}.substr(0, fields_octets_);
    }
    [[nodiscard]] std::string_view body() const noexcept {
        return std::string_view{octets_}.substr(fields_octets_);
    }
    [[nodiscard]] mbws::verb verb() const noexcept { return verb_; }
    [[nodiscard]] bool reliable() const noexcept { return reliable_; }
    // Equal for messages of one source with one first command (up to collisions of a 64-bit hash).
    [[nodiscard]] std::uint64_t topic() const noexcept { return topic_; }
    // The fields as lines of the text form, made when first asked for and kept for all receivers; null
    // when the message has none (its body is not UTF-8): such receivers get the binary form.
    [[nodiscard]] const std::string* text_lines() const;
    // Octets of the frame when the receiver adds no field of its own.
    [[nodiscard]] std::size_t frame_octets() const noexcept { return frame_header_octets + octets_.size(); }

    // A frame other than a message: fields that append_field() wrote, no body.
    static std::shared_ptr<const prepared_message> of_fields(mbws::verb which, std::string fields);
    // What was stored as fields() and body().
    static std::shared_ptr<const prepared_message> restored(mbws::verb which, std::string_view fields,
                                                            std::string_view body, bool reliable);

private:
    friend class message_preparer;
    void assign(const message_content& content);

    std::string octets_;  // fields, then body
    std::size_t fields_octets_ = 0;
    std::uint64_t topic_ = 0;
    mbws::verb verb_ = verb::message;
    bool reliable_ = false;
    enum class text_form : std::uint8_t { not_made, made, none };
    mutable text_form text_form_ = text_form::not_made;
    mutable std::string text_lines_;
};

using message_ref = std::shared_ptr<const prepared_message>;

// Makes prepared messages and uses the memory of those again that nobody holds any more, so that
// steady traffic allocates nothing.
class message_preparer {
public:
    message_preparer();

    // Null when the fields exceed H (header_octets_max), which addresses within their limits can't.
    message_ref prepare(const message_content& content);

private:
    std::vector<std::shared_ptr<prepared_message>> spare_;  // a ring; a slot is free when we alone hold it
    std::size_t next_ = 0;
};

}  // namespace mbus::mbws
