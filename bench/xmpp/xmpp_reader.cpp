#include "xmpp/xmpp_reader.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <utility>
#include <vector>

#include "websocket/handshake.hpp"

namespace bench {
namespace {

namespace websocket = mbus::websocket;
using status = websocket::message_reader::status;

constexpr std::size_t read_octets = std::size_t{64} * 1024;
constexpr int patience_ms = 30'000;

// All readers of a process read into one buffer.
std::vector<char>& buffer() {
    static std::vector<char> octets(read_octets);
    return octets;
}

[[noreturn]] void fail(const std::string& why) { throw std::runtime_error("an XMPP reader: " + why); }

// What stands between a start tag of this name and the next tag.
std::string text_in(std::string_view document, std::string_view name) {
    const auto tag = document.find("<" + std::string{name});
    const auto from = tag == std::string_view::npos ? tag : document.find('>', tag);
    if (from == std::string_view::npos) fail("no " + std::string{name} + " in " + std::string{document});
    return std::string{document.substr(from + 1, document.find('<', from) - from - 1)};
}

}  // namespace

xmpp_reader::xmpp_reader(const xmpp_plan& how, scram_login& login) {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    name.sin_port = htons(how.port);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0)
        fail("can't connect to the server");
    const int on = 1;
    (void)::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    shake_hands(how);
    open_stream(how, login);
}

xmpp_reader::~xmpp_reader() {
    if (socket_ >= 0) ::close(socket_);
}

void xmpp_reader::shake_hands(const xmpp_plan& how) {
    websocket::client_handshake opening{
        {.host = "127.0.0.1:" + std::to_string(how.port), .target = how.path, .subprotocol = "xmpp"},
        websocket::handshake_nonce{}};
    const auto& request = opening.request();
    if (::send(socket_, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
        fail("send");
    auto how_far = websocket::client_handshake::status::need_more;
    while (how_far == websocket::client_handshake::status::need_more) {
        const auto got = ::recv(socket_, buffer().data(), 4096, 0);
        if (got <= 0) fail("the server closed the connection");
        how_far = opening.receive({buffer().data(), static_cast<std::size_t>(got)});
    }
    if (how_far == websocket::client_handshake::status::failed) fail(opening.failure());
}

void xmpp_reader::open_stream(const xmpp_plan& how, scram_login& login) {
    const auto open =
        "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' version='1.0' to='" + how.domain + "'/>";
    const std::string sasl = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'";
    send(open);
    (void)wait_for("<stream:features");
    send("<auth " + sasl + " mechanism='SCRAM-SHA-1'>" + login.first() + "</auth>");
    send("<response " + sasl + ">" + login.answer_to(text_in(wait_for("<challenge"), "challenge")) +
         "</response>");
    (void)wait_for("<success");
    send(open);
    (void)wait_for("<stream:features");
    jid_ = text_in(
        ask("<iq xmlns='jabber:client' type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>" +
            how.resource + "</resource></bind></iq>"),
        "jid");
    if (!how.managed) return;
    send("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    (void)wait_for("<enabled");
    stanzas_ = 0;
}

std::string xmpp_reader::wait_for(std::string_view beginning) {
    while (!answer_.starts_with(beginning)) {
        if (answer_.starts_with("<stream:error") || answer_.starts_with("<failure")) fail(answer_);
        pollfd ready{.fd = socket_, .events = POLLIN, .revents = 0};
        if (::poll(&ready, 1, patience_ms) != 1) fail("no " + std::string{beginning} + " came");
        if (!read()) fail("the server closed the connection");
    }
    return std::exchange(answer_, {});
}

std::string xmpp_reader::ask(std::string_view iq) {
    send(iq);
    auto answer = wait_for("<iq");
    if (answer.find("type='result'") == std::string::npos &&
        answer.find("type=\"result\"") == std::string::npos)
        fail(answer);
    return answer;
}

bool xmpp_reader::read() {
    const auto got = ::recv(socket_, buffer().data(), buffer().size(), MSG_DONTWAIT);
    if (got == 0) return false;
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    reader_.feed({buffer().data(), static_cast<std::size_t>(got)});
    websocket::received_message message;
    for (auto what = reader_.next(message); what != status::need_more; what = reader_.next(message)) {
        if (what == status::failed) fail(reader_.failure().text);
        switch (message.what) {
        case websocket::opcode::text: handle(message.payload); break;
        case websocket::opcode::ping:
            write(static_cast<unsigned>(websocket::opcode::pong), message.payload);
            break;
        case websocket::opcode::close: return false;
        default: break;
        }
    }
    return true;
}

void xmpp_reader::handle(std::string_view text) {
    if (text.starts_with("<message")) {
        ++messages_;
        ++stanzas_;
        message_octets_ += text.size();
    } else if (text.starts_with("<r ")) {
        send("<a xmlns='urn:xmpp:sm:3' h='" + std::to_string(stanzas_) + "'/>");
    } else if (!text.starts_with("<a ")) {
        if (text.starts_with("<iq")) ++stanzas_;
        answer_ = text;
    }
}

void xmpp_reader::send(std::string_view stanza) {
    write(static_cast<unsigned>(websocket::opcode::text), stanza);
}

// Masked with zeros, which costs nothing and is legal.
void xmpp_reader::write(unsigned opcode, std::string_view payload) const {
    std::string octets;
    websocket::append_frame(octets, static_cast<websocket::opcode>(opcode), payload, websocket::mask_key{});
    if (::send(socket_, octets.data(), octets.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(octets.size()))
        fail("send");
}

}  // namespace bench
