#include "store/transaction.hpp"

#include <iterator>

namespace mbusd {

void transaction::append(transaction more) {
    if (steps_.empty()) {
        *this = std::move(more);
        return;
    }
    const auto shift = values_.size();
    for (auto& one : more.steps_) {
        one.first += shift;
        steps_.push_back(one);
    }
    values_.insert(values_.end(), std::make_move_iterator(more.values_.begin()), std::make_move_iterator(more.values_.end()));
    octets_ += more.octets_;
}

}  // namespace mbusd
