#include "socket_client.hpp"

#include <doctest/doctest.h>

namespace router_test {
namespace {

using mbws::frame_reader;
using mbws::key;

std::string frame(mbws::verb what, std::uint64_t number, std::uint8_t flags, const more_fields& fields, std::string_view body) {
    std::string octets;
    mbws::frame_writer writer{octets, what, flags, number};
    if (fields) fields(writer);
    REQUIRE(writer.finish(body));
    return octets;
}

std::string line_of(const mbws::frame_view& what) {
    std::string line;
    if (what.number != 0) line += std::to_string(what.number) + ' ';
    if (what.verb != mbws::verb::message) {
        line += mbws::to_string(what.verb);
        for (const auto each : {key::code, key::entity, key::state}) {
            if (what.has(each)) line += ' ' + std::string{what.text(each)};
        }
        for (const auto each : {key::about, key::matched}) {
            if (what.has(each)) line += ' ' + std::to_string(what.integer(each));
        }
        return line;
    }
    line += std::string{what.text(key::from)} + " -> " + std::string{what.text(key::to)} + ": " + std::string{what.body};
    if (what.reliable()) line += " reliable";
    if (what.redelivered()) line += " again";
    for (const auto each : {key::type, key::mode, key::entity}) {
        if (what.has(each)) line += ' ' + std::string{what.text(each)};
    }
    if (what.has(key::missed)) line += " missed " + std::to_string(what.integer(key::missed));
    return line + " at " + std::to_string(what.integer(key::time));
}

}  // namespace

std::string mail(std::string_view to, std::string_view body, const more_fields& more, std::uint64_t number, std::uint8_t flags) {
    return frame(mbws::verb::message, number, flags, [&](mbws::frame_writer& out) {
        out.set(key::to, to);
        if (more) more(out);
    }, body);
}

std::string wish(mbws::verb what, const more_fields& fields, std::uint64_t number) { return frame(what, number, 0, fields, {}); }

socket_client::socket_client(router_lab& lab, habits how)
    : lab_(lab),
      how_(std::move(how)),
      id_(lab.hub.connections().add(how_.who != nullptr ? how_.who : identity(lab.configuration.values.rights, "owner", {}, 0, true),
                                    this)),
      connection_(*this, lab.hub, {.id = id_, .local = true, .addresses = mbws::addresses_of_client}, lab.network.at.now) {
    in_.remember(mbws::addresses_of_client);
    out_.remember(how_.remembers);
    read(wish(mbws::verb::connect, [&](mbws::frame_writer& out) {
        out.set(key::version, std::uint64_t{1}).set(key::window, std::uint64_t{how_.window});
        out.set(key::expiry, std::uint64_t{how_.expiry}).set_if(key::addresses, std::uint64_t{how_.remembers});
    }));
    REQUIRE(lines() == strings{"connected"});
}

socket_client::~socket_client() { lose(); }

void socket_client::lose() {
    if (std::exchange(lost_, true)) return;
    if (auto* session = connection_.session()) lab_.hub.touch(*session);
    connection_.lost(lab_.network.at.now);
    lab_.hub.connections().remove(id_);
}

std::string socket_client::attach(std::string_view entity, std::uint32_t request, const more_fields& more) {
    last_entity_.clear();
    read(wish(mbws::verb::attach, [&](mbws::frame_writer& out) {
        out.set(key::request, std::uint64_t{request}).set(key::entity, entity);
        if (more) more(out);
    }));
    static_cast<void>(lines());
    REQUIRE_FALSE(last_entity_.empty());
    return last_entity_;
}

void socket_client::hear(std::string_view octets) {
    in_.feed(octets);
    take_frames();
    // What was fed goes away.
    if (in_.has_fed()) in_.keep();
}

void socket_client::read(std::string_view octets) {
    hear(octets);
    lab_.turn();
    pump();
}

// As in local_connection.
void socket_client::take_frames() {
    const auto now = lab_.network.at.now;
    mbws::frame_view next;
    std::optional<mbusd::router::gather_scope> together;
    if (how_.together) together.emplace(lab_.hub);
    while (!connection_.closing()) {
        if (!connection_.wants_input()) {
            in_.keep();
            paused_ = true;
            break;
        }
        const auto status = in_.next(next);
        if (status == frame_reader::status::need_more) break;
        if (status == frame_reader::status::failed) {
            connection_.fault(now, in_.failure());
            break;
        }
        if (!how_.together) next.repeats = false;
        if (connection_.handle(now, next) == mbws::verdict::closing) break;
    }
    together.reset();
    if (auto* session = connection_.session()) lab_.hub.touch(*session);
}

void socket_client::pump() {
    for (;;) {
        if (std::exchange(resume_, false) && std::exchange(paused_, false)) {
            take_frames();
            lab_.turn();
        }
        if (lost_) return;
        connection_.fill(lab_.network.at.now);
        std::string octets;
        std::array<mbws::octet_span, 64> pieces;
        while (waiting() > 0) {
            std::size_t taken = 0;
            const auto count = gather(pieces);
            for (std::size_t i = 0; i < count; ++i) {
                octets.append(pieces[i].data, pieces[i].size);
                taken += pieces[i].size;
            }
            consumed(taken);
            connection_.fill(lab_.network.at.now);
        }
        out_.feed(octets);
        mbws::frame_view next;
        while (out_.next(next) == frame_reader::status::frame) {
            lines_.push_back(line_of(next));
            if (next.verb == mbws::verb::ok) last_entity_ = next.text(key::entity);
            if (next.number != 0 && next.verb != mbws::verb::ack) last_number_ = next.number;
        }
        REQUIRE_FALSE(out_.failed());
        if (octets.empty() && !resume_) return;
    }
}

strings socket_client::lines() {
    lab_.turn();
    pump();
    lab_.turn();
    pump();
    return std::exchange(lines_, {});
}

}  // namespace router_test
