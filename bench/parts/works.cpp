#include "parts/works.hpp"

#include <chrono>
#include <stdexcept>

#include <mbus/command.hpp>
#include <mbus/message.hpp>

#include "protocol/session_config.hpp"

namespace bench {
namespace {

using namespace mbus::protocol;

constexpr std::string_view text =
    "mbus/1.0 4711 1017619201500 U (app:rat conf:test id:4711-1@192.168.1.1 media:audio module:engine) "
    "(media:audio module:ui) ()\r\n"
    "audio.channel.gain(\"front left speaker\" -12 2.5 on <AAECAwQFBgcICQ==>)\r\n";
constexpr std::uint64_t wall_ms = 1'700'000'000'000;
constexpr std::size_t entities = 100;

session_config keys() { return generate_session_config(key_profile::rfc_unencrypted, scope::host_local); }

// So that no compiler leaves out what nobody uses.
template <class T>
void keep(const T& value) {
    asm volatile("" : : "r"(&value) : "memory");
}

[[noreturn]] void fail(const char* what) { throw std::runtime_error(what); }

}  // namespace

void codec_work::once() {
    auto read = mbus::parse_message(text);
    if (!read) fail("the message does not parse");
    keep(mbus::format_message(*read));
}

void codec_work::scan() {
    static const auto payload = text.substr(mbus::scan_header(text)->payload_offset);
    mbus::command_scanner commands{payload};
    while (const auto* one = commands.next()) keep(one);
    if (commands.failed()) fail("the payload does not parse");
}

envelope_work::envelope_work() : envelope_(*envelope::create(keys())) {
    envelope_.seal(text, wall_ms, sealed_);
}

void envelope_work::seal() {
    datagram_.clear();
    envelope_.seal(text, wall_ms, datagram_);
    keep(datagram_);
}

void envelope_work::open() {
    const auto opened = envelope_.open(sealed_, wall_ms, scratch_);
    if (!opened.ok) fail("the datagram does not open");
    keep(opened);
}

frame_work::frame_work() : body_(64, 'x') {
    encode();
    frame_ = out_;
}

void frame_work::encode() {
    namespace mbws = mbus::mbws;
    out_.clear();
    mbws::frame_writer writer{out_, mbws::verb::message, 0, 42};
    writer.set(mbws::key::to, "(app:bench id:2-2@127.0.0.1)")
        .set(mbws::key::from, "(app:bench id:1-1@127.0.0.1)");
    if (!writer.finish(body_)) fail("the frame can't be written");
    keep(out_);
}

void frame_work::decode() {
    mbus::mbws::frame_view view;
    if (mbus::mbws::decode_frame(frame_, view) != nullptr) fail("the frame can't be read");
    keep(view);
}

route_work::route_work()
    : node_({.host_id = "127.0.0.1", .seed = 1}, *envelope::create(keys()), events_),
      routes_([](entity_handle) { return nullptr; }) {
    const instant at{time_point{} + std::chrono::hours{1}, wall_ms};
    for (std::size_t index = 0; index < entities; ++index) {
        const auto name = "(app:bench" + std::to_string(index) + ")";
        const auto handle = node_.attach(at, *mbus::address::parse(name), 4711);
        destinations_.emplace_back(node_.address_of(*handle)->text());
    }
}

void route_work::once() {
    const auto* const way = routes_.find(destinations_[next_], node_);
    if (way == nullptr || !way->complete) fail("no route");
    keep(*way);
    next_ = next_ + 1 == destinations_.size() ? 0 : next_ + 1;
}

}  // namespace bench
