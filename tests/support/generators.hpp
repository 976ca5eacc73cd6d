// Random Mbus values and commands for property tests.
#pragma once

#include <cmath>
#include <string>

#include <mbus/command.hpp>
#include <rapidcheck.h>

namespace mbus::testing_support {

inline rc::Gen<std::string> symbols() {
    const std::string letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return rc::gen::apply(
        [](char first, std::string rest) { return std::string(1, first) + std::move(rest); },
        rc::gen::elementOf(letters), rc::gen::container<std::string>(rc::gen::elementOf(letters + "0123456789_-.")));
}

// Any text that an Mbus string can hold: code points without NUL and DEL, also line ends and quotes.
inline rc::Gen<std::string> texts() {
    const auto code_point = rc::gen::oneOf(
        rc::gen::inRange<std::uint32_t>(0x01, 0x7f), rc::gen::inRange<std::uint32_t>(0x80, 0x800),
        rc::gen::inRange<std::uint32_t>(0x800, 0xd800), rc::gen::inRange<std::uint32_t>(0x10000, 0x110000),
        rc::gen::elementOf(std::vector<std::uint32_t>{'"', '\\', '\n', '\r', '(', ')', ' '}));
    return rc::gen::map(rc::gen::container<std::vector<std::uint32_t>>(code_point), [](const auto& points) {
        std::string out;
        const auto tail = [&out](std::uint32_t bits) { out.push_back(static_cast<char>(0x80 | (bits & 0x3f))); };
        for (const auto point : points) {
            if (point < 0x80) {
                out.push_back(static_cast<char>(point));
            } else if (point < 0x800) {
                out.push_back(static_cast<char>(0xc0 | point >> 6));
                tail(point);
            } else if (point < 0x10000) {
                out.push_back(static_cast<char>(0xe0 | point >> 12));
                tail(point >> 6);
                tail(point);
            } else {
                out.push_back(static_cast<char>(0xf0 | point >> 18));
                tail(point >> 12);
                tail(point >> 6);
                tail(point);
            }
        }
        return out;
    });
}

// Lists stay short: what is inside them is what matters, and depth multiplies.
template <class Item>
rc::Gen<value::list> short_lists(Item item) {
    return rc::gen::mapcat(rc::gen::inRange<std::size_t>(0, 5), [item](std::size_t count) {
        return rc::gen::container<value::list>(count, item());
    });
}

inline rc::Gen<value> values(int depth = 2) {
    auto leaf = rc::gen::oneOf(
        rc::gen::map(rc::gen::arbitrary<std::int64_t>(), [](std::int64_t n) { return value{n}; }),
        rc::gen::map(rc::gen::suchThat(rc::gen::map(rc::gen::arbitrary<std::uint64_t>(),
                                                    [](std::uint64_t bits) {
                                                        double number = 0;
                                                        static_assert(sizeof number == sizeof bits);
                                                        __builtin_memcpy(&number, &bits, sizeof number);
                                                        return number;
                                                    }),
                                       [](double n) { return std::isfinite(n); }),
                     [](double n) { return value{n}; }),
        rc::gen::map(rc::gen::arbitrary<int>(), [](int n) { return value{n / 8.0}; }),
        rc::gen::map(texts(), [](std::string t) { return value{std::move(t)}; }),
        rc::gen::map(symbols(), [](std::string s) { return value{symbol{std::move(s)}}; }),
        rc::gen::map(rc::gen::arbitrary<std::string>(), [](const std::string& octets) { return value{data{octets}}; }),
        rc::gen::map(rc::gen::positive<std::uint32_t>(), [](std::uint32_t n) {
            return value{wide_number{"98765432109876543210" + std::to_string(n)}};
        }));
    if (depth == 0) return leaf;
    return rc::gen::oneOf(leaf, leaf, leaf,
                          rc::gen::map(short_lists([depth] { return values(depth - 1); }),
                                       [](value::list list) { return value{std::move(list)}; }));
}

inline rc::Gen<command> commands() {
    return rc::gen::apply(
        [](std::string name, value::list arguments) { return command{std::move(name), std::move(arguments)}; },
        symbols(), short_lists([] { return values(); }));
}

}  // namespace mbus::testing_support

namespace rc {
template <>
struct Arbitrary<mbus::value> {
    static Gen<mbus::value> arbitrary() { return mbus::testing_support::values(); }
};
template <>
struct Arbitrary<mbus::command> {
    static Gen<mbus::command> arbitrary() { return mbus::testing_support::commands(); }
};
}  // namespace rc
