#include "gateways/publish/ticket_table.hpp"

#include <sodium.h>

#include "router/session_table.hpp"

namespace mbusd {
namespace {

constexpr std::size_t ticket_octets = 32;

std::string hash_of(std::string_view text) {
    std::string out(crypto_generichash_BYTES, '\0');
    crypto_generichash(reinterpret_cast<unsigned char*>(out.data()), out.size(),
                       reinterpret_cast<const unsigned char*>(text.data()), text.size(), nullptr, 0);
    return out;
}

}  // namespace

std::string ticket_table::issue(mbus::mbws::time_point now, std::shared_ptr<const peer_identity> who) {
    sweep(now);
    if (tickets_.size() >= tickets_max) return {};
    auto text = random_token(ticket_octets);
    tickets_[hash_of(text)] = {std::move(who), now + ticket_patience, 0};
    return text;
}

ticket_table::ticket* ticket_table::find(mbus::mbws::time_point now, std::string_view text) {
    const auto found = tickets_.find(hash_of(text));
    return found == tickets_.end() || found->second.until < now ? nullptr : &found->second;
}

void ticket_table::stream_ended(mbus::mbws::time_point now, std::uint64_t stream) {
    for (auto& [hash, each] : tickets_) {
        if (each.stream == stream) each.until = now + ticket_patience;
    }
}

void ticket_table::withdraw_of(std::string_view identity) {
    std::erase_if(tickets_, [&](const auto& each) { return each.second.who->user.identity() == identity; });
}

void ticket_table::sweep(mbus::mbws::time_point now) {
    std::erase_if(tickets_, [&](const auto& each) { return each.second.until < now; });
}

}  // namespace mbusd
