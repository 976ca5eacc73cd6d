#include "sasl/sasl_exchange.hpp"

#include <utility>

#include "sasl/base64_text.hpp"

namespace mbusd {
namespace {

constexpr std::size_t nonce_octets = 18;
constexpr std::size_t guest_octets = 12;

constexpr std::string_view wrong = "the name or the password is wrong";

}  // namespace

sasl_exchange::sasl_exchange(sasl_accounts& accounts, sasl_policy policy, random_text random)
    : accounts_(accounts), policy_(policy), random_(std::move(random)) {}

sasl_exchange::~sasl_exchange() = default;

std::vector<std::string_view> sasl_exchange::mechanisms() const {
    std::vector<std::string_view> out{"SCRAM-SHA-256", "SCRAM-SHA-1"};
    if (policy_.plain) out.push_back("PLAIN");
    if (policy_.anonymous) out.push_back("ANONYMOUS");
    return out;
}

sasl_answer sasl_exchange::fail(std::string_view condition, std::string text) {
    running_ = mechanism::none;
    scram_.reset();
    if (condition == "not-authorized" || condition == "invalid-authzid") ++failures_;
    return {sasl_answer::kind::failure, {}, condition, std::move(text)};
}

sasl_answer sasl_exchange::begin(std::string_view name, std::string_view initial) {
    running_ = mechanism::none;
    scram_.reset();
    if (name == "SCRAM-SHA-256" || name == "SCRAM-SHA-1") {
        const auto hash = name == "SCRAM-SHA-1" ? scram_hash::sha1 : scram_hash::sha256;
        scram_.emplace(hash, random_(nonce_octets), [this, hash](std::string_view user) { return accounts_.keys_of(user, hash); });
        running_ = mechanism::scram;
    } else if (name == "PLAIN" && policy_.plain) {
        running_ = mechanism::plain;
    } else if (name == "ANONYMOUS" && policy_.anonymous) {
        return anonymous();
    } else {
        return fail("invalid-mechanism", "choose one of the mechanisms that the stream offers");
    }
    // Without an initial response the client waits to be asked (RFC 6120, section 6.4.3).
    if (initial.empty()) return {sasl_answer::kind::challenge};
    return go_on(initial);
}

sasl_answer sasl_exchange::go_on(std::string_view response) {
    if (running_ == mechanism::none) return fail("malformed-request", "no authentication is under way; begin one");
    if (response == "=") return take({});
    const auto message = from_base64(response);
    if (!message) return fail("incorrect-encoding", "the response is no Base64");
    return take(*message);
}

sasl_answer sasl_exchange::abort() { return fail("aborted", "the authentication was aborted"); }

sasl_answer sasl_exchange::take(std::string_view message) {
    return running_ == mechanism::plain ? plain(message) : scram(message);
}

// [authzid] NUL user NUL password (RFC 4616)
sasl_answer sasl_exchange::plain(std::string_view message) {
    const auto first = message.find('\0');
    const auto second = first == std::string_view::npos ? first : message.find('\0', first + 1);
    if (second == std::string_view::npos || message.find('\0', second + 1) != std::string_view::npos) {
        return fail("malformed-request", "PLAIN is [authzid] NUL user NUL password");
    }
    const auto authzid = message.substr(0, first);
    const auto user = message.substr(first + 1, second - first - 1);
    const auto password = message.substr(second + 1);
    const bool fits = password_fits(accounts_.keys_of(user, scram_hash::sha256), password);
    if (!fits || user.empty()) return fail("not-authorized", std::string{wrong});
    if (!authzid.empty() && !accounts_.is_own_name(authzid, user)) {
        return fail("invalid-authzid", "nobody can act for somebody else here");
    }
    user_ = user;
    running_ = mechanism::none;
    return {sasl_answer::kind::success};
}

sasl_answer sasl_exchange::scram(std::string_view message) {
    auto got = scram_->step(message);
    switch (got.what) {
    case scram_exchange::verdict::challenge: return {sasl_answer::kind::challenge, to_base64(got.data)};
    case scram_exchange::verdict::malformed: return fail("malformed-request", "this is no SCRAM message without channel binding");
    case scram_exchange::verdict::not_authorized: return fail("not-authorized", std::string{wrong});
    case scram_exchange::verdict::invalid_authzid:
    case scram_exchange::verdict::success: break;
    }
    if (got.what == scram_exchange::verdict::invalid_authzid && !accounts_.is_own_name(got.authzid, scram_->user())) {
        return fail("invalid-authzid", "nobody can act for somebody else here");
    }
    user_ = scram_->user();
    running_ = mechanism::none;
    return {sasl_answer::kind::success, to_base64(got.data)};
}

sasl_answer sasl_exchange::anonymous() {
    user_ = "guest-" + random_(guest_octets);
    guest_ = true;
    return {sasl_answer::kind::success};
}

}  // namespace mbusd
