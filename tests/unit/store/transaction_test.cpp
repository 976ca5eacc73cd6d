// Transactions: what they hold, and how they are joined.
#include "store/transaction.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace mbusd {
namespace {

constexpr store_statement first{"1"};
constexpr store_statement second{"2"};

std::vector<std::string> seen(const transaction& what) {
    std::vector<std::string> out;
    what.each([&](const store_statement& statement, const store_value* values, std::size_t count) {
        std::string line{statement.sql};
        for (std::size_t i = 0; i < count; ++i) {
            if (const auto* number = std::get_if<std::int64_t>(&values[i])) line += " " + std::to_string(*number);
            else if (const auto* text = std::get_if<std::string>(&values[i])) line += " " + *text;
            else if (const auto* shared = std::get_if<shared_octets>(&values[i])) line += " <" + std::string{shared->octets} + ">";
            else line += " -";
        }
        out.push_back(line);
        return true;
    });
    return out;
}

}  // namespace

TEST_CASE("statements keep their order and their values") {
    transaction changes;
    changes.add(first, "text", 7U, true, std::monostate{});
    changes.add(second);
    CHECK(seen(changes) == std::vector<std::string>{"1 text 7 1 -", "2"});
    CHECK(changes.statements() == 2);
}

TEST_CASE("a transaction that is appended comes after what was there") {
    transaction changes;
    changes.add(first, 1);
    transaction more;
    more.add(second, 2, 3);
    more.add(first, 4);
    const auto octets = changes.octets() + more.octets();
    changes.append(std::move(more));
    CHECK(seen(changes) == std::vector<std::string>{"1 1", "2 2 3", "1 4"});
    CHECK(changes.octets() == octets);
}

TEST_CASE("shared octets are not copied, counted, and kept alive") {
    auto body = std::make_shared<const std::string>(1000, 'x');
    transaction changes;
    changes.add(first, shared_octets{body, *body});
    CHECK(body.use_count() == 2);
    CHECK(changes.octets() >= 1000);
}

}  // namespace mbusd
