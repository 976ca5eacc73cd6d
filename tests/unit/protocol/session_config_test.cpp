// The text of a `.mbus` file (RFC 3259, section 12).
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "envelope_support.hpp"
#include "protocol/session_config.hpp"

using namespace mbus::protocol;
using namespace mbus::protocol::testing;

namespace {

constexpr std::string_view sha1_line = "HASHKEY=(HMAC-SHA1-96,AAECAwQFBgcICQoLDA0ODxAREhM=)";
constexpr std::string_view aes_line = "ENCRYPTIONKEY=(AES,AAECAwQFBgcICQoLDA0ODw==)";

// A complete file with one line more, or with one line in place of the entry of the same name.
std::string file_with(std::string_view line = {}) {
    std::vector<std::string> lines{"CONFIG_VERSION=1", std::string{sha1_line}, std::string{aes_line},
                                   "SCOPE=LINKLOCAL"};
    const auto name = line.substr(0, line.find('=') + 1);
    const auto same = std::find_if(lines.begin(), lines.end(), [&](const auto& other) {
        return !name.empty() && other.starts_with(name);
    });
    if (same != lines.end()) {
        *same = line;
    } else if (!line.empty()) {
        lines.emplace_back(line);
    }
    std::string text = "[MBUS]\n";
    for (const auto& one : lines) text += one + '\n';
    return text;
}

std::string error_of(std::string_view text, const session_config_options& options = {}) {
    const auto read = parse_session_config(text, options);
    if (read) return "no error";
    CHECK(read.error().code == mbus::errc::bad_config);
    return read.error().text;
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE(
    "[item 137] all six entries are read, and absent optional ones take section 6's values (RFC 3259 s12)") {
    const auto plain = parse_session_config(file_with());
    REQUIRE(plain);
    CHECK(plain->hash == hash_algorithm::hmac_sha1_96);
    CHECK(plain->hash_key == counting_key(20));
    CHECK(plain->cipher == cipher_algorithm::aes);
    CHECK(plain->cipher_key == counting_key(16));
    CHECK(plain->scope == scope::link_local);
    CHECK(plain->port == 47000);
    CHECK(!plain->group);
    CHECK(!plain->broadcast);
    CHECK(plain->warnings.empty());

    CHECK(parse_session_config(file_with("ADDRESS=224.255.222.239"))->group == "224.255.222.239");
    CHECK(parse_session_config(file_with("ADDRESS=FF02::300"))->group == "FF02::300");
    CHECK(parse_session_config(file_with("ADDRESS=BROADCAST"))->broadcast);
    CHECK(parse_session_config(file_with("PORT=47001"))->port == 47001);
    CHECK(parse_session_config(file_with("PORT=65535"))->port == 65535);
    CHECK(parse_session_config(file_with("SCOPE=HOSTLOCAL"))->scope == scope::host_local);
}

TEST_CASE(
    "[item 64] without PORT the port is 47000; ADDRESS=239.255.255.247 says what section 6.1 says anyway") {
    const auto read = parse_session_config(file_with("ADDRESS=239.255.255.247"));
    REQUIRE(read);
    CHECK(!read->group);
    CHECK(read->port == default_port);
}

TEST_CASE("[item 140] each mandatory entry is missed, and their order is free (RFC 3259 s12.1)") {
    const std::array<std::string, 4> lines{"CONFIG_VERSION=1\n", std::string{sha1_line} + '\n',
                                           std::string{aes_line} + '\n', "SCOPE=HOSTLOCAL\n"};
    for (std::size_t left_out = 0; left_out < 3; ++left_out) {
        std::string text = "[MBUS]\n";
        for (std::size_t at = 0; at < lines.size(); ++at) text += at == left_out ? "" : lines[at];
        const auto failure = error_of(text);
        CHECK(contains(failure,
                       "line 4: expected an entry " + lines[left_out].substr(0, lines[left_out].find('='))));
    }
    std::array<std::size_t, 4> order{0, 1, 2, 3};
    do {
        std::string text = "[MBUS]\n";
        for (const auto at : order) text += lines[at];
        CHECK(parse_session_config(text, {.strict = true}));
    } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("[item 140] the text must be UTF-8 and begin with [MBUS]") {
    CHECK(contains(error_of("[MBUS]\nCONFIG_VERSION=1\n# \xC3\x28\n"), "line 3: expected UTF-8 text"));
    CHECK(contains(error_of(std::string{"[MBUS]\nPORT=1\0\n", 15}), "line 2: expected UTF-8 text"));
    for (const auto* bad : {"\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\x80",
                            "\xE0\x80\x80", "\xF0\x80\x80\x80"}) {
        CHECK(contains(error_of(std::string{"# "} + bad + "\n"), "line 1: expected UTF-8 text"));
    }
    CHECK(parse_session_config(file_with("# gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x8E\xB5")));
    CHECK(contains(error_of(""), "line 1: expected [MBUS]"));
    CHECK(contains(error_of("CONFIG_VERSION=1\n"), "line 1: expected [MBUS], found other text before it"));
    CHECK(contains(error_of("[OTHER]\nCONFIG_VERSION=1\n"), "expected [MBUS], found the end of the file"));
}

TEST_CASE(
    "[item 140] keys are (algorithm,Base64) with the comma even for NOENCR; NOENCR's other forms are read (trap F4)") {
    for (const auto* form : {"(NOENCR,)", "(NOENCR, )", "(NOENCR,AAAA)", "(NOENCR)", "( NOENCR , )"}) {
        const auto read = parse_session_config(file_with(std::string{"ENCRYPTIONKEY="} + form));
        REQUIRE_MESSAGE(read, form);
        CHECK(read->cipher == cipher_algorithm::none);
        CHECK(read->cipher_key.empty());
    }
    CHECK(parse_session_config(file_with("ENCRYPTIONKEY=(NOENCR,)"), {.strict = true}));
    CHECK(contains(error_of(file_with("ENCRYPTIONKEY=(NOENCR)"), {.strict = true}),
                   "line 4: expected (NOENCR,)"));
    CHECK(contains(error_of(file_with("HASHKEY=HMAC-SHA1-96")), "line 3: expected (ALGORITHM,KEY)"));
    CHECK(contains(error_of(file_with("HASHKEY=(HMAC-SHA1-96,AAEC")), "line 3: expected ')' after the key"));
    CHECK(contains(error_of(file_with("HASHKEY=(HMAC-SHA1-96)")), "found no key"));
}

TEST_CASE("Base64 is read strictly: padding complete, no blanks inside, no stray bits") {
    for (const auto* key :
         {"AAECAwQFBgcICQoLDA0ODxAREhM", "AAECAwQFBgcICQoLDA0O DxAREhM=", "AAECAwQFBgcICQoLDA0ODxAREhN=",
          "AAECAwQFBgcICQoLDA0ODxAREhM==", "AAECAwQFBgcICQoLDA0ODxAREh-_", "=AECAwQFBgcICQoLDA0ODxAREhM="}) {
        const auto failure = error_of(file_with("HASHKEY=(HMAC-SHA1-96," + std::string{key} + ")"));
        CHECK_MESSAGE(contains(failure, "line 3: expected a key in Base64"), key);
        CHECK(!contains(failure, "AAEC"));
    }
}

TEST_CASE("[item 129] a hash key shorter than the hash is refused (RFC 3259 s11.3)") {
    const auto failure =
        error_of(file_with("HASHKEY=(HMAC-SHA1-96,AAECAwQFBgcICQoLDA0ODxAREg==)"));  // 19 octets
    CHECK(contains(failure, "line 3: expected a key of at least 20 octets for HMAC-SHA1-96, found 19"));
    CHECK(contains(failure, "mbus key new"));
    CHECK(contains(error_of(file_with("HASHKEY=(HMAC-MD5-96,AAECAwQFBgcICQoLDA0O)")), "at least 16 octets"));
    CHECK(parse_session_config(file_with("HASHKEY=(HMAC-MD5-96,AAECAwQFBgcICQoLDA0ODw==)")));
}

TEST_CASE("hash keys longer than the hash are used whole (trap C3)") {
    const auto read =
        parse_session_config(file_with("HASHKEY=(HMAC-SHA1-96,AAECAwQFBgcICQoLDA0ODxAREhMUFRYX)"));
    REQUIRE(read);
    CHECK(read->hash_key == counting_key(24));
}

TEST_CASE("short hash keys of old files are taken with a warning where that is allowed (trap C4)") {
    const auto line = file_with("HASHKEY=(HMAC-MD5-96,MTIzMTU2MTg5MTEy)");
    const auto read = parse_session_config(line, {.allow_short_hash_key = true});
    REQUIRE(read);
    CHECK(read->hash_key == key_of("123156189112"));
    REQUIRE(read->warnings.size() == 1);
    CHECK(contains(read->warnings[0], "line 3: "));
    CHECK(!contains(read->warnings[0], "MTIz"));
    CHECK(!parse_session_config(line));
}

TEST_CASE(
    "[item 131] [item 133] cipher keys have exactly the native length: AES 128 bits only (RFC 3259 s11.2, trap C3)") {
    const auto fails = [](std::string_view algorithm, std::string_view key, std::string_view expected) {
        const auto failure =
            error_of(file_with("ENCRYPTIONKEY=(" + std::string{algorithm} + ',' + std::string{key} + ')'));
        CHECK_MESSAGE(contains(failure, expected), failure);
        CHECK(!contains(failure, key));
    };
    fails("AES", "AAECAwQFBgcICQoLDA0O", "line 4: expected a key of exactly 16 octets for AES, found 15");
    fails("AES", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX", "exactly 16 octets for AES, found 24");
    fails("AES", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "exactly 16 octets for AES, found 32");
    fails("DES", "MTIzMTU2MQ==", "exactly 8 octets for DES, found 7");
    fails("3DES", "AAECAwQFBgcICQoLDA0ODw==", "exactly 24 octets for 3DES, found 16");
    fails("IDEA", "AAECAwQFBgcICQoLDA0O", "exactly 16 octets for IDEA, found 15");
    for (const auto* line :
         {"ENCRYPTIONKEY=(DES,ASNFZ4mrze8=)", "ENCRYPTIONKEY=(3DES,AAECAwQFBgcICQoLDA0ODxAREhMUFRYX)",
          "ENCRYPTIONKEY=(IDEA,AAECAwQFBgcICQoLDA0ODw==)"}) {
        CHECK(parse_session_config(file_with(line)));
    }
}

TEST_CASE("authentication can't be off, and ciphers are no hashes (trap C11)") {
    CHECK(contains(error_of(file_with("HASHKEY=(NOENCR,)")), "line 3: expected HMAC-SHA1-96"));
    CHECK(contains(error_of(file_with("HASHKEY=(AES,AAECAwQFBgcICQoLDA0ODw==)")),
                   "found the encryption algorithm AES"));
    CHECK(contains(
        error_of(file_with("ENCRYPTIONKEY=(HMAC-SHA1-96,AAECAwQFBgcICQoLDA0ODxAREhM=)")),
        "line 4: expected NOENCR, AES, DES, 3DES, IDEA or XCHACHA20-POLY1305, found the hash algorithm HMAC-SHA1-96"));
    CHECK(contains(error_of(file_with("ENCRYPTIONKEY=(aes,AAECAwQFBgcICQoLDA0ODw==)")),
                   "found another algorithm"));
}

TEST_CASE("profiles do not mix") {
    const std::string modern_hash = "HASHKEY=(HMAC-SHA256-128,AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=)";
    CHECK(contains(error_of(file_with(modern_hash)),
                   "line 4: expected an encryption that goes with HMAC-SHA256-128, found AES"));
    CHECK(contains(error_of(file_with(
                       "ENCRYPTIONKEY=(XCHACHA20-POLY1305,AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=)")),
                   "found XCHACHA20-POLY1305"));
}

TEST_CASE("a missing SCOPE means HOSTLOCAL, with a warning (trap F1)") {
    const auto read = parse_session_config("[MBUS]\nCONFIG_VERSION=1\n" + std::string{sha1_line} + '\n' +
                                           std::string{aes_line} + '\n');
    REQUIRE(read);
    CHECK(read->scope == scope::host_local);
    REQUIRE(read->warnings.size() == 1);
    CHECK(contains(read->warnings[0], "HOSTLOCAL is assumed"));
    CHECK(contains(error_of(file_with("SCOPE=LOCAL")),
                   "line 5: expected HOSTLOCAL or LINKLOCAL, found 'LOCAL'"));
    CHECK(contains(error_of(file_with("SCOPE=hostlocal")), "found something else"));
}

TEST_CASE("the RFC's own example file is read line by line, then its short keys are refused (trap F2)") {
    constexpr std::string_view example =
        "[MBUS]\nCONFIG_VERSION=1\nHASHKEY=(HMAC-MD5-96,MTIzMTU2MTg5MTEy)\nENCRYPTIONKEY=(DES,MTIzMTU2MQ==)\n"
        "SCOPE=HOSTLOCAL\nADDRESS=224.255.222.239\nPORT=47000\n";
    CHECK(contains(error_of(example), "line 3: expected a key of at least 16 octets"));
    CHECK(contains(error_of(example), "bus.allow_short_keys"));
    CHECK(contains(error_of(example, {.allow_short_hash_key = true}),
                   "line 4: expected a key of exactly 8 octets for DES, found 7"));
}

TEST_CASE("one entry a line (trap F3)") {
    CHECK(contains(error_of(file_with(std::string{sha1_line} + "SCOPE=HOSTLOCAL")),
                   "line 3: expected the end of the line after ')'"));
}

TEST_CASE(
    "comments, empty lines, CR LF, blanks, other sections and unknown entries are passed over, unless strict (trap F5)") {
    const std::string text =
        "\xEF\xBB\xBF# keys of the lab\r\n\r\n[MBUS]\r\n; old\r\n CONFIG_VERSION = 1 \r\n"
        "HASHKEY = ( HMAC-SHA1-96 , AAECAwQFBgcICQoLDA0ODxAREhM= )\r\n\tENCRYPTIONKEY=(NOENCR)\r\nSCOPE=LINKLOCAL\r\n"
        "INTERFACE=eth0\r\nSEND_UNICAST=1\r\n[OTHER]\r\nPORT=1\r\nnonsense\r\n";
    const auto read = parse_session_config(text);
    REQUIRE(read);
    CHECK(read->port == 47000);
    CHECK(read->scope == scope::link_local);
    CHECK(read->warnings.empty());
    const session_config_options strict{.strict = true};
    CHECK(contains(error_of(file_with("# comment"), strict), "line 6: expected an entry, found a comment"));
    CHECK(contains(error_of("[MBUS]\n\n", strict), "line 2: expected an entry, found an empty line"));
    CHECK(contains(error_of("[MBUS]\r\n", strict), "line 1: expected a line end of LF, found CR LF"));
    CHECK(contains(error_of("[MBUS]\nCONFIG_VERSION = 1\n", strict),
                   "line 2: expected CONFIG_VERSION, HASHKEY"));
    CHECK(
        contains(error_of(file_with("INTERFACE=eth0"), strict), "line 6: expected CONFIG_VERSION, HASHKEY"));
    CHECK(contains(error_of(file_with("[OTHER]"), strict), "line 6: expected [MBUS] only"));
    CHECK(contains(error_of("[MBUS]", strict), "line 1: expected a line end (LF)"));
    CHECK(parse_session_config(file_with(), strict));
}

TEST_CASE("a misspelt entry is passed over with a hint; one that could be a key is not repeated") {
    const auto read = parse_session_config(file_with("ADRESS=224.255.222.239"));
    REQUIRE(read);
    REQUIRE(read->warnings.size() == 1);
    CHECK(read->warnings[0] == "line 6: unknown entry ADRESS is skipped; did you mean ADDRESS?");
    const auto wrapped = parse_session_config(file_with("AAECAwQFBgcICQoLDA0ODw=="));
    REQUIRE(wrapped);
    REQUIRE(wrapped->warnings.size() == 1);
    CHECK(wrapped->warnings[0] == "line 6: an unknown entry is skipped");
}

TEST_CASE("a repeated entry is an error, and so is a second section") {
    CHECK(contains(error_of(file_with("PORT=47000") + "PORT=47000\n"),
                   "line 7: expected PORT once, found it again (first on line 6)"));
    CHECK(contains(error_of(file_with() + "[MBUS]\n"), "line 6: expected one section [MBUS]"));
}

TEST_CASE("CONFIG_VERSION other than 1 is refused (trap F7)") {
    CHECK(parse_session_config(file_with("CONFIG_VERSION=01")));
    for (const auto* version : {"0", "2", "10", "4294967296", "99999999999", "", "one", "-1", "1.0"}) {
        CHECK_MESSAGE(contains(error_of(file_with(std::string{"CONFIG_VERSION="} + version)),
                               "line 2: expected CONFIG_VERSION=1"),
                      version);
    }
}

TEST_CASE("a PORT outside 1 to 65535 is refused (trap F9)") {
    for (const auto* port : {"0", "65536", "99999", "470000", "", "x", "-1", "47000x"}) {
        CHECK_MESSAGE(contains(error_of(file_with(std::string{"PORT="} + port)),
                               "line 6: expected a port from 1 to 65535"),
                      port);
    }
}

TEST_CASE("ADDRESS must be a multicast address or BROADCAST") {
    for (const auto* address : {"10.0.0.1",
                                "223.255.255.255",
                                "240.0.0.1",
                                "239.255.255",
                                "239.255.255.256",
                                "239.255.255.247.1",
                                "fe80::1",
                                "::",
                                "ff01:::1",
                                "ff01::300%lo",
                                "ff01:0:0:0:0:0:0:0:300",
                                "ff01::1::2",
                                "1ff02::1",
                                "broadcast",
                                "mbus.example",
                                "",
                                "239.255.255.247 ,",
                                "ff02:",
                                ":ff02::1",
                                "239.0001.0.1"}) {
        CHECK_MESSAGE(contains(error_of(file_with(std::string{"ADDRESS="} + address)),
                               "line 6: expected a multicast address or BROADCAST"),
                      address);
    }
    for (const auto* address : {"224.0.0.1", "239.255.255.255", "FF02:0:0:0:0:0:0:300", "ff02::1:2:3",
                                "ff02::10.0.0.1", "ff02:1:2:3:4:5:6:7", "ff02::"}) {
        CHECK_MESSAGE(parse_session_config(file_with(std::string{"ADDRESS="} + address)), address);
    }
}

TEST_CASE("an IPv6 group of another scope than SCOPE is used, with a warning (trap T9)") {
    const auto natural = parse_session_config(file_with("ADDRESS=ff02::300"));
    CHECK(natural->warnings.empty());
    for (const auto* address : {"ff01::300", "ff05::300", "ff0e::1"}) {
        const auto read = parse_session_config(file_with(std::string{"ADDRESS="} + address));
        REQUIRE(read);
        CHECK(read->group == address);
        REQUIRE(read->warnings.size() == 1);
        CHECK(contains(read->warnings[0], "line 6: the group's own scope differs from SCOPE=LINKLOCAL"));
    }
}

TEST_CASE("no error or warning repeats a key, whatever else is wrong with its line") {
    const std::string key = "S3cr3tS3cr3tS3cr3tS3cr3tS3c=";
    for (const auto* frame :
         {"HASHKEY=(%,)", "HASHKEY=%", "HASHKEY=(HMAC-SHA1-96,%", "HASHKEY=(HMAC-SHA1-96,%)x", "HASHKEY=(%)",
          "HASHKEY=(HMAC-SHA256-128,%)", "ENCRYPTIONKEY=(%,AES)", "ENCRYPTIONKEY=(AES,%)", "SCOPE=%",
          "ADDRESS=%", "PORT=%", "CONFIG_VERSION=%", "%", "%=1", "HASHKEY(%)", "[%]"}) {
        std::string line = frame;
        line.replace(line.find('%'), 1, key);
        for (const bool strict : {false, true}) {
            const auto read = parse_session_config(file_with(line), {.strict = strict});
            std::string said = read ? std::string{} : read.error().text;
            if (read) {
                for (const auto& warning : read->warnings) said += warning;
            }
            CHECK_MESSAGE(!contains(said, "S3cr3t"), said);
        }
    }
}

TEST_CASE("a file above the limit is refused before it is read") {
    CHECK(contains(error_of(std::string(session_file_octets_max + 1, '#')), "expected at most 65536 octets"));
}

TEST_CASE("[item 140] what is written follows the grammar to the octet, and reads back the same") {
    const auto read = parse_session_config(file_with("PORT=47001"));
    CHECK(format_session_config(*read) == "[MBUS]\nCONFIG_VERSION=1\n" + std::string{sha1_line} + '\n' +
                                              std::string{aes_line} +
                                              "\nSCOPE=LINKLOCAL\nADDRESS=239.255.255.247\nPORT=47001\n");
    CHECK(contains(format_session_config(*parse_session_config(file_with("ENCRYPTIONKEY=(NOENCR,AAAA)"))),
                   "\nENCRYPTIONKEY=(NOENCR,)\n"));
    CHECK(contains(format_session_config(*parse_session_config(file_with("ADDRESS=BROADCAST"))),
                   "\nADDRESS=BROADCAST\n"));
}

TEST_CASE(
    "[item 129] [item 133] generated keys have full length, are all different, and survive writing and reading") {
    for (const auto profile : {key_profile::rfc, key_profile::rfc_unencrypted, key_profile::modern}) {
        const auto one = generate_session_config(profile, scope::host_local);
        const auto two = generate_session_config(profile, scope::host_local);
        CHECK(one.hash_key.octets().size() == native_key_octets(one.hash));
        CHECK(one.cipher_key.octets().size() == native_key_octets(one.cipher));
        CHECK(!(one.hash_key == two.hash_key));
        CHECK(key_fingerprint(one) != key_fingerprint(two));
        const auto read = parse_session_config(format_session_config(one), {.strict = true});
        REQUIRE(read);
        CHECK(read->warnings.empty());
        CHECK(read->hash == one.hash);
        CHECK(read->hash_key == one.hash_key);
        CHECK(read->cipher == one.cipher);
        CHECK(read->cipher_key == one.cipher_key);
        CHECK(key_fingerprint(*read) == key_fingerprint(one));
        CHECK(envelope::create(*read));
    }
    CHECK(generate_session_config(key_profile::rfc, scope::link_local).cipher == cipher_algorithm::aes);
    CHECK(generate_session_config(key_profile::rfc_unencrypted, scope::link_local).cipher ==
          cipher_algorithm::none);
}

TEST_CASE("a fingerprint is 16 hexadecimal digits and depends on algorithms and keys only") {
    auto config = make_config(hash_algorithm::hmac_sha1_96, cipher_algorithm::aes);
    const auto print = key_fingerprint(config);
    CHECK(print.size() == 16);
    CHECK(print.find_first_not_of("0123456789abcdef") == std::string::npos);
    config.port = 1;
    config.scope = scope::link_local;
    CHECK(key_fingerprint(config) == print);
    config.cipher = cipher_algorithm::idea;
    CHECK(key_fingerprint(config) != print);
    config = make_config(hash_algorithm::hmac_sha1_96, cipher_algorithm::aes);
    config.hash_key = counting_key(20, 1);
    CHECK(key_fingerprint(config) != print);
}

TEST_CASE("a secret copies, moves, compares and may be empty") {
    const secret one = key_of("0123456789");
    secret two = one;
    CHECK(two == one);
    CHECK(two.octets().data() != one.octets().data());
    const secret three = std::move(two);
    CHECK(three == one);
    CHECK(two.empty());  // NOLINT(bugprone-use-after-move): a moved-from secret is empty
    two = three;
    CHECK(two == one);
    CHECK(!(key_of("0123456780") == one));
    CHECK(!(key_of("012345678") == one));
    CHECK(secret{} == key_of(""));
}
