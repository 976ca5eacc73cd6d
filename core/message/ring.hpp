// A queue in one block of memory that grows by doubling and is reused for ever after: pushing and
// popping allocate nothing in steady traffic. Elements are default-constructed once and assigned to.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace mbus {

template <class T>
class ring {
public:
    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
    [[nodiscard]] std::size_t size() const noexcept { return count_; }

    [[nodiscard]] T& operator[](std::size_t index) noexcept {
        return slots_[(head_ + index) & (slots_.size() - 1)];
    }
    [[nodiscard]] const T& operator[](std::size_t index) const noexcept {
        return slots_[(head_ + index) & (slots_.size() - 1)];
    }
    [[nodiscard]] T& front() noexcept { return slots_[head_]; }
    [[nodiscard]] const T& front() const noexcept { return slots_[head_]; }
    [[nodiscard]] T& back() noexcept { return (*this)[count_ - 1]; }

    // The new last element: a slot that was used before keeps its old value (and its capacity).
    T& push_back() {
        if (count_ == slots_.size()) grow();
        ++count_;
        return back();
    }
    void push_back(T value) { push_back() = std::move(value); }

    // The slot keeps its value until it is used again.
    void pop_front() noexcept {
        head_ = (head_ + 1) & (slots_.size() - 1);
        --count_;
    }
    void pop_back() noexcept { --count_; }
    void clear() noexcept {
        head_ = 0;
        count_ = 0;
    }
    // Gives all memory back.
    void release() noexcept {
        std::vector<T>{}.swap(slots_);
        clear();
    }
    // The same, if there is nothing in it.
    void trim() noexcept {
        if (empty()) release();
    }
    [[nodiscard]] std::size_t capacity() const noexcept { return slots_.size(); }

private:
    void grow() {
        std::vector<T> larger(slots_.empty() ? 8 : slots_.size() * 2);
        for (std::size_t i = 0; i < count_; ++i) larger[i] = std::move((*this)[i]);
        slots_.swap(larger);
        head_ = 0;
    }

    std::vector<T> slots_;  // a power of two
    std::size_t head_ = 0;
    std::size_t count_ = 0;
};

}  // namespace mbus
