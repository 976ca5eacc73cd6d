// A client's side of SCRAM-SHA-1 (RFC 5802), for many logins with one password: the salted password is
// computed once for each salt.
//
//     scram_login login{"ann", "secret"};
//     send(login.first());                    // as it stands in <auth/>, in Base64
//     send(login.answer_to(challenge));
//
// Thread-safety: none.
#pragma once

#include <string>
#include <string_view>

namespace bench {

class scram_login {
public:
    scram_login(std::string user, std::string password);

    [[nodiscard]] std::string first() const;
    [[nodiscard]] std::string answer_to(std::string_view challenge);

private:
    std::string password_;
    std::string first_bare_;
    std::string salt_;
    std::string salted_password_;
};

}  // namespace bench
