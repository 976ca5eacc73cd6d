"""An XMPP client over WebSocket by hand (RFC 7395), SCRAM included, for tests that must not share code with
what they test."""

import base64
import hashlib
import hmac
import os
import xml.etree.ElementTree as xml
from xml.sax.saxutils import quoteattr

from websocket_raw import CLOSE, PING, PONG, TEXT, Socket

CLIENT = "{jabber:client}"
SASL = "{urn:ietf:params:xml:ns:xmpp-sasl}"
FRAMING = "{urn:ietf:params:xml:ns:xmpp-framing}"
STREAMS = "{http://etherx.jabber.org/streams}"
STREAM_ERRORS = "{urn:ietf:params:xml:ns:xmpp-streams}"
STANZA_ERRORS = "{urn:ietf:params:xml:ns:xmpp-stanzas}"
BIND = "{urn:ietf:params:xml:ns:xmpp-bind}"
SM = "{urn:xmpp:sm:3}"
BUS = "{urn:x-mbus:1}"
DISCO_ITEMS = "{http://jabber.org/protocol/disco#items}"
DISCO_INFO = "{http://jabber.org/protocol/disco#info}"
OPEN = '<open xmlns="urn:ietf:params:xml:ns:xmpp-framing" to="bus.example" version="1.0"/>'


def encoded(text):
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


class Xmpp(Socket):
    """A stream, opened or not; next_element() is the next message, parsed by itself."""

    def __init__(self, port, opened=True, target="/xmpp", **headers):
        super().__init__(port, target=target, **{"Sec_WebSocket_Protocol": "xmpp", **headers})
        self.jid = None
        self.asked = 0
        if opened:
            self.open()

    def say(self, text):
        self.send(TEXT, text.encode())

    def next_text(self, timeout=10):
        while True:
            opcode, last, payload = self.next(timeout)
            if opcode == PING:
                self.send(PONG, payload)
                continue
            assert opcode == TEXT and last, f"opcode {opcode}, {payload[:200]!r}"
            return payload.decode()

    def next_element(self, timeout=10):
        got = xml.fromstring(self.next_text(timeout))
        name = got.tag.rpartition("}")[2]
        assert name not in ("iq", "message", "presence") or got.tag == CLIENT + name, f"{name} declares jabber:client"
        return got

    def open(self):
        self.say(OPEN)
        self.opening = self.next_text()
        self.features = self.next_element()
        return self

    # --- login ------------------------------------------------------------------------------------

    def auth(self, mechanism, initial=None):
        text = "" if initial is None else initial if initial == "=" else encoded(initial)
        self.say(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='{mechanism}'>{text}</auth>")
        return self.next_element()

    def respond(self, message):
        self.say(f"<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{encoded(message)}</response>")
        return self.next_element()

    def scram(self, user, password, name="sha256"):
        """The server's last element; checks its signature (RFC 5802, section 3)."""
        bare = f"n={user},r={encoded(os.urandom(12)).replace('=', '')}"
        first = self.auth("SCRAM-SHA-1" if name == "sha1" else "SCRAM-SHA-256", "n,," + bare)
        if first.tag != SASL + "challenge":
            return first
        server = base64.b64decode(first.text).decode()
        fields = dict(part.split("=", 1) for part in server.split(","))
        self.iterations = int(fields["i"])
        salted = hashlib.pbkdf2_hmac(name, password.encode(), base64.b64decode(fields["s"]), self.iterations)

        def mac(key, text):
            return hmac.new(key, text, name).digest()

        key = mac(salted, b"Client Key")
        final = f"c=biws,r={fields['r']}"
        signed = f"{bare},{server},{final}".encode()
        proof = bytes(a ^ b for a, b in zip(key, mac(hashlib.new(name, key).digest(), signed)))
        last = self.respond(f"{final},p={encoded(proof)}")
        if last.tag == SASL + "success":
            assert base64.b64decode(last.text) == b"v=" + encoded(mac(mac(salted, b"Server Key"), signed)).encode()
        return last

    def login(self, user="ann", password="secret of ann", resource="r", name="sha256"):
        last = self.scram(user, password, name)
        assert last.tag == SASL + "success", xml.tostring(last)
        return self.open().bind(resource)

    def bind(self, resource="r"):
        inside = f"<resource>{resource}</resource>" if resource else ""
        self.say(f"<iq xmlns='jabber:client' type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>{inside}</bind></iq>")
        self.bound = self.next_element()
        self.jid = self.bound.find(f"{BIND}bind/{BIND}jid").text
        return self

    # --- stanzas ----------------------------------------------------------------------------------

    def available(self, priority=0):
        self.say(f"<presence xmlns='jabber:client'><priority>{priority}</priority></presence>")
        return self

    def ask(self, kind, payload, to="bus.example"):
        """The answer to an iq; what comes before it is dropped."""
        self.asked += 1
        where = "" if to is None else f" to={quoteattr(to)}"
        self.say(f"<iq xmlns='jabber:client' type='{kind}' id='q{self.asked}'{where}>{payload}</iq>")
        while True:
            got = self.next_element()
            if got.get("id") == f"q{self.asked}":
                return got

    def message(self, to, inside, **attributes):
        more = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
        self.say(f"<message xmlns='jabber:client' to={quoteattr(to)}{more}>{inside}</message>")

    def expect_end(self, condition):
        """A stream error, <close/>, and the end of the socket."""
        texts = []
        while True:
            opcode, _, payload = self.next()
            if opcode == CLOSE:
                break
            texts.append(payload.decode())
        errors = [text for text in texts if text.startswith("<stream:error")]
        assert len(errors) == 1, texts
        assert xml.fromstring(errors[0])[0].tag == STREAM_ERRORS + condition, errors[0]
        assert texts[-1].startswith("<close "), texts
        self.send(CLOSE, payload)
        assert self.ended()
        return texts


def condition(stanza):
    """Of an error: the first child of <error/>, as clients read it."""
    error = stanza.find(CLIENT + "error")
    return None if error is None or stanza.get("type") != "error" else error[0].tag.removeprefix(STANZA_ERRORS)
