// A client's octets on one connection of the gateway: request reader, admission, path table, and the handlers of
// every path, WebSockets included (RFC 9112; docs/http-api.md, docs/feeds.md, docs/capabilities.md).
//
// The first octet chooses where the client is and what the gateway is like (http_choices). Then follows what it
// sends, with marks (script.hpp) for the cuts between two reads and for what else happens:
//     |  a cut     F  the client ends its output     S  it stops reading, or reads again
//     T  the connection's deadline has passed        P  ten seconds go by     R  the player answers
//     U  an event on the bus, and a new entry in the feed                     X  the daemon stops
// {cap}, {etag}, {path} and {ticket} stand for the secret of a capability URL, for the last ETag and Location,
// and for the last ticket that came.
#include <algorithm>
#include <string>
#include <vector>

#include "http/field_text.hpp"
#include "http/request_reader.hpp"
#include "http_answers.hpp"
#include "http_lab.hpp"
#include "script.hpp"
#include "websocket/message_reader.hpp"

namespace {

using fuzz::http_answer;
using fuzz::http_lab;
using fuzz::require;

// What one run of an input came to.
struct course {
    std::string sent{};
    std::vector<std::string> pieces{};
    bool only_cuts = true;         // no other mark
    bool disturbed = false;        // something happened that may cut an answer off
    bool pending_allowed = false;  // an answer may still be to come
    std::vector<int> statuses{};
};

// What a client asks for, as one reader sees it that gets all octets at once.
struct questions {
    std::vector<std::string> methods;  // of every request whose headers are complete
    std::size_t complete = 0;          // that are there as a whole
    bool malformed = false;            // behind them, up to the end of its headers at least
    bool hopeless = false;             // behind them, and its headers do not end: it may be refused now or later
};

questions read_questions(std::string_view text) {
    questions out;
    mbusd::request_reader reader;
    auto request = text;
    for (;;) {
        std::size_t used = 0;
        const auto step = reader.feed(text, used);
        text.remove_prefix(used);
        using kind = mbusd::request_reader::step;
        if (step == kind::head) {
            out.methods.push_back(reader.take_head().method);
            if (!reader.accept_body(1U << 30)) return out;
        } else if (step == kind::done) {
            ++out.complete;
            static_cast<void>(reader.take_body());
            request = text;
        } else {
            const bool ends = request.find("\r\n\r\n") != std::string_view::npos;
            out.malformed = step == kind::failed && ends;
            out.hopeless = step == kind::failed && !ends;
            return out;
        }
    }
}

// The value behind the last `begin` in what the daemon wrote, up to `end`.
std::string last_value(std::string_view written, std::string_view begin, std::string_view end) {
    const auto at = written.rfind(begin);
    if (at == std::string_view::npos) return {};
    const auto rest = written.substr(at + begin.size());
    return std::string{rest.substr(0, rest.find(end))};
}

std::string path_of(const std::string& url) {
    const auto host = url.find("//");
    return host == std::string::npos ? url : url.substr(std::min(url.find('/', host + 2), url.size()));
}

void replace(std::string& in, std::string_view name, const std::string& value) {
    for (auto at = in.find(name); at != std::string::npos; at = in.find(name, at + value.size())) in.replace(at, name.size(), value);
}

std::string filled(std::string text, const http_lab& lab) {
    if (text.find('{') == std::string::npos) return text;
    const auto& written = lab.line->outgoing;
    replace(text, "{cap}", lab.token());
    replace(text, "{etag}", last_value(written, "\r\nETag: ", "\r\n"));
    replace(text, "{path}", path_of(last_value(written, "\r\nLocation: ", "\r\n")));
    replace(text, "{ticket}", last_value(written, "\"ticket\":\"", "\""));
    return text;
}

void publish(http_lab& lab) {
    mbusd::xml::element entry{"http://www.w3.org/2005/Atom", "entry"};
    entry.add("http://www.w3.org/2005/Atom", "id").add_text("urn:x:1");
    entry.add("http://www.w3.org/2005/Atom", "title").add_text("t");
    entry.add("http://www.w3.org/2005/Atom", "updated").add_text("2026-11-21T06:00:00Z");
    const mbusd::pubsub::requester ann{std::string{"ann@"} + fuzz::domain};
    static_cast<void>(lab.daemon.feeds.nodes().publish(ann, "news", "i1", entry, {}));
    lab.daemon.play("(app:ui)", "ui.show(\"hello\" 1 2.5)");
    lab.daemon.play("()", "player.playing(\"x\")");
    lab.settle();
}

void act(http_lab& lab, course& run, char mark) {
    run.only_cuts = run.only_cuts && (mark == 0 || mark == '|');
    switch (mark) {
    case 'F': lab.line->ended = true; break;
    case 'S':
        lab.line->stalled = !lab.line->stalled;
        run.disturbed = true;
        break;
    case 'T':
        run.disturbed = true;
        lab.late();
        break;
    case 'P':
        run.disturbed = true;
        lab.pass(std::chrono::seconds{10});
        break;
    case 'R': lab.daemon.play(); break;
    case 'U': publish(lab); break;
    case 'X':
        run.disturbed = true;
        lab.wind_up();
        break;
    default: break;
    }
    lab.settle();
}

course play(http_lab& lab, std::string_view input) {
    course out;
    fuzz::script steps{input};
    while (const auto step = steps.next()) {
        if (!lab.line->ended && !lab.line->closed) {
            auto text = filled(step->text, lab);
            lab.send(text);
            out.sent += text;
            out.pieces.push_back(std::move(text));
        }
        act(lab, out, step->mark);
    }
    if (lab.line->stalled) {
        lab.line->stalled = false;
        lab.settle();
    }
    return out;
}

// What a WebSocket server writes is frames, unmasked.
void check_frames(std::string octets) {
    mbus::websocket::message_reader reader{{.side = mbus::websocket::role::client, .message_octets_max = 64U << 20, .extension = true}};
    reader.feed(octets);
    mbus::websocket::received_message got;
    using status = mbus::websocket::message_reader::status;
    auto last = status::need_more;
    while ((last = reader.next(got)) == status::message) {
    }
    require(last != status::failed, "what the daemon writes on a WebSocket is WebSocket");
}

// Returns when the connection has left HTTP, too.
void check_answers(const http_lab& lab, course& run, const questions& asked) {
    const auto& line = *lab.line;
    fuzz::answer_reader answers{line.outgoing, line.closed || line.finished};
    std::size_t interims = 0;
    bool closes = false;
    bool open = false;
    for (;;) {
        const auto number = run.statuses.size();
        const bool head_only = number < asked.methods.size() && asked.methods[number] == "HEAD";
        const auto got = answers.next(head_only);
        if (!got) break;
        require(!closes && !open, "nothing follows the last answer");
        if (got->interim()) {
            require(got->status == 100 && ++interims <= asked.methods.size(), "100 is said once for a request that asks for it");
            continue;
        }
        run.statuses.push_back(got->status);
        if (got->status == 101) {
            require(got->header("sec-websocket-accept").size() == 28, "a WebSocket is accepted by its key");
            check_frames(std::string{answers.rest()});
            return;
        }
        closes = got->closes;
        open = got->open;
    }
    const auto given = run.statuses.size();
    require(answers.rest().empty() || run.disturbed || line.closed, "an answer is written to its end");
    require(given <= asked.methods.size() + 1, "no answer without a question");
    if (given == asked.methods.size() + 1) require(closes && run.statuses.back() >= 400, "what is no request is answered with an error, once");
    if (closes && !open) require(line.finished || line.closed || run.disturbed, "the connection ends after its last answer");
    if (run.disturbed || closes || open) return;
    // What waits for a reply is not answered yet, and what follows it neither.
    const bool waits = run.pending_allowed && given < asked.complete;
    require(waits || given >= asked.complete, "every request is answered");
    if (line.ended) return;
    require(!line.closed && !line.finished, "a connection stays open that nobody ends");
    require(waits || !asked.malformed || given > asked.complete, "what is no request is refused");
}

// Of headers that are wrong and too large, what is seen first is said; of those without end, perhaps nothing yet.
bool same_answers(std::vector<int> a, std::vector<int> b, const questions& asked) {
    if (asked.hopeless) {
        for (auto* each : {&a, &b}) each->resize(std::min(each->size(), asked.methods.size()));
    }
    const auto kind = [](int status) { return status == 431 || status == 505 ? 400 : status; };
    return std::ranges::equal(a, b, {}, kind, kind);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const auto how = fuzz::http_choices::from(data[0]);
    course in_pieces;
    std::string secret;
    {
        http_lab lab{how};
        secret = lab.token();
        in_pieces = play(lab, fuzz::text_of(data + 1, size - 1));
        const auto said = mbusd::http::lowered(in_pieces.sent);
        // A request with Prefer: wait is answered when the player has replied.
        in_pieces.pending_allowed = said.find("wait") != std::string::npos;
        // A WebSocket for a client that does not take its 101 at once is given up.
        in_pieces.disturbed |= how.slow && said.find("upgrade") != std::string::npos;
        check_answers(lab, in_pieces, read_questions(in_pieces.sent));
    }
    // A ticket is random, and so is whether it is right.
    if (!in_pieces.only_cuts || in_pieces.disturbed || in_pieces.pieces.size() < 2 || in_pieces.sent.find("ticket") != std::string::npos) return 0;
    http_lab lab{how};
    course at_once{.sent = in_pieces.sent};
    replace(at_once.sent, secret, lab.token());
    at_once.pending_allowed = in_pieces.pending_allowed;
    lab.send(at_once.sent);
    const auto asked = read_questions(at_once.sent);
    check_answers(lab, at_once, asked);
    require(same_answers(at_once.statuses, in_pieces.statuses, asked), "any split of the input gives the same answers");
    return 0;
}
