// An XMPP client on a WebSocket that costs as little as one can: it logs in, binds, and then counts messages
// by the beginning of their text and acknowledges what it gets (XEP-0198).
//
//     xmpp_reader one{{.port = 5280, .path = "/xmpp-websocket", .domain = "bus.example", .resource = "r1"}, login};
//     one.ask("<iq xmlns='jabber:client' type='set' ...>");
//     while (one.read()) ...            // when its socket is readable
//
// Thread-safety: none. Faults are exceptions: a benchmark has no use for another answer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "xmpp/scram_login.hpp"
#include "websocket/message_reader.hpp"

namespace bench {

struct xmpp_plan {
    std::uint16_t port = 0;  // of 127.0.0.1
    std::string path{};
    std::string domain{};
    std::string resource{};
    bool managed = false;  // with stream management
};

class xmpp_reader {
public:
    // Blocks until a resource is bound.
    xmpp_reader(const xmpp_plan& how, scram_login& login);
    ~xmpp_reader();
    xmpp_reader(const xmpp_reader&) = delete;
    xmpp_reader& operator=(const xmpp_reader&) = delete;

    // Takes what is there; false at the end of the connection.
    bool read();
    void send(std::string_view stanza);
    // Sends an iq and waits for its answer, which must be a result.
    std::string ask(std::string_view iq);

    [[nodiscard]] int socket() const noexcept { return socket_; }
    [[nodiscard]] const std::string& jid() const noexcept { return jid_; }
    [[nodiscard]] std::uint64_t messages() const noexcept { return messages_; }
    [[nodiscard]] std::uint64_t message_octets() const noexcept { return message_octets_; }

private:
    void shake_hands(const xmpp_plan& how);
    void open_stream(const xmpp_plan& how, scram_login& login);
    // Waits for a text that begins so.
    std::string wait_for(std::string_view beginning);
    void handle(std::string_view text);
    void write(unsigned opcode, std::string_view payload) const;

    int socket_ = -1;
    mbus::websocket::message_reader reader_{{.side = mbus::websocket::role::client}};
    std::string jid_;
    std::string answer_;  // the last text that is neither message nor management
    std::uint64_t messages_ = 0;
    std::uint64_t message_octets_ = 0;
    std::uint64_t stanzas_ = 0;  // since <enabled/>
};

}  // namespace bench
