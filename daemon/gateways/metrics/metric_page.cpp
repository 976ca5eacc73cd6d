#include "gateways/metrics/metric_page.hpp"

#include <algorithm>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

namespace mbusd {

struct metric_page::state {
    prometheus::ClientMetric& add(const std::string& name, const std::string& help, prometheus::MetricType type, metric_labels labels) {
        auto found = std::ranges::find(families, name, &prometheus::MetricFamily::name);
        if (found == families.end()) found = families.insert(found, prometheus::MetricFamily{name, help, type, {}});
        auto& metric = found->metric.emplace_back();
        for (auto& [label, value] : labels) metric.label.push_back({std::move(label), std::move(value)});
        return metric;
    }
    std::vector<prometheus::MetricFamily> families;
};

metric_page::metric_page() : state_(std::make_unique<state>()) {}
metric_page::~metric_page() = default;

void metric_page::counter(const std::string& name, const std::string& help, double value, metric_labels labels) {
    state_->add(name, help, prometheus::MetricType::Counter, std::move(labels)).counter.value = value;
}

void metric_page::gauge(const std::string& name, const std::string& help, double value, metric_labels labels) {
    state_->add(name, help, prometheus::MetricType::Gauge, std::move(labels)).gauge.value = value;
}

std::string metric_page::text() const { return prometheus::TextSerializer{}.Serialize(state_->families); }

}  // namespace mbusd
