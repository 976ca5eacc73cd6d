// Passwords of XMPP accounts, for HTTP Basic. Implemented where the accounts are.
#pragma once

#include <string_view>

namespace mbusd {

class account_check {
public:
    // True when the account NAME (of NAME@DOMAIN) has this password. Takes as long for unknown names.
    [[nodiscard]] virtual bool password_fits(std::string_view account, std::string_view password) = 0;

protected:
    ~account_check() = default;
};

}  // namespace mbusd
