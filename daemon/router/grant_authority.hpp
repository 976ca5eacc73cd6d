// Who makes capability URLs for the entities of sessions (docs/mbws.md, verbs grant and revoke). The
// router asks it; the gateway for capabilities implements it.
#pragma once

#include <cstdint>
#include <string_view>

#include <mbus/result.hpp>

#include "mbws/session_host.hpp"
#include "router/session_table.hpp"

namespace mbusd {

class grant_authority {
public:
    // Errors become the code and text of the nak.
    virtual mbus::result<mbus::mbws::granted> grant(mbus::mbws::time_point now, session_record& session,
                                                    const mbus::mbws::grant_request& request) = 0;
    // Errors: not_found, also for a URL of somebody else.
    virtual mbus::result<void> revoke(session_record& session, std::string_view url) = 0;
    // What was granted for this attach, and for the session: gone.
    virtual void detached(session_record& session, std::uint64_t handle) = 0;
    virtual void ended(session_record& session) = 0;

protected:
    ~grant_authority() = default;
};

}  // namespace mbusd
