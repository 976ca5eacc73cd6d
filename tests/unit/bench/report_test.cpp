// The report of the benchmark: ratios, targets, JSON and docs/performance.md.
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "report/format.hpp"
#include "report/targets.hpp"

namespace {

using namespace bench;

row rate_of(const std::string& id, kind what, double rate, double lost = 0) {
    return {.id = id,
            .work = "local, 1 to 1",
            .subject = id.substr(id.find('/') + 1),
            .what = what,
            .figures = {{"rate", rate, "/s"}, {"lost", lost, ""}}};
}

// The judgement whose `must` names the other subject.
judgement judged(const std::vector<row>& rows, const std::string& work, const std::string& must) {
    const auto all = judge(rows);
    const auto at = std::ranges::find_if(all, [&](const judgement& each) {
        return each.work.find(work) != std::string::npos && each.must.find(must) != std::string::npos;
    });
    REQUIRE(at != all.end());
    return *at;
}

TEST_CASE("numbers have three significant digits and a unit that fits") {
    CHECK(number(0) == "0");
    CHECK(number(0.1234) == "0.12");
    CHECK(number(1.234) == "1.23");
    CHECK(number(12.34) == "12.3");
    CHECK(number(1234) == "1234");
    CHECK(formatted({"rate", 1'620'000, "/s"}) == "1.62 M/s");
    CHECK(formatted({"rate", 43'000, "/s"}) == "43.0 k/s");
    CHECK(formatted({"p50", 12.34, "us"}) == "12.3 us");
}

TEST_CASE("a target is a ratio to another row of the same run") {
    const std::vector<row> rows{rate_of("local-1-1/relay", kind::floor, 10e6),
                                rate_of("local-1-1/mbusd", kind::mbusd, 5e6),
                                rate_of("local-1-1/nats", kind::peer, 2.5e6)};
    CHECK(judged(rows, "mbusd", "x relay").how == verdict::reached);
    const auto beside_nats = judged(rows, "mbusd", "x nats");
    CHECK(beside_nats.how == verdict::missed);
    CHECK(beside_nats.found == "2.00 x: 5.00 M/s beside 2.50 M/s");
}

TEST_CASE("given no row of the floor then a target is not measured instead of missed") {
    CHECK(judged({rate_of("local-1-1/mbusd", kind::mbusd, 5e6)}, "mbusd", "x relay").how == verdict::unknown);
}

TEST_CASE("the best peer is none of those without a server in the middle") {
    const std::vector<row> rows{rate_of("local-1-16/mbusd", kind::mbusd, 9e6),
                                rate_of("local-1-16/nats", kind::peer, 3e6),
                                rate_of("local-1-16/zeromq-direct", kind::aside, 6e6)};
    CHECK(judged(rows, "local, 1 to 1, mbusd", "x nats").how == verdict::reached);
}

TEST_CASE("given a loss then a target without loss is missed") {
    CHECK(judged({rate_of("veth-1-1/mbusd-sha1", kind::mbusd, 2e6)}, "mbusd-sha1", "800 k/s").how ==
          verdict::reached);
    CHECK(judged({rate_of("veth-1-1/mbusd-sha1", kind::mbusd, 2e6, 1)}, "mbusd-sha1", "800 k/s").how ==
          verdict::missed);
}

TEST_CASE("counters of the hot path are judged by name, and without them nothing is said to be reached") {
    auto ours = rate_of("local-1-1/mbusd", kind::mbusd, 5e6);
    CHECK(judged({ours}, "mbusd: allocations", "at most 0.001").how == verdict::unknown);
    CHECK(judged({ours}, "mbusd: reads per look", "at most 1.01").how == verdict::unknown);
    ours.figures.push_back({"allocations", 0.0004, ""});
    ours.figures.push_back({"reads per look", 1.5, ""});
    CHECK(judged({ours}, "mbusd: allocations", "at most 0.001").how == verdict::reached);
    CHECK(judged({ours}, "mbusd: reads per look", "at most 1.01").how == verdict::missed);
    ours.figures[2].value = 0.02;
    CHECK(judged({ours}, "mbusd: allocations", "at most 0.001").how == verdict::missed);
}

TEST_CASE("a report comes back from its JSON as it was") {
    const run_report before{
        .where = {.date = "2026-11-21 05:00 UTC", .processor = "a \"fast\" one", .cores = 2, .quick = true},
        .rows = {rate_of("local-1-1/mbusd", kind::mbusd, 5e6, 3),
                 {.id = "local-1-1/nats",
                  .work = "local, 1 to 1",
                  .subject = "NATS",
                  .what = kind::peer,
                  .note = "skipped: why",
                  .seconds = 1.5}}};
    const auto after = report_from_json(to_json(before));
    CHECK(after.where.processor == before.where.processor);
    CHECK(after.where.quick);
    REQUIRE(after.rows.size() == 2);
    CHECK(after.rows[0].value("lost") == 3);
    CHECK(after.rows[0].figures.front().name == "rate");
    CHECK(after.rows[1].what == kind::peer);
    CHECK(after.rows[1].seconds == 1.5);
    CHECK(table_of(after) == table_of(before));
}

TEST_CASE("the tables go between the marks, and what is written around them stays") {
    std::string directory = (std::filesystem::temp_directory_path() / "mbus-report-XXXXXX").string();
    REQUIRE(::mkdtemp(directory.data()) != nullptr);
    const auto file = directory + "/performance.md";
    std::ofstream{file}
        << "before\n<!-- measured: written by ./dev bench --update-docs -->\nold\n<!-- end of measured -->\nafter\n";
    const run_report report{.where = {}, .rows = {rate_of("local-1-1/mbusd", kind::mbusd, 5e6)}};
    update_docs(file, report);
    update_docs(file, report);
    std::ifstream in{file};
    const std::string text{std::istreambuf_iterator<char>{in}, {}};
    CHECK(text.starts_with("before\n<!--"));
    CHECK(text.ends_with("-->\nafter\n"));
    CHECK(text.find("old") == std::string::npos);
    CHECK(text.find("| mbusd | 5.00 M/s |") != std::string::npos);

    std::ofstream{file} << "no marks\n";
    CHECK_THROWS(update_docs(file, report));
    std::filesystem::remove_all(directory);
}

}  // namespace
