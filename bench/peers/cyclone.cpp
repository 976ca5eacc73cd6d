// Cyclone DDS with its C API: reliable, keep all, write batching with a flush after each burst (its manual's
// advice for throughput). No process stands in the middle, and nothing is authenticated.
#include <dds/dds.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>

#include "bench_message.h"
#include "harness/receiving_participant.hpp"
#include "peers/peers.hpp"

namespace bench {
namespace {

constexpr auto to_reader = "bench_reader";
constexpr auto to_caller = "bench_caller";
constexpr std::size_t taken_at_once = 256;

std::int32_t need(std::int32_t result, const char* what) {
    if (result < 0)
        throw std::runtime_error(std::string{"Cyclone DDS "} + what + ": " + dds_strretcode(-result));
    return result;
}

class cyclone_participant final : public receiving_participant {
public:
    explicit cyclone_participant(const seat& where)
        : receiving_participant(where),
          body_(where.payload, 'x'),
          domain_(need(dds_create_participant(DDS_DOMAIN_DEFAULT, nullptr, nullptr), "participant")) {
        message_.body._buffer = reinterpret_cast<std::uint8_t*>(body_.data());
        message_.body._length = message_.body._maximum = static_cast<std::uint32_t>(body_.size());
        const bool first = where.role == part::publisher || where.role == part::caller;
        auto* const quality = dds_create_qos();
        dds_qset_reliability(quality, DDS_RELIABILITY_RELIABLE, DDS_SECS(10));
        dds_qset_history(quality, DDS_HISTORY_KEEP_ALL, 0);
        const auto topic = [&](const char* name) {
            return need(dds_create_topic(domain_, &bench_dds_message_desc, name, quality, nullptr), "topic");
        };
        if (where.role != part::subscriber)
            writer_ = need(dds_create_writer(domain_, topic(first ? to_reader : to_caller), quality, nullptr),
                           "writer");
        if (where.role != part::publisher) {
            reader_ = need(dds_create_reader(domain_, topic(first ? to_caller : to_reader), quality, nullptr),
                           "reader");
            set_ = need(dds_create_waitset(domain_), "waitset");
            const auto any = need(dds_create_readcondition(reader_, DDS_ANY_STATE), "condition");
            need(dds_waitset_attach(set_, any, 0), "waitset");
        }
        dds_delete_qos(quality);
    }

    void publish(std::size_t count) override {
        for (std::size_t index = 0; index < count; ++index) need(dds_write(writer_, &message_), "write");
        dds_write_flush(writer_);
    }

private:
    std::size_t receive(std::chrono::milliseconds limit) override {
        if (need(dds_waitset_wait(set_, nullptr, 0, std::chrono::nanoseconds{limit}.count()), "wait") == 0)
            return 0;
        std::array<void*, taken_at_once> samples{};
        std::array<dds_sample_info_t, taken_at_once> about;
        const auto got =
            need(dds_take(reader_, samples.data(), about.data(), taken_at_once, taken_at_once), "take");
        const auto valid = std::count_if(about.begin(), about.begin() + got,
                                         [](const auto& each) { return each.valid_data; });
        if (got > 0) need(dds_return_loan(reader_, samples.data(), got), "loan");
        return static_cast<std::size_t>(valid);
    }

    std::string body_;
    bench_dds_message message_{};
    dds_entity_t domain_;
    dds_entity_t writer_ = 0;
    dds_entity_t reader_ = 0;
    dds_entity_t set_ = 0;
};

class cyclone final : public subject {
public:
    explicit cyclone(const std::string& interface)
        : settings_(
              "<CycloneDDS><Domain id=\"any\"><General><Interfaces><NetworkInterface name=\"" + interface +
              "\" multicast=\"true\"/></Interfaces></General><Internal><WriteBatch>true</WriteBatch></Internal>"
              "</Domain></CycloneDDS>") {}

    std::unique_ptr<participant> join(const seat& where) override {
        ::setenv("CYCLONEDDS_URI", settings_.c_str(), 1);
        return std::make_unique<cyclone_participant>(where);
    }

private:
    std::string settings_;
};

}  // namespace

std::unique_ptr<subject> make_cyclone(const subject_plan&, const std::string& interface) {
    return std::make_unique<cyclone>(interface);
}

}  // namespace bench
