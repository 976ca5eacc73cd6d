#include "http/http_environment.hpp"

namespace mbusd {

struct connection_census::place {
    place(std::shared_ptr<book> of, std::optional<client_address> from) : book_(std::move(of)), from_(from) {
        ++book_->total;
        if (from_) ++book_->by_address[*from_];
    }
    ~place() {
        --book_->total;
        if (!from_) return;
        const auto mine = book_->by_address.find(*from_);
        if (--mine->second == 0) book_->by_address.erase(mine);
    }
    place(const place&) = delete;
    place& operator=(const place&) = delete;

private:
    std::shared_ptr<book> book_;
    std::optional<client_address> from_;
};

connection_census::verdict connection_census::judge(const http_limits& limits, const std::optional<client_address>& from,
                                                    bool trusted) const {
    if (book_->total >= limits.connections) return verdict::too_many;
    if (!from || trusted) return verdict::welcome;  // all clients behind a proxy have its address
    const auto found = book_->by_address.find(from->subscriber());
    const auto count = found == book_->by_address.end() ? 0 : found->second;
    return count >= limits.connections_per_address ? verdict::too_many_of_address : verdict::welcome;
}

std::shared_ptr<const void> connection_census::count(const std::optional<client_address>& from) {
    return std::make_shared<const place>(book_, from ? std::optional{from->subscriber()} : std::nullopt);
}

}  // namespace mbusd
