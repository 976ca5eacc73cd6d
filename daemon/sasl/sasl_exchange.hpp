// A server's side of SASL as XMPP profiles it (RFC 6120, section 6): one stream, one try after the other.
//
//     sasl_exchange sasl{accounts, {.plain = stream_is_encrypted, .anonymous = allowed}, random};
//     for (auto name : sasl.mechanisms()) offer(name);
//     auto got = sasl.begin("SCRAM-SHA-1", initial_response);   // Base64, "=" or empty
//     while (got.what == sasl_answer::kind::challenge) got = sasl.go_on(response);
//     if (got.what == sasl_answer::kind::success) use(sasl.user());
//
// Not thread-safe. The accounts outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sasl/scram.hpp"

namespace mbusd {

// Whose keys there are. An unknown user's are made up by the implementation (made_up_keys).
class sasl_accounts {
public:
    [[nodiscard]] virtual scram_keys keys_of(std::string_view user, scram_hash hash) = 0;
    // The part before '@' of an authzid that may stand for this user: "ann" of "ann@bus.example".
    [[nodiscard]] virtual bool is_own_name(std::string_view authzid, std::string_view user) const = 0;

protected:
    ~sasl_accounts() = default;
};

struct sasl_policy {
    bool plain = false;      // the password crosses the connection: TLS or loopback only
    bool anonymous = false;  // guests (RFC 4505)
};

struct sasl_answer {
    enum class kind : std::uint8_t { challenge, success, failure };
    kind what = kind::failure;
    std::string data{};              // challenge and success: in Base64; empty: none
    std::string_view condition = {}; // failure: of RFC 6120, section 6.5
    std::string text{};              // for people
};

class sasl_exchange {
public:
    // `random`: so many octets of randomness as printable characters without a comma.
    using random_text = std::function<std::string(std::size_t octets)>;

    sasl_exchange(sasl_accounts& accounts, sasl_policy policy, random_text random);
    ~sasl_exchange();

    [[nodiscard]] std::vector<std::string_view> mechanisms() const;
    // `initial` as it stands in <auth/>.
    sasl_answer begin(std::string_view mechanism, std::string_view initial);
    sasl_answer go_on(std::string_view response);
    sasl_answer abort();

    // After success: the local part. A guest's is random.
    [[nodiscard]] const std::string& user() const noexcept { return user_; }
    [[nodiscard]] bool guest() const noexcept { return guest_; }
    // Tries that failed for a wrong name or password.
    [[nodiscard]] unsigned failures() const noexcept { return failures_; }

private:
    enum class mechanism : std::uint8_t { none, plain, scram, anonymous };
    sasl_answer fail(std::string_view condition, std::string text);
    sasl_answer take(std::string_view message);
    sasl_answer plain(std::string_view message);
    sasl_answer scram(std::string_view message);
    sasl_answer anonymous();

    sasl_accounts& accounts_;
    sasl_policy policy_;
    random_text random_;
    mechanism running_ = mechanism::none;
    std::optional<scram_exchange> scram_;
    std::string user_;
    bool guest_ = false;
    unsigned failures_ = 0;
};

}  // namespace mbusd
