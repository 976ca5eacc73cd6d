#include "router/session_table.hpp"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <system_error>

#include "config/client_token.hpp"

namespace mbusd {
namespace {

using mbus::mbws::never;
using mbus::mbws::time_point;

constexpr std::size_t session_token_octets = 32;  // 256 bits: docs/mbws.md, section 3
constexpr std::size_t id_digits = 16;     // in front of the random part: finds the session

void fill_random(void* into, std::size_t octets) {
    auto* at = static_cast<unsigned char*>(into);
    while (octets > 0) {
        const auto got = ::getrandom(at, octets, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw std::system_error(errno, std::generic_category(), "the kernel gives no random octets");
        at += got;
        octets -= static_cast<std::size_t>(got);
    }
}

std::string hexadecimal(std::uint64_t number) {
    std::string out(id_digits, '0');
    for (auto digit = out.rbegin(); digit != out.rend(); ++digit, number >>= 4) *digit = "0123456789abcdef"[number & 15];
    return out;
}

// Takes the same time wherever the difference is.
bool equal_secrets(std::string_view left, std::string_view right) noexcept {
    if (left.size() != right.size()) return false;
    unsigned char difference = 0;
    for (std::size_t i = 0; i < left.size(); ++i) {
        difference = static_cast<unsigned char>(difference | static_cast<unsigned char>(left[i] ^ right[i]));
    }
    const volatile unsigned char result = difference;
    return result == 0;
}

}  // namespace

std::string random_token(std::size_t octets) {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string raw(octets, '\0');
    fill_random(raw.data(), raw.size());
    std::string out;
    std::uint32_t bits = 0;
    unsigned held = 0;
    for (const char c : raw) {
        bits = (bits << 8) | static_cast<unsigned char>(c);
        for (held += 8; held >= 6; held -= 6) out += alphabet[(bits >> (held - 6)) & 63];
    }
    if (held > 0) out += alphabet[(bits << (6 - held)) & 63];
    explicit_bzero(raw.data(), raw.size());
    return out;
}

std::uint32_t random_number() {
    std::uint32_t out = 0;
    fill_random(&out, sizeof out);
    return out;
}

std::string random_broker_id() {
    std::uint64_t out = 0;
    fill_random(&out, sizeof out);
    return hexadecimal(out);
}

session_record& session_table::add(std::shared_ptr<const peer_identity> who, std::shared_ptr<user_account> account,
                                   const mbus::mbws::session_settings& settings, mbus::mbws::session_host& host,
                                   time_point now) {
    const auto id = last_id_ + 1;
    return insert(id, hexadecimal(id) + random_token(session_token_octets), std::move(who), std::move(account), settings, host, now);
}

session_record& session_table::restore(std::uint64_t id, std::string token_hash, std::shared_ptr<const peer_identity> who,
                                       std::shared_ptr<user_account> account, const mbus::mbws::session_settings& settings,
                                       mbus::mbws::session_host& host, time_point now) {
    auto& out = insert(id, {}, std::move(who), std::move(account), settings, host, now);
    out.token_hash = std::move(token_hash);
    return out;
}

session_record& session_table::insert(std::uint64_t id, std::string token, std::shared_ptr<const peer_identity> who,
                                      std::shared_ptr<user_account> account, const mbus::mbws::session_settings& settings,
                                      mbus::mbws::session_host& host, time_point now) {
    auto record = std::make_unique<session_record>();
    record->id = id;
    last_id_ = std::max(last_id_, id);
    record->session = std::make_unique<mbus::mbws::broker_session>(id, std::move(token), who->user.identity(), settings, host);
    record->who = std::move(who);
    record->account = std::move(account);
    record->opened = now;
    ++record->account->sessions;
    auto& out = *record;
    sessions_.emplace(out.id, std::move(record));
    return out;
}

session_record* session_table::find(std::uint64_t id) noexcept {
    for (auto* each : recent_) {
        if (each != nullptr && each->id == id) return each;
    }
    const auto found = sessions_.find(id);
    if (found == sessions_.end()) return nullptr;
    recent_[next_recent_] = found->second.get();
    next_recent_ = (next_recent_ + 1) % recent_.size();
    return found->second.get();
}

session_record* session_table::find_token(std::string_view token) noexcept {
    std::uint64_t id = 0;
    if (token.size() <= id_digits) return nullptr;
    const auto [end, fault] = std::from_chars(token.data(), token.data() + id_digits, id, 16);
    if (fault != std::errc{} || end != token.data() + id_digits) return nullptr;
    auto* record = find(id);
    if (record == nullptr) return nullptr;
    const auto& known = record->session->token();
    const bool same = known.empty() ? equal_secrets(record->token_hash, hash_token(token)) : equal_secrets(known, token);
    return same ? record : nullptr;
}

void session_table::remove(session_record& record) {
    const auto found = sessions_.find(record.id);
    if (found == sessions_.end()) return;
    set_deadline(record, never);
    --record.account->sessions;
    recent_.fill(nullptr);
    removed_.push_back(std::move(found->second));
    sessions_.erase(found);
}

void session_table::settle() {
    for (std::size_t i = 0; i < touched_.size(); ++i) {
        auto* record = find(touched_[i]);
        if (record == nullptr) continue;
        record->touched = false;
        set_deadline(*record, record->session->next_deadline());
    }
    touched_.clear();
    // A session that dies may end others (a sender that waited), which then wait for the next turn.
    auto dead = std::move(removed_);
    removed_.clear();
}

void session_table::advance(time_point now) {
    while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
        auto* record = find(deadlines_.begin()->second);
        if (record == nullptr) {
            deadlines_.erase(deadlines_.begin());
            continue;
        }
        set_deadline(*record, never);
        touch(*record);
        record->session->advance(now);
    }
}

void session_table::for_each(const std::function<void(session_record&)>& visit) {
    std::vector<std::uint64_t> ids;
    ids.reserve(sessions_.size());
    for (const auto& [id, record] : sessions_) ids.push_back(id);
    for (const auto id : ids) {
        if (auto* record = find(id)) visit(*record);
    }
}

void session_table::set_deadline(session_record& record, time_point when) {
    if (record.deadline == when) return;
    if (record.deadline != never) {
        auto over = deadlines_.extract({record.deadline, record.id});
        if (!over.empty() && spare_deadlines_.size() < spare_deadlines_max)
            spare_deadlines_.push_back(std::move(over));
    }
    record.deadline = when;
    if (when == never) return;
    if (spare_deadlines_.empty()) {
        deadlines_.emplace(when, record.id);
        return;
    }
    spare_deadlines_.back().value() = {when, record.id};
    deadlines_.insert(std::move(spare_deadlines_.back()));
    spare_deadlines_.pop_back();
}

}  // namespace mbusd
