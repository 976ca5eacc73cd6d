// An Atom entry published to many XMPP sessions over WebSocket, beside Prosody.
#include <string>

#include "rows/row.hpp"
#include "xmpp/publishing.hpp"

namespace bench {
namespace {

std::vector<figure> figures_of(const xmpp_delivery& what) {
    return {{"p50", what.p50, "ms"},
            {"p99", what.p99, "ms"},
            {"CPU per event", what.cpu, "us"},
            {"idle session", what.session, "KB"},
            {"entries", static_cast<double>(what.entries), ""}};
}

}  // namespace

void add_xmpp_jobs(std::vector<job>& jobs, std::size_t subscribers) {
    const auto add = [&](const std::string& id, const std::string& title, kind what, bool managed,
                         std::unique_ptr<xmpp_server> (*start)()) {
        jobs.push_back({.about = {.id = "xmpp/" + id + (managed ? "-managed" : ""),
                                  .work = std::to_string(subscribers) +
                                          " XMPP subscribers, an Atom entry of 460 octets",
                                  .subject = title + (managed ? ", stream management" : ""),
                                  .what = what},
                        .measure = [=](const effort& spend) {
                            xmpp_load load{.subscribers = subscribers, .managed = managed};
                            if (spend.quick()) load.time /= 4;
                            return figures_of(measure_xmpp(*start(), load));
                        }});
    };
    for (const bool managed : {false, true}) {
        add("mbusd", "mbusd", kind::mbusd, managed, start_mbusd_with_xmpp);
        add("prosody", "Prosody", kind::peer, managed, start_prosody);
    }
}

}  // namespace bench
