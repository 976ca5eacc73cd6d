// A message on its way to many receivers: fields and body are encoded once, and each receiver adds
// 16 octets of header and perhaps fields of its own (docs/performance.md).
//
//     message_preparer preparer;                       // one per daemon; outlives its messages
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
#include <utility>
#include <vector>

#include "mbws/address_numbers.hpp"
#include "mbws/frame.hpp"

namespace mbus::mbws {

// Bodies above this are shared by reference, those below are copied: a copy of 512 octets costs
// less than one more entry in a writev.
inline constexpr std::size_t shared_body_octets = 2048;

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

class message_ref;
class message_preparer;
class message_run;
struct run_piece;

class prepared_message {
public:
    prepared_message() = default;
    ~prepared_message() = default;
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
    // The fields begin with those of the two addresses, whose identities these are (address_names).
    [[nodiscard]] bool has_names() const noexcept { return to_id_ != 0 && from_id_ != 0; }
    [[nodiscard]] std::uint64_t to_id() const noexcept { return to_id_; }
    [[nodiscard]] std::uint64_t from_id() const noexcept { return from_id_; }
    [[nodiscard]] std::string_view to_field() const noexcept { return fields().substr(0, to_octets_); }
    [[nodiscard]] std::string_view from_field() const noexcept { return fields().substr(to_octets_, from_octets_); }
    [[nodiscard]] std::string_view other_fields() const noexcept { return fields().substr(to_octets_ + from_octets_); }
    // Equal for messages of one source with one first command (up to collisions of a 64-bit hash).
    [[nodiscard]] std::uint64_t topic() const noexcept;
    // The fields as lines of the text form, made when first asked for and kept for all receivers; null
    // when the message has none (its body is not UTF-8): such receivers get the binary form.
    [[nodiscard]] const std::string* text_lines() const;
    // Fields and body in octets that another thread may hold: made when first asked for, and kept for all
    // who ask.
    [[nodiscard]] std::shared_ptr<const std::string> copy() const;
    // Octets of the frame when the receiver adds no field of its own.
    [[nodiscard]] std::size_t frame_octets() const noexcept { return frame_header_octets + octets_.size(); }

    // A frame other than a message: fields that append_field() wrote, no body.
    static message_ref of_fields(mbws::verb which, std::string_view fields);
    // What was stored as fields() and body().
    static message_ref restored(mbws::verb which, std::string_view fields, std::string_view body, bool reliable);

private:
    friend class message_preparer;
    friend class message_ref;
    friend class message_run;
    friend struct run_piece;
    void assign(const message_content& content, std::uint64_t to_id, std::uint64_t from_id);
    void assign_run(const prepared_message& storage, std::size_t octets);
    void assign_fields(mbws::verb which, std::string_view fields);
    void unused() const noexcept;
    [[nodiscard]] std::size_t capacity() const noexcept { return octets_.capacity() + text_lines_.capacity(); }

    std::string octets_;  // fields, then body
    std::size_t fields_octets_ = 0;
    std::uint64_t to_id_ = 0;  // 0: not known
    std::uint64_t from_id_ = 0;
    std::size_t to_octets_ = 0;
    std::size_t from_octets_ = 0;
    std::string first_command_;
    mbws::verb verb_ = verb::message;
    bool reliable_ = false;
    bool holds_run_ = false;  // octets_ are addresses, frames and room of a message_run; it has no body
    enum class text_form : std::uint8_t { not_made, made, none };
    mutable text_form text_form_ = text_form::not_made;
    mutable std::string text_lines_;
    mutable std::shared_ptr<const std::string> copy_;
    // Where it goes when nobody holds it (null: nowhere), and its neighbours there.
    message_preparer* home_ = nullptr;
    prepared_message* next_ = nullptr;
    prepared_message* previous_ = nullptr;
    mutable std::uint32_t references_ = 0;
};

// Holds a prepared message. One thread has them all, so they are counted without locks.
class message_ref {
public:
    message_ref() noexcept = default;
    explicit message_ref(const prepared_message* what) noexcept : what_(what) {
        if (what_ != nullptr) ++what_->references_;
    }
    message_ref(const message_ref& other) noexcept : message_ref(other.what_) {}
    message_ref(message_ref&& other) noexcept : what_(std::exchange(other.what_, nullptr)) {}
    message_ref& operator=(message_ref other) noexcept {
        std::swap(what_, other.what_);
        return *this;
    }
    ~message_ref() { reset(); }

    void reset() noexcept {
        const prepared_message* const gone = std::exchange(what_, nullptr);
        if (gone != nullptr && --gone->references_ == 0) gone->unused();
    }
    [[nodiscard]] const prepared_message* get() const noexcept { return what_; }
    const prepared_message& operator*() const noexcept { return *what_; }
    const prepared_message* operator->() const noexcept { return what_; }
    explicit operator bool() const noexcept { return what_ != nullptr; }
    bool operator==(std::nullptr_t) const noexcept { return what_ == nullptr; }

private:
    const prepared_message* what_ = nullptr;
};

// Makes prepared messages and uses the memory of those again that nobody holds any more, last one first
// (it is still in the cache), so that steady traffic allocates nothing.
class message_preparer {
public:
    message_preparer() = default;
    // Messages that somebody holds still live on by themselves.
    ~message_preparer();
    message_preparer(const message_preparer&) = delete;
    message_preparer& operator=(const message_preparer&) = delete;

    // Null when the fields exceed H (header_octets_max), which addresses within their limits can't.
    message_ref prepare(const message_content& content);
    // What prepared_message::of_fields() makes, in memory that is used again.
    message_ref prepare_fields(mbws::verb which, std::string_view fields);

    // Gives memory back that a burst needed. For a quiet moment; what it would still need is made again.
    void trim() noexcept;

    [[nodiscard]] address_names& names() noexcept { return names_; }

private:
    friend class prepared_message;
    friend class message_run;
    prepared_message* take();
    prepared_message* take_for_run();
    prepared_message* make();
    void give(prepared_message* what) noexcept;
    void forget(prepared_message* what) noexcept;

    address_names names_;
    prepared_message* all_ = nullptr;            // every message whose home this is, linked
    std::vector<prepared_message*> spare_;
    std::size_t spare_octets_ = 0;
    std::vector<prepared_message*> spare_runs_;
};

}  // namespace mbus::mbws
