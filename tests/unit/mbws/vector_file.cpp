#include "vector_file.hpp"

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include <mbus/command.hpp>

namespace mbus::vectors {
namespace {

std::string path_of(std::string_view name) {
    return std::string{MBUS_SOURCE_DIR "/tests/vectors/mbws/"} + std::string{name};
}

std::string read_text(std::string_view name) {
    std::ifstream file{path_of(name), std::ios::binary};
    if (!file) throw std::runtime_error{path_of(name) + " can't be read"};
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

void append_utf8(std::string& out, std::uint32_t point) {
    const auto tail = [&out](std::uint32_t bits) { out.push_back(static_cast<char>(0x80 | (bits & 0x3f))); };
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

value random_number(dice& from) {
    switch (from.below(5)) {
    case 0: return static_cast<std::int64_t>(from.next());
    case 1: return static_cast<std::int64_t>(from.below(2000)) - 1000;
    case 2: return (static_cast<double>(from.below(200000)) - 100000.0) / 8.0;
    case 3: {
        const std::uint64_t bits = from.next();
        double number = 0;
        std::memcpy(&number, &bits, sizeof number);
        return number - number == 0 ? value{number} : value{0.5};
    }
    default: return wide_number{"98765432109876543210" + std::to_string(from.below(100000))};
    }
}

}  // namespace

json::array read_file(std::string_view name) {
    json::parse_options deep;
    deep.max_depth = 2 * list_depth_max;  // lists in lists, and what is around them
    return json::parse(read_text(name), {}, deep).as_array();
}

bool holds(std::string_view name, const json::array& entries) {
    std::string text = "[\n";
    for (std::size_t i = 0; i < entries.size(); ++i) {
        text += json::serialize(entries[i]) + (i + 1 == entries.size() ? "\n" : ",\n");
    }
    text += "]\n";
    if (std::getenv("MBUS_WRITE_VECTORS") != nullptr) std::ofstream{path_of(name), std::ios::binary} << text;
    return read_text(name) == text;
}

std::string hex(std::string_view octets) {
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (const char each : octets) {
        const auto octet = static_cast<unsigned char>(each);
        out.push_back(digits[octet >> 4U]);
        out.push_back(digits[octet & 15U]);
    }
    return out;
}

std::string unhex(std::string_view digits) {
    std::string out;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
        out.push_back(static_cast<char>(std::stoi(std::string{digits.substr(i, 2)}, nullptr, 16)));
    }
    return out;
}

json::value to_json(const value& what) {
    const auto text = [&] { return *format_value(what); };
    if (const auto* list = what.get_if<value::list>()) {
        json::array out;
        for (const auto& each : *list) out.push_back(to_json(each));
        return out;
    }
    if (const auto* word = what.get_if<symbol>()) return {{"sym", word->name}};
    if (const auto* plain = what.get_if<std::string>()) return json::string{*plain};
    if (what.is<data>()) {
        const std::string quoted = text();
        return {{"data", quoted.substr(1, quoted.size() - 2)}};
    }
    return {{text().find('.') == std::string::npos ? "int" : "float", text()}};
}

value from_json(const json::value& what) {
    if (what.is_string()) return std::string{what.as_string()};
    if (const auto* list = what.if_array()) {
        value::list out;
        for (const auto& each : *list) out.push_back(from_json(each));
        return out;
    }
    const auto& pair = *what.as_object().begin();
    const std::string text{pair.value().as_string()};
    if (pair.key() == "sym") return symbol{text};
    return *parse_value(pair.key() == "data" ? "<" + text + ">" : text);
}

json::object to_json(const mbws::frame_view& what) {
    json::object fields;
    for (std::size_t code = 1; code < mbws::keys_end; ++code) {
        const auto which = static_cast<mbws::key>(code);
        if (!what.has(which)) continue;
        auto& field = fields[mbws::to_string(which)];
        switch (mbws::kind_of(which)) {
        case mbws::value_kind::text: field = what.text(which); break;
        case mbws::value_kind::yes_no: field = what.integer(which) != 0; break;
        default: field = std::to_string(what.integer(which)); break;
        }
    }
    return {{"verb", mbws::to_string(what.verb)},
            {"number", std::to_string(what.number)},
            {"flags", what.flags},
            {"fields", fields},
            {"body", hex(what.body)}};
}

// SplitMix64.
std::uint64_t dice::next() noexcept {
    std::uint64_t mixed = state_ += 0x9e3779b97f4a7c15U;
    mixed = (mixed ^ mixed >> 30U) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ mixed >> 27U) * 0x94d049bb133111ebU;
    return mixed ^ mixed >> 31U;
}

std::string random_symbol(dice& from) {
    static constexpr std::string_view all = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    std::string out{all[from.below(52)]};
    for (auto more = from.below(8); more-- > 0;) out.push_back(all[from.below(all.size())]);
    return out;
}

std::string random_text(dice& from, bool controls) {
    std::string out;
    for (auto more = from.below(12); more-- > 0;) {
        switch (from.below(6)) {
        case 0: append_utf8(out, 0x80 + static_cast<std::uint32_t>(from.below(0x780))); break;
        case 1: append_utf8(out, 0x800 + static_cast<std::uint32_t>(from.below(0xd000))); break;
        case 2: append_utf8(out, 0x10000 + static_cast<std::uint32_t>(from.below(0x100000))); break;
        case 3: out.push_back("\" \\()n:"[from.below(7)]); break;
        case 4:
            if (controls) {
                out.push_back(static_cast<char>(1 + from.below(0x1f)));
                break;
            }
            [[fallthrough]];
        default: out.push_back(static_cast<char>(0x20 + from.below(0x5f)));
        }
    }
    return out;
}

value random_value(dice& from, int depth) {
    switch (from.below(depth > 0 ? 8 : 6)) {
    case 0:
    case 1:
    case 2: return random_number(from);
    case 3: return random_text(from, true);
    case 4: return symbol{random_symbol(from)};
    case 5: {
        data octets;
        for (auto more = from.below(9); more-- > 0;) octets.octets.push_back(static_cast<std::byte>(from.below(256)));
        return octets;
    }
    default: {
        value::list list;
        for (auto more = from.below(4); more-- > 0;) list.push_back(random_value(from, depth - 1));
        return list;
    }
    }
}

}  // namespace mbus::vectors
