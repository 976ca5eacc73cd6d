// Whether a message costs more when the daemon knows more: other entities on the host, other addresses on the bus.
// The first row of each work is what the other is compared with.
#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>

#include <mbus/mbus.hpp>

#include "harness/crew.hpp"
#include "rows/row.hpp"
#include "subjects/mbusd_net.hpp"

namespace bench {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view other_address = "(app:other)";
constexpr std::size_t entities_of_a_connection = 1000;
constexpr auto known_limit = 60s;
// More than elsewhere, since it is small differences that are looked for.
constexpr int growth_starts = 5;

mbus::connection connect(const std::string& socket) {
    auto made = mbus::connect(socket);
    if (!made) throw std::runtime_error(describe(made.error()));
    return std::move(*made);
}

// The daemon of the messages, and another on the same bus; so many others are attached to one of them.
class grown final : public subject {
public:
    grown(std::size_t others, bool elsewhere, const std::shared_ptr<network>& where)
        : keys_(key_file_of({})), here_(setup(where)), there_(setup(where)) {
        people_.hire("others", [this, others, elsewhere] {
            attach(elsewhere ? there_.socket() : here_.socket(), others);
        });
        auto connection = connect(here_.socket());
        const auto deadline = std::chrono::steady_clock::now() + known_limit;
        for (std::size_t known = 0; known < others;) {
            if (std::chrono::steady_clock::now() > deadline)
                throw std::runtime_error(std::to_string(known) + " of " + std::to_string(others) +
                                         " addresses are known after a minute");
            people_.check();
            std::this_thread::sleep_for(100ms);
            const auto found = connection.match(other_address).wait();
            if (found) known = *found;
        }
    }

    std::unique_ptr<participant> join(const seat& where) override {
        return make_mbus_participant(here_.socket(), where, {});
    }
    [[nodiscard]] std::vector<pid_t> servers() const override { return {here_.id()}; }

private:
    [[nodiscard]] mbusd_setup setup(const std::shared_ptr<network>& where) const {
        return {.key_file = keys_, .before_exec = [where] { where->enter(0); }};
    }

    [[noreturn]] static void attach(const std::string& socket, std::size_t count) {
        std::vector<mbus::connection> connections;
        std::vector<mbus::entity> entities;
        while (entities.size() < count) {
            if (entities.size() % entities_of_a_connection == 0) connections.push_back(connect(socket));
            auto made = connections.back().attach(other_address).wait();
            if (!made) throw std::runtime_error(describe(made.error()));
            entities.push_back(std::move(*made));
        }
        while (true)
            for (auto& each : connections) (void)each.run_for(200ms);
    }

    std::string keys_;
    mbusd_process here_;
    mbusd_process there_;
    crew people_;
};

job growth_job(const std::string& id, const std::string& work, std::size_t others, bool elsewhere) {
    auto made = throughput_job(
        id, work,
        {"mbusd-" + std::to_string(others), "mbusd, " + std::to_string(others), kind::mbusd,
         [others, elsewhere](const subject_plan&) -> std::unique_ptr<subject> {
             return std::make_unique<grown>(others, elsewhere, std::make_shared<network>(span::loopback));
         }},
        {});
    // What grows or not is the daemon's time, so that comes first.
    made.measure = [measure = std::move(made.measure)](effort spend) {
        if (!spend.quick()) spend.starts = growth_starts;
        auto figures = measure(spend);
        for (std::size_t index = 0; index < figures.size(); ++index)
            if (figures[index].name == "cpu server")
                std::rotate(figures.begin(), figures.begin() + static_cast<std::ptrdiff_t>(index),
                            figures.begin() + static_cast<std::ptrdiff_t>(index) + 1);
        return figures;
    };
    return made;
}

}  // namespace

void add_growth_jobs(std::vector<job>& jobs) {
    for (const std::size_t others : {1U, 1000U})
        jobs.push_back(growth_job("growth-entities", "local, 1 to 1, with so many other entities on the host",
                                  others, false));
    for (const std::size_t others : {1U, 10'000U})
        jobs.push_back(growth_job("growth-addresses",
                                  "local, 1 to 1, with so many known addresses on the bus", others, true));
}

}  // namespace bench
