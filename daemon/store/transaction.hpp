// What is to be written to the store in one step: statements and the values bound to them.
//
//     inline constexpr store_statement put_pet{"INSERT OR REPLACE INTO pet(name, age) VALUES(?1, ?2)"};
//
//     transaction changes;
//     changes.add(put_pet, "rex", std::uint64_t{7});
//     changes.add(drop_pet, "tom");
//     store.submit(std::move(changes), [](const mbus::result<void>& written) { ... });
//
// A table of the store is a small file with the statements of that table and typed functions that add
// them (client_rows.hpp shows it); nobody else writes SQL. Thread-safety: plain values.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace mbusd {

// One SQL statement with its parameters ?1, ?2, ... An object of static storage: the store prepares it
// once and finds it again by its place in memory.
struct store_statement {
    std::string_view sql;
};

// Octets (BLOB) that the transaction owns.
struct store_octets {
    std::string octets;
};

// Octets (BLOB) of somebody else, kept alive by `owner`: the body of a message is not copied. They are
// read in another thread, so nobody may change them any more.
struct shared_octets {
    std::shared_ptr<const void> owner;
    std::string_view octets;
};

// NULL, INTEGER, TEXT or BLOB.
using store_value = std::variant<std::monostate, std::int64_t, std::string, store_octets, shared_octets>;

class transaction {
public:
    // Values: integers, bool, anything that makes a std::string (TEXT), store_octets, shared_octets,
    // std::monostate (NULL), or a store_value (no BLOB). Numbers above 2^63 - 1 come back as they were through store_row::number().
    template <class... Values>
    void add(const store_statement& what, Values&&... values) {
        step next{&what, values_.size(), sizeof...(Values)};
        (values_.push_back(made(std::forward<Values>(values))), ...);
        steps_.push_back(next);
    }

    // All of `more`, after what is here: one step of the store with it.
    void append(transaction more);

    [[nodiscard]] bool empty() const noexcept { return steps_.empty(); }
    [[nodiscard]] std::size_t statements() const noexcept { return steps_.size(); }
    // What it holds of memory, shared octets included.
    [[nodiscard]] std::size_t octets() const noexcept { return octets_; }

    // `visit(const store_statement&, std::span-like first value, count)` for each statement in order.
    template <class Visit>
    bool each(Visit&& visit) const {
        for (const auto& one : steps_) {
            if (!visit(*one.what, values_.data() + one.first, one.count)) return false;
        }
        return true;
    }

private:
    struct step {
        const store_statement* what;
        std::size_t first;  // in values_
        std::size_t count;
    };

    template <class Value>
    store_value made(Value&& value) {
        using plain = std::remove_cvref_t<Value>;
        octets_ += sizeof(store_value);
        if constexpr (std::same_as<plain, store_value>) {
            if (const auto* text = std::get_if<std::string>(&value)) octets_ += text->size();
            return std::forward<Value>(value);
        } else if constexpr (std::same_as<plain, std::monostate>) {
            return value;
        } else if constexpr (std::integral<plain>) {
            return static_cast<std::int64_t>(value);
        } else if constexpr (std::same_as<plain, store_octets> || std::same_as<plain, shared_octets>) {
            octets_ += value.octets.size();
            return std::forward<Value>(value);
        } else {
            std::string text(std::forward<Value>(value));
            octets_ += text.size();
            return text;
        }
    }

    std::vector<step> steps_;
    std::vector<store_value> values_;
    std::size_t octets_ = 0;
};

}  // namespace mbusd
