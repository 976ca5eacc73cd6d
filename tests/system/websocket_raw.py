"""A WebSocket client by hand (RFC 6455), which may break every rule, for tests that must not share code
with what they test."""

import base64
import os
import socket
import struct
import time

from mbws_raw import Closed, Frame, encode

TEXT, BINARY, DATA, CLOSE, PING, PONG, CONTROL = 1, 2, 3, 8, 9, 10, 11


def request(target="/mbws", host="localhost", **changes):
    """The text of a handshake. A header is changed by its name with _ for -, and left out by None."""
    headers = {"Host": host, "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
               "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(), "Sec-WebSocket-Protocol": "mbws"}
    headers.update({name.replace("_", "-"): value for name, value in changes.items()})
    lines = [f"{name}: {value}" for name, value in headers.items() if value is not None]
    return "\r\n".join([f"GET {target} HTTP/1.1", *lines, "", ""])


def frame(opcode, payload=b"", last=True, mask=True, reserved=0):
    head = bytes([(0x80 if last else 0) | reserved | opcode])
    bit = 0x80 if mask else 0
    if len(payload) <= 125:
        head += bytes([bit | len(payload)])
    elif len(payload) <= 0xFFFF:
        head += struct.pack(">BH", bit | 126, len(payload))
    else:
        head += struct.pack(">BQ", bit | 127, len(payload))
    if not mask:
        return head + payload
    key = os.urandom(4)
    return head + key + bytes(octet ^ key[i % 4] for i, octet in enumerate(payload))


class Refused(Exception):
    """Another status than 101: .status, .headers (lower case) and .body."""


class Socket:
    """Connected and through the handshake, unless it is refused."""

    def __init__(self, port, **headers):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.held = b""
        self.socket.sendall(request(host=f"localhost:{port}", **headers).encode())
        while b"\r\n\r\n" not in self.held:
            self.read_more()
        head, self.held = self.held.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        self.status = int(lines[0].split()[1])
        self.headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines[1:])}
        if self.status != 101:
            while len(self.held) < int(self.headers.get("content-length", 0)):
                self.read_more()
            refused = Refused(lines[0])
            refused.status, refused.headers, refused.body = self.status, self.headers, self.held.decode()
            self.socket.close()
            raise refused

    def read_more(self):
        try:
            got = self.socket.recv(65536)
        except ConnectionResetError:
            got = b""
        if not got:
            raise Closed()
        self.held += got

    def raw(self, octets):
        self.socket.sendall(octets)

    def send(self, opcode, payload=b"", **how):
        self.raw(frame(opcode, payload, **how))

    def next(self, timeout=10):
        """The next WebSocket frame: opcode, last, payload."""
        self.socket.settimeout(timeout)

        def need(octets):
            while len(self.held) < octets:
                self.read_more()

        need(2)
        first, length = self.held[0], self.held[1]
        assert length & 0x80 == 0, "a server doesn't mask"
        assert first & 0x70 == 0, "no reserved bit"
        at = 2
        if length == 126:
            need(4)
            length, at = struct.unpack(">H", self.held[2:4])[0], 4
        elif length == 127:
            need(10)
            length, at = struct.unpack(">Q", self.held[2:10])[0], 10
        need(at + length)
        payload, self.held = self.held[at:at + length], self.held[at + length:]
        return first & 0x0F, first & 0x80 != 0, payload

    def next_frame(self, opcode=BINARY, timeout=10):
        """The next MBWS frame, which must be a whole message with that opcode."""
        got, last, payload = self.next(timeout)
        assert got == opcode and last, f"opcode {got}, {payload[:200]!r}"
        return Frame(payload)

    def expect(self, verb, opcode=BINARY, timeout=10):
        found = self.next_frame(opcode, timeout)
        assert found.verb == verb, f"{verb} expected, {found} came"
        return found

    def mbws(self, verb, number=0, flags=0, body=b"", **fields):
        self.send(BINARY, encode(verb, number, flags, body, **fields))

    def closed(self, timeout=10):
        """Everything up to the close frame: its code, its reason, and the MBWS frames before it."""
        before = []
        while True:
            opcode, _, payload = self.next(timeout)
            if opcode == CLOSE:
                code = struct.unpack(">H", payload[:2])[0] if payload else 1005
                return code, payload[2:].decode(), before
            before.append((opcode, payload))

    def ended(self, seconds=10):
        """True when the server ends the connection within the time."""
        until = time.monotonic() + seconds
        self.socket.settimeout(seconds)
        try:
            while time.monotonic() < until:
                self.read_more()
        except Closed:
            return True
        except TimeoutError:
            return False
        return False

    def close(self):
        self.socket.close()
