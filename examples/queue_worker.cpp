// A reader of the durable queue NAME, made when it is not there: prints each job and is done with it. A job
// `fail()` is given back: it goes to another reader, and after five tries to the queue NAME.dead.
// Several workers share the jobs.   ./queue_worker [NAME]
#include <algorithm>
#include <iostream>
#include <string>

#include <mbus/mbus.hpp>

int main(int argc, char** argv) {
    const std::string queue = argc > 1 ? argv[1] : "jobs";
    // A job counts as done when it is acknowledged, so there has to be a window.
    auto bus = mbus::connection::connect({.window = 16});
    if (!bus) return std::cerr << describe(bus.error()) << '\n', 1;
    auto me = bus->attach("app:" + queue, {.mode = mbus::attach_mode::queue, .queue = queue}).wait();
    if (!me) return std::cerr << describe(me.error()) << '\n', 1;
    std::cout << "reading as " << me->address().text() << std::endl;

    me->on_job([](const mbus::received_message& job) {
        for (const auto& command : job.commands()) {
            std::cout << command.name << *format_value(command.arguments) << (job.redelivered ? " again" : "") << std::endl;
        }
        return std::ranges::none_of(job.commands(), [](const auto& command) { return command.name == "fail"; });
    });
    if (const auto ended = bus->run(); !ended) return std::cerr << describe(ended.error()) << '\n', 1;
}
