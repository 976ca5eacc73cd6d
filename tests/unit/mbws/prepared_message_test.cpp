// Messages that are used again show nothing of what they were.
#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "mbws/prepared_message.hpp"

namespace mbus::mbws {

TEST_CASE("a message whose memory was another's is all its own") {
    message_preparer preparer;
    const prepared_message* where = nullptr;
    {
        const auto before = preparer.prepare({.to = "(app:b)",
                                              .from = "(app:a id:1-1@h)",
                                              .time = 7,
                                              .body = "x.y()",
                                              .first_command = "x.y",
                                              .reliable = true});
        where = before.get();
        CHECK(before->has_names());
        CHECK(before->text_lines() != nullptr);
        CHECK(before->copy()->size() == before->fields().size() + 5);
    }
    std::string fields;
    append_field(fields, key::about, std::uint64_t{4711});
    const auto nak = preparer.prepare_fields(verb::nak, fields);
    REQUIRE(nak.get() == where);
    CHECK(nak->verb() == verb::nak);
    CHECK(nak->fields() == fields);
    CHECK(nak->body().empty());
    CHECK_FALSE(nak->reliable());
    CHECK_FALSE(nak->has_names());
    CHECK(nak->frame_octets() == frame_header_octets + fields.size());
    CHECK(*nak->copy() == fields);
    REQUIRE(nak->text_lines() != nullptr);
    CHECK(nak->text_lines()->find("4711") != std::string::npos);
    CHECK(nak->text_lines()->find("app:") == std::string::npos);
    const auto fresh = prepared_message::of_fields(verb::nak, fields);
    CHECK(*fresh->text_lines() == *nak->text_lines());
}

TEST_CASE("what one thread still holds of a message stays when its memory is used again") {
    message_preparer preparer;
    std::shared_ptr<const std::string> held;
    {
        const auto before = preparer.prepare({.to = "(app:b)", .from = "(app:a id:1-1@h)", .body = "x.y()"});
        held = before->copy();
    }
    const auto after = preparer.prepare({.to = "(app:b)", .from = "(app:a id:1-1@h)", .body = "x.z(1)"});
    CHECK(held->ends_with("x.y()"));
    CHECK(after->copy()->ends_with("x.z(1)"));
}

}  // namespace mbus::mbws
