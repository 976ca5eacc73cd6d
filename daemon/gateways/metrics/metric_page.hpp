// A page of metrics in the text format of Prometheus, made anew for each request.
//
//     metric_page page;
//     page.counter("mbusd_bus_datagrams_total", "Datagrams on the bus.", in, {{"direction", "in"}});
//     respond(page.text());
//
// Names follow the conventions of Prometheus: base units, counters end in _total. One name has one help
// text, the first that was given. Thread-safety: none.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace mbusd {

using metric_labels = std::vector<std::pair<std::string, std::string>>;

class metric_page {
public:
    metric_page();
    ~metric_page();
    metric_page(const metric_page&) = delete;
    metric_page& operator=(const metric_page&) = delete;

    void counter(const std::string& name, const std::string& help, double value, metric_labels labels = {});
    void gauge(const std::string& name, const std::string& help, double value, metric_labels labels = {});
    template <class Number>
    void counter(const std::string& name, const std::string& help, Number value, metric_labels labels = {}) {
        counter(name, help, static_cast<double>(value), std::move(labels));
    }
    template <class Number>
    void gauge(const std::string& name, const std::string& help, Number value, metric_labels labels = {}) {
        gauge(name, help, static_cast<double>(value), std::move(labels));
    }

    [[nodiscard]] std::string text() const;
    // Content-Type of text().
    static constexpr const char* media_type = "text/plain; version=0.0.4; charset=utf-8";

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace mbusd
