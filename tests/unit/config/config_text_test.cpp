// The configuration as text: --print-config and the documents made from the key table.
#include <doctest/doctest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "config/config_text.hpp"
#include "config/key_table.hpp"

TEST_CASE("the printed configuration reads back as the same settings") {
    mbusd::config_reading first;
    mbusd::read_config_text(first, R"toml([bus]
deny_interfaces = ["a\"b\\c"]
[limits]
queue_messages = 99
[[rights]]
users = ["bob", "al*"]
groups = ["staff"]
send = ["(app:a media:b)"]
block = true
)toml", "one.toml");
    REQUIRE(first.problems.empty());
    mbusd::config_reading second;
    mbusd::read_config_text(second, mbusd::print_config(first), "two.toml");
    CHECK(second.problems.empty());
    CHECK(second.values == first.values);
}

TEST_CASE("an empty list of rules reads back as an empty list") {
    mbusd::config_reading first;
    mbusd::read_config_text(first, "rights = []\n", "one.toml");
    REQUIRE(first.problems.empty());
    CHECK(first.values.rights.rules().empty());
    mbusd::config_reading second;
    mbusd::read_config_text(second, mbusd::print_config(first), "two.toml");
    CHECK(second.problems.empty());
    CHECK(second.values.rights.rules().empty());
}

TEST_CASE("each printed value names its origin") {
    mbusd::config_reading reading;
    mbusd::read_config_text(reading, "[bus]\ncoalesce = false\n", "/etc/mbusd/mbusd.toml");
    const auto text = mbusd::print_config(reading);
    CHECK(text.find("coalesce = false") != std::string::npos);
    CHECK(text.find("# /etc/mbusd/mbusd.toml:2") != std::string::npos);
    CHECK(text.find("# default") != std::string::npos);
}

TEST_CASE("every default is within its own range") {
    mbusd::config_reading defaults;
    mbusd::config_reading back;
    mbusd::read_config_text(back, mbusd::print_config(defaults), "defaults.toml");
    CHECK(back.problems.empty());
    CHECK(back.values == mbusd::settings{});
}

TEST_CASE("every key is documented in every form, and other forms are refused") {
    for (const auto* form : {"markdown", "scdoc", "text"}) {
        const auto text = mbusd::dump_keys(form);
        REQUIRE(text.has_value());
        for (const auto& key : mbusd::key_table()) {
            CHECK_FALSE(key.help.empty());
            const auto leaf = std::string{key.name.substr(key.name.find('.') + 1)};
            CHECK(text->find(std::string_view{form} == "scdoc" ? leaf.substr(0, leaf.find('_')) : leaf) != std::string::npos);
        }
    }
    CHECK_FALSE(mbusd::dump_keys("html").has_value());
}

TEST_CASE("docs/configuration.md holds the key table as it is") {
    std::ifstream stream(MBUS_SOURCE_DIR "/docs/configuration.md");
    REQUIRE_MESSAGE(stream, "docs/configuration.md is missing");
    std::ostringstream whole;
    whole << stream.rdbuf();
    const bool same = whole.str().find(*mbusd::dump_keys("markdown")) != std::string::npos;
    CHECK_MESSAGE(same, "replace what follows '## Keys' in docs/configuration.md by: mbusd --dump-keys markdown");
}
