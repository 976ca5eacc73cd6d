// One XMPP stream on one WebSocket: RFC 7395 and the framing of the drafts before it (raw stream tags),
// SASL, resource binding, stream management. Sans-I/O: messages in, messages out.
//
//     stream client{output, host, {.encrypted = tls}, now};
//     client.receive(now, message);             // each text message
//     client.advance(now); client.deadline();
//     client.lost(now);                         // the socket has gone
//
// Which framing a client speaks shows its first message; the answer is in kind. Stanzas of a bound
// stream go to its session. Not thread-safe; output and host outlive the stream.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sasl/sasl_exchange.hpp"
#include "xml/reader.hpp"

namespace mbusd::xmpp {

using time_point = std::chrono::steady_clock::time_point;
inline constexpr time_point never = time_point::max();

// RFC 6120, section 13.12: limits, smaller before anybody is known.
inline constexpr std::size_t octets_before_login = 8 * 1024;
inline constexpr std::size_t octets_max = 256 * 1024;
inline constexpr xml::limits limits_before_login{.octets = octets_before_login};
inline constexpr xml::limits limits_after_login{.octets = octets_max};
// Wrong passwords on one stream (RFC 6120, section 6.4.5); the listener slows an address that guesses.
inline constexpr unsigned login_failures_max = 5;
// A stream that does not get as far as a bound resource.
inline constexpr std::chrono::seconds login_patience{60};
// Elements of a login that a client sends while an earlier one is not looked at yet.
inline constexpr std::size_t held_max = 4;
// For the answer to our <close/>; only one of the common clients gives any.
inline constexpr std::chrono::milliseconds close_patience{500};

class session;
class stream;

// The socket's end of a stream.
class stream_output {
public:
    // One WebSocket text message.
    virtual void send(std::string message) = 0;
    // After what was sent: the WebSocket's closing handshake.
    virtual void close() = 0;
    // A login failed: the address is to be slowed.
    virtual void login_failed() = 0;
    // How long the next password from there is not to be looked at.
    [[nodiscard]] virtual std::chrono::milliseconds login_wait() = 0;

protected:
    ~stream_output() = default;
};

// What a stream asks of the server.
class stream_host {
public:
    // The domain that answers, also to those who ask for another.
    [[nodiscard]] virtual std::string_view domain() const = 0;
    [[nodiscard]] virtual sasl_accounts& accounts() = 0;
    // Reads the messages of all streams, since none needs it between two: with the small limits of
    // before the login, or the others.
    [[nodiscard]] virtual xml::document_reader& documents(bool logged_in) = 0;
    // What one stanza may be.
    [[nodiscard]] virtual xml::limits limits(bool logged_in) const = 0;
    // How long a session waits for a client that has lost its connection; 0: not at all.
    [[nodiscard]] virtual std::chrono::seconds resumption() const = 0;
    // Printable random characters of so many random octets.
    [[nodiscard]] virtual std::string random_text(std::size_t octets) = 0;

    // A session for user@domain()/resource (a made-up one when empty). One that has the same full JID ends
    // with `conflict`. Null: too many sessions.
    virtual session* bind(time_point now, stream& by, const std::string& user, bool guest, std::string_view resource) = 0;
    // The session with that id of stream management, if it is this user's.
    virtual session* resume(time_point now, stream& by, const std::string& user, std::string_view id) = 0;
    // A stanza of a bound client, its `from` not yet stamped.
    virtual void stanza(time_point now, session& from, xml::element what) = 0;
    // The client has closed its stream: the session ends. lost: the socket broke, the session may wait.
    virtual void closed(time_point now, session& which) = 0;
    virtual void lost(time_point now, session& which) = 0;

    // For the figures: a stream error was sent, a login refused or granted.
    virtual void stream_failed(std::string_view condition) = 0;
    virtual void login_refused(std::string_view condition) = 0;
    virtual void login_granted(bool guest) = 0;

protected:
    ~stream_host() = default;
};

struct stream_options {
    bool plain = false;      // the connection is encrypted or loopback: PLAIN may be used
    bool anonymous = false;  // guests are welcome
};

class stream {
public:
    stream(stream_output& output, stream_host& host, stream_options options, time_point now);
    ~stream();
    stream(const stream&) = delete;
    stream& operator=(const stream&) = delete;

    void receive(time_point now, std::string_view message);
    // A message that is no text (RFC 7395, section 3.2).
    void receive_binary(time_point now);
    void lost(time_point now);

    void advance(time_point now);
    [[nodiscard]] time_point deadline() const noexcept;

    // For its session: one stanza or element of stream management, already text.
    void send(std::string text);
    // Ends the stream: the error, <close/>, then the socket.
    void fail(time_point now, std::string_view condition, std::string_view text = {}) { fail(now, condition, text, {}); }
    // The orderly end from our side.
    void close(time_point now);
    // The session is another stream's now, or has ended.
    void release() noexcept { session_ = nullptr; }

    [[nodiscard]] bool bound() const noexcept { return session_ != nullptr; }
    [[nodiscard]] bool logged_in() const noexcept { return logged_in_; }
    [[nodiscard]] bool closing() const noexcept { return state_ == state::closing; }

private:
    enum class state : std::uint8_t { opening, login, restarting, unbound, bound, closing };
    enum class framing : std::uint8_t { unknown, standard, older };

    void receive_standard(time_point now, std::string_view message);
    void receive_older(time_point now, std::string_view message);
    void on_open(time_point now, const xml::element& opening);
    void on_element(time_point now, xml::element what);
    void on_fault(time_point now, const xml::fault& what);
    void on_login(time_point now, xml::element what);
    void look_at_login(time_point now, const xml::element& what);
    void look_at_held(time_point now);
    void answer_login(time_point now, const sasl_answer& answer);
    void on_unbound(time_point now, xml::element what);
    void on_bind(time_point now, const xml::element& iq, const xml::element& request);
    void on_resume(time_point now, const xml::element& what);
    void on_bound(time_point now, xml::element what);
    bool on_management(time_point now, const xml::element& what);
    void on_acknowledgement(time_point now, const xml::element& what);
    void on_enable(const xml::element& what);
    void refuse_management(std::string_view condition);
    void fail_handled_too_high(time_point now, std::uint32_t handled, std::uint32_t sent);
    void on_close(time_point now);
    // `detail`: an application's condition beside the stream's; without a name: none.
    void fail(time_point now, std::string_view condition, std::string_view text, const xml::element& detail);
    [[nodiscard]] std::string open_text();
    void open_answer();
    void write_features();
    [[nodiscard]] std::string close_text() const;

    stream_output& output_;
    stream_host& host_;
    stream_options options_;
    state state_ = state::opening;
    framing framing_ = framing::unknown;
    bool logged_in_ = false;
    std::unique_ptr<xml::stream_reader> older_;  // the older framing's document never ends
    std::unique_ptr<sasl_exchange> sasl_;
    std::vector<xml::element> held_;  // of a login, until held_until_
    time_point held_until_ = never;
    std::string said_from_;  // of <open/>: who the client says it is
    std::string user_;
    bool guest_ = false;
    bool answered_open_ = false;  // our <open/> of this (re)start was sent
    session* session_ = nullptr;
    time_point until_;            // login, or the answer to our <close/>
    bool finished_ = false;       // the socket is being closed
};

}  // namespace mbusd::xmpp
