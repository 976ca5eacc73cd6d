// Every datagram that other implementations were recorded to send (tests/vectors/mbus) is read with the
// key of its session, in the default mode and with compat = "legacy", or refused for the reason that
// stands in a table here.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json.hpp>

#include <mbus/address.hpp>
#include <mbus/command.hpp>
#include <mbus/message.hpp>

#include "protocol/envelope.hpp"
#include "protocol/session_config.hpp"

namespace json = boost::json;
using mbus::dialect;
using mbus::protocol::drop_reason;
using mbus::protocol::envelope;

namespace {

struct recorded {
    std::string file;
    std::int64_t number = 0;
    std::string octets;
    std::string text;
    std::string description;
    bool mac_leaves_out_nuls = false;  // Java MBus
    json::value header;
    std::vector<std::string> commands;

    [[nodiscard]] std::string name() const { return file + " #" + std::to_string(number); }
};

struct recording {
    std::string file;
    std::string config;
    std::vector<recorded> datagrams;
};

std::string from_hex(std::string_view hex) {
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    std::string octets;
    for (std::size_t at = 0; at + 1 < hex.size(); at += 2) {
        octets += static_cast<char>(digit(hex[at]) * 16 + digit(hex[at + 1]));
    }
    return octets;
}

std::string string_of(const json::value& what) { return std::string{std::string_view{what.as_string()}}; }

recording read_recording(const std::filesystem::path& path) {
    std::ifstream file{path, std::ios::binary};
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    const json::value document = json::parse(text);
    recording found{.file = path.filename().string(),
                    .config = string_of(document.at("config").at("text")),
                    .datagrams = {}};
    for (const auto& one : document.at("datagrams").as_array()) {
        recorded datagram;
        datagram.file = found.file;
        datagram.number = one.at("n").as_int64();
        datagram.octets = from_hex(string_of(one.at("hex")));
        datagram.text = string_of(one.at("text"));
        datagram.description = string_of(one.at("description"));
        datagram.mac_leaves_out_nuls =
            string_of(one.at("mac")).find("without the trailing NULs") != std::string::npos;
        datagram.header = one.at("header");
        for (const auto& command : one.at("commands").as_array())
            datagram.commands.push_back(string_of(command));
        found.datagrams.push_back(std::move(datagram));
    }
    return found;
}

// In the order of their names.
const std::vector<recording>& recordings() {
    static const std::vector<recording> all = [] {
        std::vector<std::filesystem::path> paths;
        for (const auto& entry : std::filesystem::directory_iterator{MBUS_SOURCE_DIR "/tests/vectors/mbus"}) {
            if (entry.path().extension() == ".json") paths.push_back(entry.path());
        }
        std::sort(paths.begin(), paths.end());
        std::vector<recording> read;
        for (const auto& path : paths) read.push_back(read_recording(path));
        return read;
    }();
    return all;
}

mbus::result<envelope> envelope_for(const recording& what, bool legacy) {
    auto config = mbus::protocol::parse_session_config(what.config, {.allow_short_hash_key = true});
    REQUIRE_MESSAGE(config, what.file << ": " << config.error().text);
    return envelope::create(*config, {.legacy = legacy});
}

// What is refused, by file and number, and why: damaged by the sender, so no reader could make sense of it.
const std::map<std::pair<std::string, std::int64_t>, std::string> damaged{
    // say "hi" without escapes: the string ends at its second quote.
    {{"libgmbus-args.json", 18}, "bad-command: expected a blank or ')' after a value at octet 99"},
    // Data of no octets comes out as whatever stood in memory.
    {{"libgmbus-args.json", 32}, "bad-command: expected Base64 and '>' at the end of data at octet 86"},
};

constexpr std::size_t datagrams_recorded = 406;
constexpr std::size_t datagrams_of_java = 64;
constexpr std::size_t datagrams_under_des = 61;
// DES needs libgcrypt: a build without it can't read those.
#ifdef MBUS_WITH_LIBGCRYPT
constexpr std::size_t without_cipher = 0;
#else
constexpr std::size_t without_cipher = datagrams_under_des;
#endif

// Octets that are no ASCII are shown as \xNN in the recorded text where they are no UTF-8.
std::string with_escapes(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string shown;
    for (const char c : text) {
        const auto octet = static_cast<unsigned char>(c);
        if (octet < 0x80) {
            shown += c;
        } else {
            shown += {'\\', 'x', digits[octet >> 4U], digits[octet & 15U]};
        }
    }
    return shown;
}

mbus::address address_of(const json::value& text) {
    auto parsed = mbus::address::parse(string_of(text));
    REQUIRE(parsed);
    return std::move(*parsed);
}

std::vector<std::uint32_t> numbers_of(std::string_view text) {
    std::vector<std::uint32_t> found;
    std::uint32_t number = 0;
    bool inside = false;
    for (const char c : text) {
        const bool digit = c >= '0' && c <= '9';
        if (digit) number = number * 10 + static_cast<std::uint32_t>(c - '0');
        if (!digit && inside) found.push_back(std::exchange(number, 0));
        inside = digit;
    }
    return found;
}

// The parsed message says what the recording's own analysis says.
void check_fields(const recorded& datagram, const mbus::message& got) {
    const auto field = [&](const char* name) { return string_of(datagram.header.at(name)); };
    CHECK(std::to_string(got.header.sequence_number) == field("seq"));
    CHECK(std::to_string(got.header.timestamp) == field("ts"));
    CHECK(std::string(1, static_cast<char>(got.header.type)) == field("type"));
    CHECK(got.header.source == address_of(datagram.header.at("src")));
    CHECK(got.header.destination == address_of(datagram.header.at("dst")));
    CHECK(got.header.acknowledgements == numbers_of(field("acks")));
    std::vector<std::string> names;
    for (const auto& command : got.commands) names.push_back(command.name);
    CHECK(names == datagram.commands);
}

struct tally {
    std::size_t seen = 0;
    std::size_t read = 0;
    std::size_t mac_refused = 0;  // Java MBus in the default mode
    std::size_t damaged = 0;
    std::size_t no_cipher = 0;
};

void read_one(const recorded& datagram, envelope& by, bool legacy, tally& count) {
    INFO(datagram.name() << ": " << datagram.description);
    ++count.seen;
    std::string scratch;
    const auto opened = by.open(datagram.octets, 0, scratch);
    if (!legacy && datagram.mac_leaves_out_nuls) {
        CHECK(!opened.ok);
        CHECK(opened.reason == drop_reason::bad_mac);
        ++count.mac_refused;
        return;
    }
    REQUIRE(opened.ok);
    const auto refused = damaged.find({datagram.file, datagram.number});
    const bool text_equal = opened.message == datagram.text || with_escapes(opened.message) == datagram.text;
    CHECK(text_equal);
    const auto parsed = mbus::parse_message(opened.message, legacy ? dialect::legacy : dialect::rfc);
    if (refused != damaged.end()) {
        REQUIRE(!parsed);
        CHECK(mbus::describe(parsed.error()) == refused->second);
        ++count.damaged;
        return;
    }
    REQUIRE_MESSAGE(parsed, mbus::describe(parsed.error()));
    check_fields(datagram, *parsed);
    ++count.read;
}

tally read_all(bool legacy) {
    tally count;
    for (const auto& one : recordings()) {
        auto by = envelope_for(one, legacy);
        if (!by && without_cipher != 0 && one.config.find("(DES,") != std::string::npos) {
            count.seen += one.datagrams.size();
            count.no_cipher += one.datagrams.size();
            continue;
        }
        REQUIRE_MESSAGE(by, one.file << ": " << by.error().text);
        for (const auto& datagram : one.datagrams) read_one(datagram, *by, legacy, count);
    }
    return count;
}

}  // namespace

TEST_CASE(
    "in the default mode all recorded datagrams of libgmbus and UCL are read; Java's MAC does not hold") {
    const auto count = read_all(false);
    CHECK(count.seen == datagrams_recorded);
    CHECK(count.mac_refused == datagrams_of_java);
    CHECK(count.damaged == damaged.size());
    CHECK(count.no_cipher == without_cipher);
    CHECK(count.read == datagrams_recorded - datagrams_of_java - damaged.size() - without_cipher);
}

TEST_CASE("with compat = legacy all recorded datagrams are read, Java's too, but for the damaged ones") {
    const auto count = read_all(true);
    CHECK(count.seen == datagrams_recorded);
    CHECK(count.damaged == damaged.size());
    CHECK(count.no_cipher == without_cipher);
    CHECK(count.read == datagrams_recorded - damaged.size() - without_cipher);
}

#ifdef MBUS_WITH_LIBGCRYPT
TEST_CASE("what UCL encrypts with DES we encrypt to the same octets") {
    std::size_t encrypted = 0;
    for (const auto& one : recordings()) {
        if (one.config.find("(DES,") == std::string::npos) continue;
        auto by = envelope_for(one, true);
        REQUIRE(by);
        for (const auto& datagram : one.datagrams) {
            std::string ours;
            by->seal(datagram.text, 0, ours);
            CHECK_MESSAGE(ours == datagram.octets, datagram.name());
            ++encrypted;
        }
    }
    CHECK(encrypted == datagrams_under_des);
}
#endif

TEST_CASE("what libgmbus and UCL authenticate in clear text we seal to the same octets in legacy mode") {
    std::size_t sealed = 0;
    for (const auto& one : recordings()) {
        if (one.config.find("(NOENCR,)") == std::string::npos) continue;
        auto by = envelope_for(one, true);
        REQUIRE(by);
        for (const auto& datagram : one.datagrams) {
            if (datagram.mac_leaves_out_nuls || damaged.contains({datagram.file, datagram.number})) continue;
            std::string ours;
            by->seal(datagram.text, 0, ours);
            CHECK_MESSAGE(ours == datagram.octets, datagram.name());
            ++sealed;
        }
    }
    CHECK(sealed == 279);
}

TEST_CASE("another session's key opens none of the recorded datagrams") {
    auto config = mbus::protocol::generate_session_config(mbus::protocol::key_profile::rfc_unencrypted,
                                                          mbus::protocol::scope::host_local);
    config.hash = mbus::protocol::hash_algorithm::hmac_md5_96;
    auto other = envelope::create(config, {.legacy = true});
    REQUIRE(other);
    std::string scratch;
    for (const auto& one : recordings()) {
        for (const auto& datagram : one.datagrams) {
            CHECK(other->open(datagram.octets, 0, scratch).reason == drop_reason::bad_mac);
        }
    }
}
