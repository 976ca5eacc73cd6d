// SASL as XMPP profiles it (RFC 6120, section 6).
#include <doctest/doctest.h>

#include <string>

#include "sasl/base64_text.hpp"
#include "sasl/sasl_exchange.hpp"

using namespace mbusd;
using kind = sasl_answer::kind;

namespace {

struct one_account final : sasl_accounts {
    scram_keys keys_of(std::string_view user, scram_hash hash) override {
        if (user == "ann") return make_scram_keys(hash, "secret", "0123456789abcdef", scram_iterations_min);
        return made_up_keys(hash, user, "server");
    }
    [[nodiscard]] bool is_own_name(std::string_view authzid, std::string_view user) const override {
        return authzid == user || authzid == std::string{user} + "@bus.example";
    }
};

struct lab {
    one_account accounts;
    sasl_exchange sasl{accounts, {.plain = true, .anonymous = true}, [this](std::size_t) { return "r" + std::to_string(++drawn); }};
    int drawn = 0;
};

std::string plain(std::string_view authzid, std::string_view user, std::string_view password) {
    std::string out{authzid};
    out.append(1, '\0').append(user).append(1, '\0').append(password);
    return to_base64(out);
}

}  // namespace

TEST_CASE("PLAIN with the right password, with the own authzid in either form") {
    for (const auto* authzid : {"", "ann", "ann@bus.example"}) {
        lab it;
        CHECK(it.sasl.begin("PLAIN", plain(authzid, "ann", "secret")).what == kind::success);
        CHECK(it.sasl.user() == "ann");
        CHECK_FALSE(it.sasl.guest());
    }
}

TEST_CASE("PLAIN without an initial response is asked for one") {
    lab it;
    const auto asked = it.sasl.begin("PLAIN", "");
    CHECK(asked.what == kind::challenge);
    CHECK(asked.data.empty());
    CHECK(it.sasl.go_on(plain("", "ann", "secret")).what == kind::success);
}

TEST_CASE("a foreign authzid never gives that identity") {
    lab it;
    CHECK(it.sasl.begin("PLAIN", plain("root@bus.example", "ann", "secret")).condition == "invalid-authzid");
    CHECK(it.sasl.user().empty());
}

TEST_CASE("a wrong password and an unknown user look alike, and another try may succeed") {
    lab it;
    const auto wrong = it.sasl.begin("PLAIN", plain("", "ann", "guess"));
    const auto unknown = it.sasl.begin("PLAIN", plain("", "bob", "guess"));
    CHECK(wrong.condition == "not-authorized");
    CHECK(unknown.condition == wrong.condition);
    CHECK(unknown.text == wrong.text);
    CHECK(it.sasl.failures() == 2);
    CHECK(it.sasl.begin("PLAIN", plain("", "ann", "secret")).what == kind::success);
}

TEST_CASE("unknown mechanisms, bad Base64, abort and nonsense have their conditions") {
    lab it;
    CHECK(it.sasl.begin("DIGEST-MD5", "").condition == "invalid-mechanism");
    CHECK(it.sasl.begin("PLAIN", "!!!").condition == "incorrect-encoding");
    CHECK(it.sasl.begin("PLAIN", to_base64("ann")).condition == "malformed-request");
    CHECK(it.sasl.begin("SCRAM-SHA-1", to_base64("x")).condition == "malformed-request");
    CHECK(it.sasl.go_on(to_base64("x")).condition == "malformed-request");
    it.sasl.begin("SCRAM-SHA-1", "");
    CHECK(it.sasl.abort().condition == "aborted");
}

TEST_CASE("guests have names of their own, with or without an initial response") {
    lab it;
    CHECK(it.sasl.begin("ANONYMOUS", "").what == kind::success);
    const auto first = it.sasl.user();
    CHECK(it.sasl.guest());
    lab other;
    other.drawn = 5;
    CHECK(other.sasl.begin("ANONYMOUS", "=").what == kind::success);
    CHECK(other.sasl.user() != first);
}

TEST_CASE("what the policy forbids is neither offered nor done") {
    one_account accounts;
    sasl_exchange sasl{accounts, {}, [](std::size_t) { return std::string{"r"}; }};
    CHECK(sasl.mechanisms() == std::vector<std::string_view>{"SCRAM-SHA-256", "SCRAM-SHA-1"});
    CHECK(sasl.begin("PLAIN", plain("", "ann", "secret")).condition == "invalid-mechanism");
    CHECK(sasl.begin("ANONYMOUS", "").condition == "invalid-mechanism");
}
