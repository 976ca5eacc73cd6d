// Messages that are written once and handed to each receiver in one piece (docs/mbws.md, section 2.6).
#include <rapidcheck.h>

#include "run_lab.hpp"

namespace mbus::mbws::testing {
namespace {

// A connection whose client remembers addresses, and what that client reads.
struct wire {
    test_port port;
    frame_reader reader{frame_octets_limit};
    frame_view frame;
    std::string octets;

    wire() {
        port.remembers(addresses_of_broker);
        reader.remember(addresses_of_broker);
    }
    void deliver(message_preparer& preparer, std::string_view to, std::string_view from, std::string_view body) {
        const auto ready = preparer.prepare({.to = to, .from = from, .time = 7, .body = body});
        port.append({verb::message, 0, 0, {}, ready->fields(), ready->body(), &ready});
    }
    // FROM -> TO: BODY, a line for each message.
    strings read() {
        octets = port.take();
        reader.feed(octets);
        strings lines;
        while (reader.next(frame) == frame_reader::status::frame) {
            CHECK(frame.integer(key::time) == 7);
            lines.push_back(std::string{frame.text(key::from)} + " -> " + std::string{frame.text(key::to)} + ": " +
                            std::string{frame.body});
        }
        CHECK_FALSE(reader.failed());
        return lines;
    }
};

std::string address(int n) { return "(app:x id:" + std::to_string(n) + ")"; }

run_piece part(const run_piece& whole, std::size_t first, std::size_t messages) {
    run_piece out = whole;
    out.at = whole.at + message_run::octets_of(whole.storage, whole.at, first);
    out.messages = messages;
    out.octets = message_run::octets_of(whole.storage, out.at, messages);
    return out;
}

// A run with these bodies.
run_piece filled(message_run& run, const strings& bodies, std::string_view to = run_to, std::string_view from = run_from) {
    REQUIRE(run.begin(to, from));
    for (const auto& body : bodies) REQUIRE(run.add(7, body));
    return run.piece();
}

}  // namespace

TEST_CASE("a run holds what was added, each message a frame of its own") {
    message_preparer preparer;
    message_run run{preparer};
    const strings bodies{"a()", "", "b(\"" + std::string(3000, 'x') + "\")"};
    const auto piece = filled(run, bodies);
    CHECK(run.messages() == 3);
    CHECK(piece.messages == 3);
    CHECK(piece.octets == run.frames().size());
    CHECK(piece.frames() == run.frames());
    strings found;
    std::size_t octets = 0;
    message_run::for_each(run.frames(), [&](const message_run::message& one) {
        found.emplace_back(one.body);
        octets += one.octets;
        CHECK(one.time == 7);
    });
    CHECK(found == bodies);
    CHECK(octets == piece.octets);
    CHECK(run.storage()->to_field().substr(3) == run_to);
    CHECK(run.storage()->from_field().substr(3) == run_from);
}

TEST_CASE("a run can't begin without addresses, with too long ones, or with two of one number") {
    message_preparer preparer;
    message_run run{preparer};
    CHECK_FALSE(run.begin("", run_from));
    CHECK_FALSE(run.begin(run_to, ""));
    CHECK_FALSE(run.begin(run_to, run_to));
    const std::string most = "(a:" + std::string(numbered_address_max - 4, 'x') + ")";
    CHECK(run.begin(most, run_from));
    CHECK_FALSE(run.begin(most.substr(0, most.size() - 1) + "x)", run_from));
    CHECK_FALSE(run.begin(std::string(70000, 'x'), run_from));
    // Identities are given in order: the one that is addresses_of_broker further has the same number.
    const auto first = preparer.names().id_of(address(0));
    int n = 1;
    while ((preparer.names().id_of(address(n)) - first) % addresses_of_broker != 0) ++n;
    CHECK_FALSE(run.begin(address(0), address(n)));
    CHECK_FALSE(run.begin(address(n), address(0)));
    CHECK(run.begin(address(n), address(1)));
}

TEST_CASE("a refused beginning does no harm to the next run") {
    message_preparer preparer;
    message_run run{preparer};
    wire to_client;
    for (int i = 0; i < 20; ++i) {
        REQUIRE_FALSE(run.begin(run_to, run_to));
        to_client.port.append_run(filled(run, {"n(" + std::to_string(i) + ")"}, address(i), run_from));
        run.end();
    }
    const auto lines = to_client.read();
    REQUIRE(lines.size() == 20);
    for (int i = 0; i < 20; ++i) {
        CHECK(lines[static_cast<std::size_t>(i)] ==
              std::string{run_from} + " -> " + address(i) + ": n(" + std::to_string(i) + ")");
    }
}

TEST_CASE("a run ends at its limit of octets, and takes any body of its limit when it is empty") {
    message_preparer preparer;
    message_run run{preparer};
    REQUIRE(run.begin(run_to, run_from));
    CHECK_FALSE(run.add(7, std::string(message_run::body_octets_max + 1, 'x')));
    CHECK(run.messages() == 0);
    const std::string body(message_run::body_octets_max, 'x');
    std::size_t messages = 0;
    while (run.add(7, body)) ++messages;
    CHECK(messages == message_run::octets_max / (message_run::body_octets_max + 100));
    CHECK(run.messages() == messages);
    const auto frames = run.frames().size();
    CHECK(frames <= message_run::octets_max);
    CHECK(run.add(7, "a()"));  // a smaller one may still fit
    CHECK(run.messages() == messages + 1);
    run.end();
    CHECK(run.messages() == 0);
    CHECK(run.frames().empty());
    const std::string longest = "(a:" + std::string(numbered_address_max - 4, 'x') + ")";
    REQUIRE(run.begin(longest, run_from));
    CHECK(run.add(7, body));
}

TEST_CASE("the smallest messages fill a run to its end, and none of them is lost") {
    message_preparer preparer;
    message_run run{preparer};
    REQUIRE(run.begin(run_to, run_from));
    std::size_t messages = 0;
    while (run.add(7, "")) ++messages;
    CHECK(messages > 3000);
    wire to_client;
    to_client.port.append_run(run.piece());
    CHECK(to_client.read().size() == messages);
}

TEST_CASE("storage that is used again shows nothing of what it held before") {
    message_preparer preparer;
    message_run run{preparer};
    wire to_client;
    for (int round = 0; round < 10; ++round) {
        strings secrets;
        for (int i = 0; i < 50; ++i) secrets.push_back("secret(\"" + std::string(100, 's') + "\")");
        static_cast<void>(filled(run, secrets, "(app:vault id:secret)", "(app:secret)"));
        run.end();
        const auto piece = filled(run, {"a()"});
        CHECK(piece.messages == 1);
        CHECK(piece.storage->fields().find("secret") == std::string_view::npos);
        CHECK(piece.frames().find("secret") == std::string_view::npos);
        to_client.port.append_run(piece);
        run.end();
        CHECK(to_client.port.take().find("secret") == std::string::npos);
    }
}

TEST_CASE("who shares a run keeps it while the next ones are written") {
    message_preparer preparer;
    message_run run{preparer};
    std::vector<wire> clients(3);
    strings expected;
    for (int round = 0; round < 12; ++round) {
        strings bodies;
        for (int i = 0; i < 40; ++i) bodies.push_back("n(" + std::to_string(round * 100 + i) + " \"" + std::string(200, 'x') + "\")");
        const auto piece = filled(run, bodies);
        CHECK(piece.is_dense());
        for (auto& each : clients) each.port.append_run(piece);
        for (const auto& body : bodies) expected.push_back(std::string{run_from} + " -> " + std::string{run_to} + ": " + body);
        run.end();
    }
    for (auto& each : clients) CHECK(each.read() == expected);
}

TEST_CASE("a client gets with the first frame of a run the addresses that it does not know, and no more") {
    message_preparer preparer;
    message_run run{preparer};
    wire to_client;
    const std::size_t frame = frame_header_octets + 5 + 5 + 11 + 3;
    const std::size_t to_text = 3 + run_to.size();
    const std::size_t from_text = 3 + run_from.size();
    std::size_t texts = 0;
    SUBCASE("neither") { texts = to_text + from_text; }
    SUBCASE("the destination") {
        to_client.deliver(preparer, run_to, "(app:other)", "x()");
        texts = from_text;
    }
    SUBCASE("the sender") {
        to_client.deliver(preparer, "(app:other)", run_from, "x()");
        texts = to_text;
    }
    SUBCASE("both, from one message") { to_client.deliver(preparer, run_to, run_from, "x()"); }
    SUBCASE("both, from two messages, as the other of the two") {
        to_client.deliver(preparer, run_from, "(app:other)", "x()");
        to_client.deliver(preparer, "(app:other)", run_to, "x()");
    }
    static_cast<void>(to_client.read());
    to_client.port.append_run(filled(run, {"a()", "b()"}));
    CHECK(to_client.port.waiting() == 2 * frame + texts);
    const std::string way = std::string{run_from} + " -> " + std::string{run_to} + ": ";
    CHECK(to_client.read() == strings{way + "a()", way + "b()"});
    to_client.deliver(preparer, run_to, run_from, "c()");  // a single message makes use of what the run told
    CHECK(to_client.port.waiting() == frame);
    CHECK(to_client.read() == strings{way + "c()"});
}

TEST_CASE("numbers that went to other addresses in between are told anew") {
    message_preparer preparer;
    message_run run{preparer};
    wire to_client;
    // With 300 addresses on 256 numbers, some have one number.
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 300; ++i) {
            const bool begun = run.begin(address(i), address(i + 7));
            if (!begun) continue;
            REQUIRE(run.add(7, "a()"));
            REQUIRE(run.add(7, "b()"));
            to_client.port.append_run(run.piece());
            run.end();
            const std::string way = address(i + 7) + " -> " + address(i) + ": ";
            REQUIRE(to_client.read() == strings{way + "a()", way + "b()"});
        }
    }
}

TEST_CASE("a part of a run, with numbers from its own first on, leaves the run as it is") {
    message_preparer preparer;
    message_run run{preparer};
    wire first;
    wire second;
    const auto whole = filled(run, bodies_from(1, 6));
    const std::string before{whole.frames()};
    auto piece = part(whole, 2, 3);
    piece.number = 41;
    piece.flags = flag::redelivered;
    first.port.append_run(piece);
    const auto octets = first.port.take();
    first.reader.feed(octets);
    std::uint64_t number = 41;
    int body = 3;
    while (first.reader.next(first.frame) == frame_reader::status::frame) {
        CHECK(first.frame.number == number++);
        CHECK(first.frame.redelivered());
        CHECK(first.frame.body == "n(" + std::to_string(body++) + ")");
    }
    CHECK(number == 44);
    CHECK(whole.frames() == before);
    second.port.append_run(whole);
    CHECK(second.read().size() == 6);
}

TEST_CASE("a closed connection takes no runs") {
    wire to_client;
    CHECK(to_client.port.takes_runs());
    to_client.port.finish(orderly, "");
    CHECK_FALSE(to_client.port.takes_runs());
}

TEST_CASE("runs and single messages in any order, with any addresses, arrive as they were sent") {
    struct sending {
        int to;
        int from;
        int messages;
        int body;
    };
    CHECK(rc::check("runs and singles on one connection", [] {
        const auto traffic = *rc::gen::container<std::vector<sending>>(rc::gen::construct<sending>(
            rc::gen::inRange(0, 12), rc::gen::inRange(0, 12), rc::gen::inRange(0, 6), rc::gen::inRange(0, 3000)));
        message_preparer preparer;
        message_run run{preparer};
        // Twelve addresses, some of which have the same number.
        std::vector<std::string> names;
        for (int i = 0; names.size() < 12; ++i) {
            const auto id = preparer.names().id_of(address(i));
            if (id % addresses_of_broker < 4) names.push_back(address(i));
        }
        wire to_client;
        strings expected;
        strings came;
        int count = 0;
        for (const auto& next : traffic) {
            const auto& to = names[static_cast<std::size_t>(next.to)];
            const auto& from = names[static_cast<std::size_t>(next.from)];
            const bool together = next.messages > 1 && run.begin(to, from);
            for (int i = 0; i < next.messages; ++i) {
                const std::string body = std::to_string(count++) + std::string(static_cast<std::size_t>(next.body), 'b');
                expected.push_back(from + " -> " + to + ": " + body);
                if (together) RC_ASSERT(run.add(7, body));
                else to_client.deliver(preparer, to, from, body);
            }
            if (together) to_client.port.append_run(run.piece());
            run.end();
            if (next.body % 3 == 0) {
                for (auto& line : to_client.read()) came.push_back(std::move(line));
            }
        }
        for (auto& line : to_client.read()) came.push_back(std::move(line));
        RC_ASSERT(came == expected);
    }));
}

}  // namespace mbus::mbws::testing
