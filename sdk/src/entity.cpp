#include <mbus/entity.hpp>

#include <utility>

#include "core.hpp"

namespace mbus {
namespace {

error no_connection() { return {errc::disconnected, "the connection of this entity is closed"}; }

template <class T>
operation<T> failed(error why) {
    auto state = std::make_shared<detail::operation_state<T>>(std::weak_ptr<detail::loop>{});
    state->finish(std::move(why));
    return operation<T>{std::move(state)};
}

// The core of a record, or null when handle or connection are gone.
std::shared_ptr<detail::core> core_of(const std::shared_ptr<detail::entity_record>& record) {
    return record ? record->owner.lock() : nullptr;
}

}  // namespace

entity::entity(std::shared_ptr<detail::entity_record> shared) noexcept : shared_(std::move(shared)) {}
entity::entity(entity&&) noexcept = default;

entity& entity::operator=(entity&& other) noexcept {
    std::swap(shared_, other.shared_);
    return *this;
}

entity::~entity() {
    if (const auto core = core_of(shared_)) core->detach(shared_).detach();
}

const mbus::address& entity::address() const noexcept { return shared_->address; }

result<void> entity::send(const destination& to, const payload& what, const send_options& how) {
    const auto core = core_of(shared_);
    if (!core) return no_connection();
    return core->send(*shared_, to, detail::body_of(what), how);
}

// Nothing of the program runs meanwhile, so the connection stays.
result<void> entity::send_text(const destination& to, std::string_view commands, const send_options& how) {
    if (shared_ && shared_->sender != nullptr) return shared_->sender->send(*shared_, to, {commands}, how);
    const auto core = core_of(shared_);
    if (!core) return no_connection();
    return core->send(*shared_, to, {commands}, how);
}

operation<delivery> entity::send_reliably(const destination& to, const payload& what, const send_options& how) {
    const auto core = core_of(shared_);
    if (!core) return failed<delivery>(no_connection());
    return core->send_reliably(*shared_, to, what, how);
}

operation<receipt> entity::send_with_receipt(const destination& to, const payload& what, const send_options& how) {
    const auto core = core_of(shared_);
    if (!core) return failed<receipt>(no_connection());
    return core->send_with_receipt(*shared_, to, what, how);
}

void entity::on_refused(std::function<void(const error&)> handler) {
    shared_->on_refused =
        handler ? std::make_shared<std::function<void(const error&)>>(std::move(handler)) : nullptr;
}

operation<received_message> entity::receive() {
    const auto core = core_of(shared_);
    if (!core) return failed<received_message>(no_connection());
    return core->receive(shared_);
}

result<received_message> entity::receive(std::chrono::milliseconds limit) {
    const auto core = core_of(shared_);
    if (!core) return no_connection();
    return core->receive(shared_, limit);
}

void entity::on_job(job_handler handler) {
    if (const auto core = core_of(shared_)) core->set_job_handler(shared_, std::move(handler));
}

void entity::on_message(message_handler handler) {
    if (const auto core = core_of(shared_)) core->set_handler(shared_, std::move(handler));
}

operation<reply> entity::request(const destination& to, command what, std::chrono::milliseconds limit) {
    const auto core = core_of(shared_);
    if (!core) return failed<reply>(no_connection());
    return core->request(shared_, to, std::move(what), limit);
}

result<void> entity::on_request(std::string_view names, request_handler handler) {
    return on_request(names, [handler = std::move(handler)](const mbus::request& call, responder to) {
        to.answer(handler(call));
    });
}

result<void> entity::on_request(std::string_view names, deferred_request_handler handler) {
    for (std::string_view rest = names; !rest.empty();) {
        const auto comma = rest.find(',');
        if (rest.substr(0, comma).starts_with("mbus.")) {
            return {errc::bad_argument,
                    "names that start with mbus. belong to RFC 3259; choose another name than " + std::string{names}};
        }
        rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    }
    if (names.empty() || !handler) return {errc::bad_argument, "a request handler needs a name and a function"};
    shared_->rules.push_back({std::string{names}, std::move(handler)});
    return {};
}

operation<void> entity::wait_for(const symbol& condition, const destination& to, std::chrono::milliseconds interval) {
    const auto core = core_of(shared_);
    if (!core) return failed<void>(no_connection());
    return core->wait_for(shared_, condition, to, interval);
}

operation<void> entity::wait_for(std::string_view condition, const destination& to,
                                 std::chrono::milliseconds interval) {
    return wait_for(symbol{std::string{condition}}, to, interval);
}

operation<delivery> entity::go(const destination& to, std::string_view condition) {
    return go(to, symbol{std::string{condition}});
}

operation<delivery> entity::go(const destination& to, const symbol& condition) {
    return go(to, std::vector<symbol>{condition});
}

operation<delivery> entity::go(const destination& to, const std::vector<symbol>& conditions) {
    if (conditions.empty()) return failed<delivery>({errc::bad_argument, "go needs a condition"});
    std::vector<command> commands;
    for (const auto& condition : conditions) commands.push_back({"mbus.go", {condition}});
    return send_reliably(to, commands);
}

result<void> entity::quit(const destination& to) { return send(to, {"mbus.quit", {}}); }

operation<void> entity::detach() {
    const auto core = core_of(shared_);
    if (!core) return failed<void>(no_connection());
    return core->detach(shared_);
}

responder::responder(std::shared_ptr<detail::responder_record> shared) noexcept : shared_(std::move(shared)) {}

void responder::answer(result<reply> outcome) {
    if (!shared_ || shared_->answered) return;
    shared_->answered = true;
    if (const auto core = shared_->owner.lock()) core->answer(*shared_, outcome);
}

}  // namespace mbus
