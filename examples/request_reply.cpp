// Request and reply: with the argument `serve` it answers mixer.get and mixer.set, without it asks.
#include <iostream>
#include <string_view>

#include <mbus/mbus.hpp>

namespace {

int serve(mbus::connection& bus) {
    auto me = bus.attach("app:mixer").wait();
    if (!me) return std::cerr << describe(me.error()) << '\n', 1;
    std::int64_t gain = 80;
    const auto answering = me->on_request("mixer.*", [&](const mbus::request& call) -> mbus::result<mbus::reply> {
        if (call.name == "mixer.get") return mbus::reply{{gain}};
        const auto* wanted = call.arguments.empty() ? nullptr : call.arguments[0].get_if<std::int64_t>();
        if (wanted == nullptr) return {mbus::errc::bad_argument, "mixer.set needs a gain from 0 to 100"};
        gain = *wanted;
        return mbus::reply{{gain}, "done"};
    });
    if (!answering) return std::cerr << describe(answering.error()) << '\n', 1;
    std::cout << "serving" << std::endl;
    const auto ran = bus.run();
    return ran ? 0 : (std::cerr << describe(ran.error()) << '\n', 1);
}

int ask(mbus::connection& bus) {
    auto me = bus.attach("app:remote").wait();
    if (!me) return std::cerr << describe(me.error()) << '\n', 1;
    for (const mbus::command& call : {mbus::command{"mixer.set", {42}}, {"mixer.get", {}}, {"mixer.set", {}}}) {
        const auto reply = me->request("app:mixer", call).wait();
        if (reply) std::cout << call.name << " -> " << *format_value(reply->results) << std::endl;
        else std::cout << call.name << " -> " << describe(reply.error()) << std::endl;
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    auto bus = mbus::connection::connect();
    if (!bus) return std::cerr << describe(bus.error()) << '\n', 1;
    return argc > 1 && std::string_view{argv[1]} == "serve" ? serve(*bus) : ask(*bus);
}
