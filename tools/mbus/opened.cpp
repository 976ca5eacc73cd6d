#include "mbus/opened.hpp"

namespace mbus::tools {
namespace {

exit_code open_and(const arguments& args, output& out, const std::function<exit_code(session&, std::chrono::milliseconds)>& what) {
    signals events;
    const auto limit = args.duration("timeout").value_or(default_limit);
    mbus::connect_options options;
    options.operation_limit = limit;
    options.reconnect.enabled = false;  // a broken connection is an outcome here
    auto bus = session::open(args, events, options);
    if (!bus) return report(out, events, bus.error());
    return what(*bus, limit);
}

}  // namespace

exit_code with_connection(const arguments& args, output& out, const opened_function& what) {
    return open_and(args, out, [&](session& bus, std::chrono::milliseconds limit) {
        opened on{bus, nullptr, limit, out};
        return what(on);
    });
}

exit_code with_entity(const arguments& args, output& out, const opened_function& what, std::string_view otherwise) {
    return open_and(args, out, [&](session& bus, std::chrono::milliseconds limit) {
        auto me = bus.await(bus.bus().attach(args.text("as").value_or(std::string{otherwise})), limit);
        if (!me) return report(out, bus.events(), me.error());
        opened on{bus, &*me, limit, out};
        return what(on);
    });
}

}  // namespace mbus::tools
