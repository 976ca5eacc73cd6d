#include "generators.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <map>

namespace mbus::json::testing {
namespace {

constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view symbol_rest = "abcXYZ0189_-.";
constexpr std::string_view address_octets = "!\"#$%&'*+,-./0129:;<=>?@AZ[\\]^_`az{|}~";

rc::Gen<std::string> texts_of(std::string_view alphabet, std::size_t least, std::size_t most) {
    return rc::gen::mapcat(rc::gen::inRange<std::size_t>(least, most + 1), [alphabet](std::size_t length) {
        return rc::gen::container<std::string>(length, rc::gen::elementOf(std::string{alphabet}));
    });
}

std::string utf8(char32_t code) {
    std::string out;
    const auto add = [&](char32_t bits) { out += static_cast<char>(bits); };
    if (code < 0x80) {
        add(code);
    } else if (code < 0x800) {
        add(0xC0 | (code >> 6U));
        add(0x80 | (code & 0x3FU));
    } else if (code < 0x10000) {
        add(0xE0 | (code >> 12U));
        add(0x80 | ((code >> 6U) & 0x3FU));
        add(0x80 | (code & 0x3FU));
    } else {
        add(0xF0 | (code >> 18U));
        add(0x80 | ((code >> 12U) & 0x3FU));
        add(0x80 | ((code >> 6U) & 0x3FU));
        add(0x80 | (code & 0x3FU));
    }
    return out;
}

bool fit(char32_t code) { return code != 0 && code != 0x7F && (code < 0xD800 || code > 0xDFFF); }

// Any finite bit pattern: denormals, both zeros, the largest.
rc::Gen<double> finite_doubles() {
    return rc::gen::suchThat(rc::gen::map(rc::gen::arbitrary<std::uint64_t>(),
                                          [](std::uint64_t bits) {
                                              double number = 0;
                                              std::memcpy(&number, &bits, sizeof number);
                                              return number;
                                          }),
                             [](double number) { return std::isfinite(number); });
}

rc::Gen<std::int64_t> integers() {
    return rc::gen::oneOf(rc::gen::arbitrary<std::int64_t>(),
                          rc::gen::map(rc::gen::arbitrary<std::int8_t>(), [](std::int8_t n) { return std::int64_t{n}; }),
                          rc::gen::element((std::int64_t{1} << 53) + 1, std::numeric_limits<std::int64_t>::min()));
}

}  // namespace

rc::Gen<std::string> symbol_names() {
    return rc::gen::apply([](const std::string& first, const std::string& rest) { return first + rest; },
                          texts_of(letters, 1, 1), texts_of(symbol_rest, 0, 12));
}

rc::Gen<std::string> utf8_texts() {
    const auto code = rc::gen::suchThat(
        rc::gen::oneOf(rc::gen::inRange<char32_t>(1, 0x100), rc::gen::inRange<char32_t>(1, 0x110000)), fit);
    return rc::gen::map(rc::gen::container<std::vector<char32_t>>(code), [](const std::vector<char32_t>& codes) {
        std::string text;
        for (const auto one : codes) text += utf8(one);
        return text;
    });
}

rc::Gen<value> values(int depth) {
    const auto leaves = rc::gen::oneOf(
        rc::gen::map(integers(), [](std::int64_t n) { return value{n}; }),
        rc::gen::map(finite_doubles(), [](double n) { return value{n}; }),
        rc::gen::map(utf8_texts(), [](std::string text) { return value{std::move(text)}; }),
        rc::gen::map(symbol_names(), [](std::string name) { return value{symbol{std::move(name)}}; }),
        rc::gen::map(rc::gen::arbitrary<std::string>(), [](const std::string& octets) { return value{data{octets}}; }),
        rc::gen::map(texts_of("0123456789", 20, 40), [](const std::string& rest) { return value{wide_number{"7" + rest}}; }));
    if (depth == 0) return leaves;
    return rc::gen::weightedOneOf<value>(
        {{4, leaves},
         {1, rc::gen::map(rc::gen::resize(5, rc::gen::container<value::list>(rc::gen::lazy([depth] { return values(depth - 1); }))),
                          [](value::list items) { return value{std::move(items)}; })}});
}

rc::Gen<command> commands() {
    return rc::gen::apply([](std::string name, std::vector<value> arguments) { return command{std::move(name), std::move(arguments)}; },
                          symbol_names(), rc::gen::resize(8, rc::gen::container<std::vector<value>>(values())));
}

rc::Gen<address> addresses() {
    return rc::gen::map(
        rc::gen::resize(6, rc::gen::container<std::map<std::string, std::string>>(texts_of(letters, 1, 8), texts_of(address_octets, 1, 12))),
        [](const std::map<std::string, std::string>& wanted) {
            std::vector<address_element> elements;
            for (const auto& [tag, held] : wanted) elements.push_back({tag, held});
            return address::from_elements(elements).value();
        });
}

rc::Gen<message_record> records() {
    return rc::gen::apply(
        [](std::uint64_t time, std::uint32_t number, bool reliable, address from, address to, std::vector<command> said) {
            message_record record;
            if (time % 5 != 0) record.timestamp = time % (timestamp_max + 1);
            if (time % 3 != 0) record.interface = "eth" + std::to_string(time % 7);
            if (number % 4 != 0) record.sequence_number = number;
            record.type = reliable ? message_type::reliable : message_type::unreliable;
            if (number % 5 != 0) record.source = std::move(from);
            record.destination = std::move(to);
            record.commands = std::move(said);
            return record;
        },
        rc::gen::arbitrary<std::uint64_t>(), rc::gen::arbitrary<std::uint32_t>(), rc::gen::arbitrary<bool>(), addresses(),
        addresses(), rc::gen::resize(4, rc::gen::container<std::vector<command>>(commands())));
}

}  // namespace mbus::json::testing
