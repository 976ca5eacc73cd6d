// Cuts a stream of octets into binary frames. Nothing is copied when a whole frame stands in what
// was fed; only the piece of a frame that is cut off at the end is kept.
//
//     reader.feed(octets);                       // must live until next() said `need_more`
//     frame_view frame;
//     while (reader.next(frame) == frame_reader::status::frame) session.handle(now, frame);
//     if (reader.failed()) connection.fault(now, reader.failure());
//
// To stop before `need_more` (the session wants no input), call keep(): the rest is copied and
// next() goes on later. An idle reader holds no memory. At most one frame is held, or what the last
// feed() brought after keep().
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <mbus/result.hpp>

#include "mbws/address_numbers.hpp"
#include "mbws/frame.hpp"

namespace mbus::mbws {

class frame_reader {
public:
    enum class status { frame, need_more, failed };

    // `octets_max`: the largest frame (H + B); a larger one fails as too-large from its first 8
    // octets, before any of its content is stored.
    explicit frame_reader(std::size_t octets_max = frame_octets_default) noexcept : octets_max_(octets_max) {}

    void set_octets_max(std::size_t octets) noexcept { octets_max_ = octets; }
    // How many addresses of the other side are remembered by number; before the first octet.
    void remember(std::uint16_t addresses) noexcept { heard_ = heard_addresses{addresses}; }

    // What was fed before must be used up (need_more) or kept.
    void feed(std::string_view octets);

    // The next frame; its views are valid until the next call of anything here. When `out` is as the call before
    // left it, a header that repeats is not taken apart again.
    status next(frame_view& out);
    // The same if the next frame stands whole in what was fed and differs from the one before in number and body only.
    // False: nothing was done, next() has to look.
    bool next_repeats(frame_view& out) noexcept;

    // Copies what next() has not looked at yet, so that the fed octets may go away.
    void keep();

    // Octets that were fed and that next() has not looked at.
    [[nodiscard]] bool has_fed() const noexcept { return !input_.empty(); }

    [[nodiscard]] bool failed() const noexcept { return wrong_ != nullptr; }
    [[nodiscard]] error failure() const;  // bad-frame or too-large, with what to do

    // The octets of the frame that next() returned last.
    [[nodiscard]] std::string_view raw() const noexcept { return raw_; }
    // Octets held that are not a complete frame yet (or were kept).
    [[nodiscard]] std::size_t held() const noexcept { return held_.size() - held_at_; }

private:
    status refuse(errc code, const char* wrong) noexcept;
    bool top_up(std::size_t wanted);
    void drop_used();

    std::size_t octets_max_;
    heard_addresses heard_;
    std::string_view input_;   // fed, not looked at
    std::string held_;         // from earlier feeds
    std::size_t held_at_ = 0;  // what of it is used
    std::string_view raw_;
    std::string_view last_header_;           // of the frame before, if it stands in what was fed
    std::uint64_t stamp_ = 0;                // of that frame
    errc code_ = errc::bad_frame;
    const char* wrong_ = nullptr;
    std::uint64_t refused_octets_ = 0;
};

}  // namespace mbus::mbws
