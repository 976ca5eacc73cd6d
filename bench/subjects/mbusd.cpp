#include "subjects/mbusd.hpp"

#include <utility>

#include "harness/scratch.hpp"
#include "subjects/mbusd_process.hpp"

namespace bench {
namespace {

std::string& programs_directory() {
    static std::string directory;
    return directory;
}

class local_mbusd final : public subject {
public:
    local_mbusd(const subject_plan& plan, const mbusd_use& use)
        : use_(use), daemon_({.count_allocations = plan.counted}) {}

    std::unique_ptr<participant> join(const seat& where) override {
        return make_mbus_participant(daemon_.socket(), where, use_);
    }
    [[nodiscard]] std::vector<pid_t> servers() const override { return {daemon_.id()}; }
    [[nodiscard]] std::optional<std::uint64_t> allocations() const override { return daemon_.allocations(); }

private:
    mbusd_use use_;
    mbusd_process daemon_;
};

}  // namespace

void set_programs(std::string directory) { programs_directory() = std::move(directory); }
const std::string& programs() { return programs_directory(); }

std::unique_ptr<subject> make_mbusd(const subject_plan& plan, const mbusd_use& use) {
    if (use.reliable && plan.readers > 1)
        throw not_available("a reliable message goes to exactly one entity");
    return std::make_unique<local_mbusd>(plan, use);
}

}  // namespace bench
