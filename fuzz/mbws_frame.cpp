// MBWS frames from anybody: the reader cuts, refuses or waits, and what it took says the same after
// being written in binary and in text; a broker's connection survives it all.
#include <memory>
#include <string>

#include "mbws/broker_connection.hpp"
#include "mbws/frame_reader.hpp"
#include "mbws/text_frame.hpp"

#include "fuzz.hpp"

namespace {

using namespace mbus::mbws;

class quiet_port final : public stream_port {
public:
    void wake() override {}
    void read_again() override {}
};

// Grants everything, routes nowhere.
class quiet_host final : public session_host {
public:
    mbus::result<opened_session> open(time_point, const connect_request&) override {
        session = std::make_unique<broker_session>(1, std::string(32, 't'), "fuzz", settings, *this);
        return opened_session{session.get(), false};
    }
    mbus::result<attached> attach(time_point, broker_session&, const attach_request& request) override {
        return attached{request.entity, 1};
    }
    void detach(time_point, broker_session&, const attachment&) override {}
    mbus::result<std::uint32_t> watch(time_point, broker_session& owner,
                                      const watch_request& request) override {
        owner.entity_changed(request.slot, "(app:x)", entity_state::present);
        return 1U;
    }
    void unwatch(broker_session&, const watch_request&) override {}
    route_status route(time_point, broker_session&, const routed_message& what, route_report&) override {
        return what.reliable ? route_status::refused : route_status::routed;
    }
    mbus::result<granted> grant(time_point, broker_session&, const grant_request&) override {
        return granted{"u", 1, 1};
    }
    mbus::result<void> revoke(time_point, broker_session&, std::string_view) override { return {}; }
    void room(broker_session&) override {}
    void ended(time_point, broker_session&, end_reason) override {}

    session_settings settings;
    std::unique_ptr<broker_session> session;
};

void survives(const frame_view& frame) {
    std::string binary;
    fuzz::require(append_frame(binary, frame), "what is read can be written");
    frame_view again;
    fuzz::require(decode_frame(binary, again) == nullptr && again == frame,
                  "a frame survives the binary form");
    std::string text;
    if (!append_text_frame(text, frame)) return;  // a body that is no text
    fuzz::require(parse_text_frame(text, again).has_value() && again == frame,
                  "a frame survives the text form");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const auto octets = fuzz::text_of(data, size);
    quiet_host host;
    quiet_port port;
    const time_point now{};
    broker_connection connection{port, host, {1, true}, now};
    frame_reader reader;
    frame_view frame;
    // The first octet says where the stream is cut in two.
    const std::size_t cut = static_cast<unsigned char>(octets[0]) % size;
    for (const auto piece : {octets.substr(1, cut), octets.substr(1 + cut < size ? 1 + cut : size)}) {
        if (reader.failed()) break;
        reader.feed(piece);
        while (reader.next(frame) == frame_reader::status::frame) {
            survives(frame);
            connection.handle(now, frame);
            connection.fill(now);
        }
    }
    if (reader.failed()) connection.fault(now, reader.failure());
    if (parse_text_frame(octets, frame)) {
        std::string text;
        if (append_text_frame(text, frame)) {
            frame_view again;
            fuzz::require(parse_text_frame(text, again).has_value() && again == frame,
                          "a text frame survives");
        }
    }
    connection.lost(now);
    return 0;
}
