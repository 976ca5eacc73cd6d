#include "subjects/mbusd_net.hpp"

#include <utility>

namespace bench {
namespace {

// A datagram socket forgets what nobody reads in time; the benchmark keeps so many messages under way.
constexpr std::size_t datagrams_in_flight = 4096;

mbusd_setup setup_of(const mbusd_net_use& use, const std::shared_ptr<network>& where, const std::string& keys,
                     std::size_t host, bool counted) {
    return {.key_file = keys,
            .bus = use.where == span::loopback ? "" : "families = \"ipv4\"\n",
            .before_exec = [where, host] { where->enter(host); },
            .count_allocations = counted};
}

class two_mbusd final : public subject {
public:
    two_mbusd(const mbusd_net_use& use, const std::shared_ptr<network>& where, bool counted)
        : use_(use),
          keys_(key_file_of({.profile = use.keys, .this_host_alone = use.where == span::loopback})),
          first_(setup_of(use, where, keys_, 0, counted)),
          second_(setup_of(use, where, keys_, 1, counted)) {}

    std::unique_ptr<participant> join(const seat& where) override {
        return make_mbus_participant(host_of(where.role) == 0 ? first_.socket() : second_.socket(), where,
                                     use_.how);
    }
    [[nodiscard]] std::vector<pid_t> servers() const override { return {first_.id(), second_.id()}; }
    [[nodiscard]] std::optional<std::uint64_t> allocations() const override {
        const auto first = first_.allocations();
        const auto second = second_.allocations();
        if (!first || !second) return std::nullopt;
        return *first + *second;
    }
    [[nodiscard]] std::size_t in_flight() const override { return datagrams_in_flight; }

private:
    mbusd_net_use use_;
    std::string keys_;
    mbusd_process first_;
    mbusd_process second_;
};

}  // namespace

std::unique_ptr<subject> make_mbusd_net(const subject_plan& plan, const mbusd_net_use& use) {
    auto where = std::make_shared<network>(use.where);
    auto both = std::make_unique<two_mbusd>(use, where, plan.counted);
    return on_network(std::move(where), std::move(both));
}

}  // namespace bench
