#include "mbus-listen/run.hpp"

#include "mbus-listen/listener.hpp"
#include "mbus-listen/plan.hpp"

namespace mbus::tools {
namespace {

// --no-loss: a session with a window is resumed exactly where it stopped, within this time.
constexpr std::uint32_t window = 256;
constexpr std::chrono::seconds expiry{60};

}  // namespace

exit_code run_mbus_listen(const arguments& args, output& out) {
    auto plan = make_listen_plan(args);
    if (!plan) return out.fail(plan.error());
    signals events;
    mbus::connect_options options;
    if (plan->no_loss) {
        options.window = window;
        options.expiry = expiry;
    }
    auto bus = session::open(args, events, options);
    if (!bus) return report(out, events, bus.error());
    return listener{*bus, *plan, out}.run();
}

}  // namespace mbus::tools
